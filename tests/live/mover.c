/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moves exactly known numbers of bytes and prints what its processes' calls returned: the truth that tests
 * compare with. The paths are those of `tcptop --check`; flow, threads and pidreuse are loads for filters,
 * conservation and sessions.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check/datapath.h"
#include "check/datapath_end.h"
#include "base/error.h"

enum { EXIT_USAGE = 2, EXIT_SKIPPED = 77 };

static const char usage[] =
    "usage: mover list\n"
    "       mover run ID|all [--repeat N] [--hold] [--json]\n"
    "       mover flow [-6 | --mapped] [--bytes N] [--processes N] [--connections N] [--wait-file FILE] "
    "[--summary]\n"
    "       mover threads [--threads N] [--seconds N] [--size N] [--hold]\n"
    "       mover pidreuse [--gap-ms N] [--hold]\n"
    "All print JSON lines (--json is accepted for clarity), of each process and connection what its calls "
    "returned.\n"
    "--hold: once connected, prints so and waits for a line on standard input before data moves.\n"
    "--wait-file: the same until FILE exists. run ends with 77 when the path cannot run here.\n";

struct arguments {
	const char *id;
	uint64_t bytes;
	unsigned repeat, processes, connections, threads, seconds, size, gap_ms;
	bool hold, json, ipv6, mapped, summary;
	const char *wait_file;
};

/*
 * One write a line, so that several processes may print. The names need no escape: they are the movers'
 * own.
 */
static void session_print(const char *id, const char *event, const struct datapath_session *session)
{
	int domain = session->family == 6 ? AF_INET6 : AF_INET;
	char laddr[INET6_ADDRSTRLEN], raddr[INET6_ADDRSTRLEN];

	inet_ntop(domain, session->laddr, laddr, sizeof laddr);
	inet_ntop(domain, session->raddr, raddr, sizeof raddr);
	dprintf(STDOUT_FILENO,
	    "{\"path\":\"%s\",%s%s%s\"side\":\"%s\",\"pid\":%d,\"family\":%u,\"laddr\":\"%s\",\"lport\":%u,"
	    "\"raddr\":\"%s\",\"rport\":%u,\"netns\":%u,\"tx_bytes\":%llu,\"rx_bytes\":%llu,\"comm\":\"%s\","
	    "\"comm_last\":\"%s\"}\n",
	    id, *event ? "\"event\":\"" : "", event, *event ? "\"," : "", datapath_side_name(session->side),
	    (int)session->pid, session->family, laddr, session->lport, raddr, session->rport, session->netns,
	    (unsigned long long)session->tx_bytes, (unsigned long long)session->rx_bytes, session->comm,
	    session->comm_last);
}

static int hold_connected(void *argument, const struct datapath_result *result)
{
	int byte;

	for (size_t i = 0; i < result->session_count; i++)
		session_print(argument, "connected", &result->sessions[i]);
	dprintf(STDOUT_FILENO, "{\"path\":\"%s\",\"event\":\"holding\"}\n", (const char *)argument);
	do
		byte = getchar();
	while (byte != '\n' && byte != EOF);
	return 0;
}

static int path_run(const struct datapath *path, const struct arguments *arguments, unsigned timeout_ms)
{
	struct datapath_limits limits = { .timeout_ms = timeout_ms,
		.connected = arguments->hold ? hold_connected : NULL,
		.argument = (void *)(uintptr_t)path->id };
	char reason[DATAPATH_REASON_MAX];

	if (datapath_probe(path, reason, sizeof reason) < 0) {
		dprintf(STDOUT_FILENO, "{\"path\":\"%s\",\"skipped\":\"%s\"}\n", path->id, reason);
		return EXIT_SKIPPED;
	}
	for (unsigned i = 0; i < arguments->repeat; i++) {
		struct datapath_result result;
		struct error error;

		if (datapath_run(path, &limits, &result, &error) < 0) {
			dprintf(STDERR_FILENO, "mover: %s\n", error.text);
			return EXIT_FAILURE;
		}
		for (size_t j = 0; j < result.session_count; j++)
			session_print(path->id, "", &result.sessions[j]);
	}
	return EXIT_SUCCESS;
}

static int command_list(const struct arguments *arguments __attribute__((unused)))
{
	char reason[DATAPATH_REASON_MAX];
	const struct datapath *path;

	for (size_t i = 0; (path = datapath_at(i)); i++) {
		bool available = datapath_probe(path, reason, sizeof reason) == 0;

		printf("%s\t%llu\t%s\t%s\n", path->id, (unsigned long long)path->bytes, path->title,
		    available ? "available" : reason);
	}
	return EXIT_SUCCESS;
}

static int command_run(const struct arguments *arguments)
{
	const struct datapath *path = arguments->id ? datapath_find(arguments->id) : NULL;
	int status = EXIT_SUCCESS;

	if (path)
		return path_run(path, arguments, 0);
	if (!arguments->id || strcmp(arguments->id, "all") != 0) {
		dprintf(STDERR_FILENO, "mover: no path of that name: see `mover list`\n");
		return EXIT_USAGE;
	}
	for (size_t i = 0; (path = datapath_at(i)); i++)
		if (path_run(path, arguments, 0) == EXIT_FAILURE)
			status = EXIT_FAILURE;
	return status;
}

/* A path with arguments of its own; its functions find them behind end->path. */
struct custom_path {
	struct datapath path;
	const struct arguments *arguments;
};

static const struct arguments *end_arguments(const struct datapath_end *end)
{
	return ((const struct custom_path *)(const void *)end->path)->arguments;
}

struct writer {
	pthread_t thread;
	int fd;
	size_t size;
	const char *buffer;
	int64_t until_ns;
	uint64_t tx_bytes;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void *writer_run(void *argument)
{
	struct writer *writer = argument;
	ssize_t sent = 0;

	while (sent >= 0 && now_ns() < writer->until_ns) {
		sent = send(writer->fd, writer->buffer, writer->size, 0);
		writer->tx_bytes += sent > 0 ? (uint64_t)sent : 0;
	}
	return NULL;
}

static int threads_send(struct datapath_end *end)
{
	const struct arguments *arguments = end_arguments(end);
	struct writer *writers = calloc(arguments->threads, sizeof *writers);
	unsigned started = 0;
	int err = writers && end_buffer(end) ? 0 : -ENOMEM;

	for (; !err && started < arguments->threads; started += !err) {
		writers[started] = (struct writer){ .fd = end->sockets[0].fd,
			.size = arguments->size,
			.buffer = end_buffer(end),
			.until_ns = now_ns() + arguments->seconds * INT64_C(1000000000) };
		err = -pthread_create(&writers[started].thread, NULL, writer_run, &writers[started]);
	}
	for (unsigned i = 0; i < started; i++) {
		pthread_join(writers[i].thread, NULL);
		end->sockets[0].truth.tx_bytes += writers[i].tx_bytes;
	}
	free(writers);
	return err ? end_fail(end, err, "starting the threads") : end_shutdown(end, &end->sockets[0]);
}

static int command_threads(const struct arguments *arguments)
{
	struct custom_path custom = {
		.path = { .id = "threads_load",
		    .bytes = 1,
		    .send = threads_send,
		    .receive = end_receive_plain },
		.arguments = arguments,
	};

	return path_run(&custom.path, arguments, arguments->seconds * 1000 + DATAPATH_TIMEOUT_MS);
}

/* The process with the PID of one that has just gone. Takes CAP_CHECKPOINT_RESTORE (Linux 5.9) or root. */
static int reuse_fork(struct datapath_end *end, pid_t wanted, pid_t *pid)
{
	struct clone_args clone = {
		.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&wanted, .set_tid_size = 1
	};
	pid_t parent = getpid();

	*pid = (pid_t)syscall(SYS_clone3, &clone, sizeof clone);
	if (*pid < 0)
		return end_fail_errno(end, "clone3 with a chosen PID");
	if (*pid == 0)
		end_become(end, DATAPATH_SENDER_OTHER, "dp-second", parent);
	return 0;
}

static int reuse_send(struct datapath_end *end)
{
	static const uint64_t bytes[] = { 10009, 20021 };
	pid_t pid = 0;
	int err = 0;

	for (int i = 0; i < 2 && !err; i++) {
		err = i == 0 ? end_fork(end, DATAPATH_SENDER_OTHER, "dp-first", &pid)
		             : reuse_fork(end, pid, &pid);
		if (err)
			break;
		if (pid == 0) {
			err = end_connect(end);
			if (!err)
				err = end_send_all(end, &end->sockets[0], bytes[i], 1009);
			end_exit(end, err ? err : end_shutdown(end, &end->sockets[0]));
		}
		err = end_join(end, pid);
		if (i == 0)
			end_sleep_us(end_arguments(end)->gap_ms * 1000);
	}
	return err;
}

static int reuse_receive(struct datapath_end *end)
{
	int err = 0;

	for (int i = 0; i < 2 && !err; i++) {
		err = end_accept(end);
		if (!err)
			err = end_receive_all(end, &end->sockets[i], END_CHUNK, 0);
	}
	return err;
}

static int command_pidreuse(const struct arguments *arguments)
{
	struct custom_path custom = {
		.path = { .id = "pidreuse",
		    .bytes = 1,
		    .flags = DATAPATH_LATE,
		    .send = reuse_send,
		    .receive = reuse_receive },
		.arguments = arguments,
	};

	return path_run(&custom.path, arguments, arguments->gap_ms + DATAPATH_TIMEOUT_MS);
}

/* A flow's processes: all are children of this one, which tells them to move when the file is there. */
struct flow {
	const struct arguments *arguments;
	struct datapath path; /* its flags say which addresses */
	int ready_fds[2], go_fds[2];
};

static void flow_fail(const char *what)
{
	dprintf(STDERR_FILENO, "mover: flow: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void flow_check(const struct datapath_end *end, int err)
{
	if (!err)
		return;
	dprintf(STDERR_FILENO, "mover: flow: %s\n", end->text);
	exit(EXIT_FAILURE);
}

/*
 * Connections are used one after the other, in the same order at both ends, and stay open until all are
 * through.
 */
static void flow_process(const struct flow *flow, struct datapath_end *end)
{
	const struct arguments *arguments = flow->arguments;
	struct datapath_socket *sockets = calloc(arguments->connections, sizeof *sockets),
	                       *socket = &end->sockets[0];
	uint64_t tx_bytes = 0, rx_bytes = 0;
	char byte = 0;

	if (!sockets)
		flow_fail("calloc");
	for (unsigned i = 0; i < arguments->connections; i++) {
		end->socket_count = 0;
		flow_check(end, end->side == DATAPATH_SENDER ? end_connect(end) : end_accept(end));
		sockets[i] = *socket;
	}
	if (write(flow->ready_fds[1], &byte, 1) != 1 || read(flow->go_fds[0], &byte, 1) < 0)
		flow_fail("pipe");
	for (unsigned i = 0; i < arguments->connections; i++) {
		*socket = sockets[i];
		flow_check(end, end->side == DATAPATH_SENDER ? end_send_plain(end) : end_receive_plain(end));
		end_comm(socket->truth.comm_last);
		if (!arguments->summary)
			session_print("flow", "", &socket->truth);
		tx_bytes += socket->truth.tx_bytes;
		rx_bytes += socket->truth.rx_bytes;
	}
	dprintf(STDOUT_FILENO,
	    "{\"path\":\"flow\",\"event\":\"total\",\"side\":\"%s\",\"pid\":%d,\"connections\":%u,\"tx_"
	    "bytes\":%llu,"
	    "\"rx_bytes\":%llu}\n",
	    datapath_side_name(end->side), (int)getpid(), arguments->connections,
	    (unsigned long long)tx_bytes, (unsigned long long)rx_bytes);
	exit(EXIT_SUCCESS);
}

/* As many descriptors as the connections take: the soft limit is often 1,024. */
static void flow_limit_raise(unsigned connections)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		flow_fail("getrlimit");
	if (limit.rlim_cur >= connections + 64)
		return;
	limit.rlim_cur = connections + 64;
	if (limit.rlim_max < limit.rlim_cur)
		limit.rlim_max = limit.rlim_cur;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		flow_fail("raising the limit of open files");
}

static void flow_start(const struct flow *flow, struct datapath_end *end, uint8_t side)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		flow_fail("fork");
	if (pid == 0) {
		end_process_init(side == DATAPATH_SENDER ? "flow-sender" : "flow-receiver", parent);
		close(flow->go_fds[1]);
		end->side = side;
		flow_process(flow, end);
	}
	dprintf(STDOUT_FILENO, "{\"path\":\"flow\",\"event\":\"started\",\"side\":\"%s\",\"pid\":%d}\n",
	    datapath_side_name(side), (int)pid);
}

static int command_flow(const struct arguments *arguments)
{
	unsigned flags = (arguments->ipv6 ? DATAPATH_IPV6 : 0) | (arguments->mapped ? DATAPATH_MAPPED : 0);
	struct flow flow = { .arguments = arguments,
		.path = { .id = "flow", .bytes = arguments->bytes, .flags = flags } };
	int status, failed = 0;
	char byte;

	flow_limit_raise(arguments->connections);
	if (pipe(flow.ready_fds) < 0 || pipe(flow.go_fds) < 0)
		flow_fail("pipe");
	for (unsigned i = 0; i < arguments->processes; i++) {
		struct datapath_end end = { .path = &flow.path, .peer_fd = -1, .report_fd = -1 };

		end.listen_fd = end_listen(end.path, 65535, &end.server, &end.server_length);
		if (end.listen_fd < 0)
			flow_fail("listen");
		flow_start(&flow, &end, DATAPATH_RECEIVER);
		flow_start(&flow, &end, DATAPATH_SENDER);
		close(end.listen_fd);
	}
	close(flow.ready_fds[1]);
	for (unsigned i = 0; i < 2 * arguments->processes; i++)
		if (read(flow.ready_fds[0], &byte, 1) != 1)
			return EXIT_FAILURE; /* it has said why; the others die with this process */
	dprintf(STDOUT_FILENO, "{\"path\":\"flow\",\"event\":\"connected\"}\n");
	while (arguments->wait_file && access(arguments->wait_file, F_OK) < 0)
		end_sleep_us(10000);
	close(flow.go_fds[1]);
	while (wait(&status) > 0)
		failed |= status != 0;
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static const struct {
	const char *name;
	int (*run)(const struct arguments *arguments);
} commands[] = {
	{ "list", command_list },
	{ "run", command_run },
	{ "flow", command_flow },
	{ "threads", command_threads },
	{ "pidreuse", command_pidreuse },
};

/* The value of a numeric option, at least 1: ends the program when it is none. */
static uint64_t number_parse(const char *text)
{
	char *rest;
	unsigned long long value;

	errno = 0;
	value = text && *text != '-' ? strtoull(text, &rest, 10) : 0;
	if (!value || *rest || errno || value > UINT32_MAX) {
		dprintf(STDERR_FILENO, "mover: not a number above 0: %s\n%s", text ? text : "(none)", usage);
		exit(EXIT_USAGE);
	}
	return value;
}

static bool argument_parse(struct arguments *arguments, const char *name, const char *value, bool *used_value)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = { { "--hold", &arguments->hold }, { "-6", &arguments->ipv6 },
		{ "--json", &arguments->json }, { "--mapped", &arguments->mapped },
		{ "--summary", &arguments->summary } };
	const struct {
		const char *name;
		unsigned *number;
	} numbers[] = { { "--repeat", &arguments->repeat }, { "--processes", &arguments->processes },
		{ "--threads", &arguments->threads }, { "--connections", &arguments->connections },
		{ "--seconds", &arguments->seconds }, { "--size", &arguments->size },
		{ "--gap-ms", &arguments->gap_ms } };

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (strcmp(name, flags[i].name) == 0)
			return *flags[i].flag = true;
	*used_value = true;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (strcmp(name, numbers[i].name) == 0) {
			*numbers[i].number = (unsigned)number_parse(value);
			return true;
		}
	if (strcmp(name, "--bytes") == 0)
		arguments->bytes = number_parse(value);
	else if (strcmp(name, "--wait-file") == 0 && value)
		arguments->wait_file = value;
	else
		return false;
	return true;
}

static int usage_print(void)
{
	dprintf(STDERR_FILENO, "%s", usage);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct arguments arguments = { .bytes = 1009,
		.repeat = 1,
		.processes = 1,
		.connections = 1,
		.threads = 4,
		.seconds = 1,
		.size = 64 };
	int status = datapath_exec_main(argc, argv);

	if (status >= 0)
		return status;
	for (int i = 2; i < argc; i++) {
		bool used_value = false;

		if (i == 2 && argv[i][0] != '-')
			arguments.id = argv[i];
		else if (!argument_parse(&arguments, argv[i], argv[i + 1], &used_value))
			return usage_print();
		i += used_value;
	}
	for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(&arguments);
	return usage_print();
}
