/* SPDX-License-Identifier: Apache-2.0 */
#include "check/moves.h"

#include <errno.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/address.h"
#include "base/error.h"
#include "check/runner.h"
#include "check/side.h"

/* One write a line, so that several processes may print. The names need no escape: they are the sides' own. */
static void truth_print(const char *id, const char *event, const struct truth *truth)
{
	char laddr[ADDRESS_SIZE], raddr[ADDRESS_SIZE];

	address_format(laddr, truth->family, truth->laddr);
	address_format(raddr, truth->family, truth->raddr);
	dprintf(STDOUT_FILENO,
	    "{\"path\":\"%s\",%s%s%s\"side\":\"%s\",\"pid\":%d,\"family\":%u,\"laddr\":\"%s\",\"lport\":%u,"
	    "\"raddr\":\"%s\",\"rport\":%u,\"netns\":%u,\"tx_bytes\":%llu,\"rx_bytes\":%llu,"
	    "\"comm\":\"%.16s\",\"comm_last\":\"%.16s\"}\n",
	    id, *event ? "\"event\":\"" : "", event, *event ? "\"," : "", side_role_name(truth->role),
	    (int)truth->pid, truth->family, laddr, truth->lport, raddr, truth->rport, truth->netns,
	    (unsigned long long)truth->tx_bytes, (unsigned long long)truth->rx_bytes, truth->comm,
	    truth->comm_last);
}

static int hold_connected(void *argument, const struct path_result *result)
{
	int byte;

	for (size_t i = 0; i < result->session_count; i++)
		truth_print(argument, "connected", &result->sessions[i]);
	dprintf(STDOUT_FILENO, "{\"path\":\"%s\",\"event\":\"holding\"}\n", (const char *)argument);
	do
		byte = getchar();
	while (byte != '\n' && byte != EOF);
	return 0;
}

/* more_ms: what the path takes beyond the usual time. */
static int path_move(const struct path *path, const struct arguments *arguments, uint64_t more_ms)
{
	struct runner_settings settings = { .timeout_ms = (unsigned)more_ms + RUNNER_TIMEOUT_MS,
		.connected = arguments->hold ? hold_connected : NULL,
		.argument = (void *)(uintptr_t)path->id };
	char reason[PATH_REASON_MAX];

	if (path_available(path, reason, sizeof reason) < 0) {
		dprintf(STDOUT_FILENO, "{\"path\":\"%s\",\"skipped\":\"%s\"}\n", path->id, reason);
		return EXIT_SKIPPED;
	}
	for (uint64_t i = 0; i < arguments->repeat; i++) {
		struct path_result result;
		struct error error;

		if (runner_run(path, &settings, &result, &error) < 0) {
			dprintf(STDERR_FILENO, "tcptop-check: %s\n", error.text);
			return EXIT_CODE_RUNTIME;
		}
		for (size_t j = 0; j < result.session_count; j++)
			truth_print(path->id, "", &result.sessions[j]);
	}
	return EXIT_CODE_OK;
}

int command_list(const struct arguments *arguments)
{
	char reason[PATH_REASON_MAX];
	const struct path *path;

	(void)arguments;
	for (size_t i = 0; (path = path_at(i)); i++) {
		bool available = path_available(path, reason, sizeof reason) == 0;

		printf("%s\t%llu\t%s\t%s\t", path->id, (unsigned long long)path->bytes, path->title,
		    available ? "available" : reason);
		for (size_t j = 0; j < PATH_EXCUSES_MAX && path->excused[j]; j++)
			printf("%s%s", j ? "," : "", path->excused[j]);
		printf("\n");
	}
	return EXIT_CODE_OK;
}

int command_move(const struct arguments *arguments)
{
	const struct path *path = arguments->id ? path_find(arguments->id) : NULL;
	int status = EXIT_CODE_OK;

	if (path)
		return path_move(path, arguments, 0);
	if (!arguments->id || strcmp(arguments->id, "all") != 0) {
		dprintf(STDERR_FILENO, "tcptop-check: no path of that name: see `tcptop-check list`\n");
		return EXIT_CODE_USAGE;
	}
	for (size_t i = 0; (path = path_at(i)); i++)
		if (path_move(path, arguments, 0) == EXIT_CODE_RUNTIME)
			status = EXIT_CODE_RUNTIME;
	return status;
}

/* A path with arguments of its own; its functions find them behind side->path. */
struct custom_path {
	struct path path;
	const struct arguments *arguments;
};

static const struct arguments *side_arguments(const struct side *side)
{
	return ((const struct custom_path *)(const void *)side->path)->arguments;
}

struct writer {
	pthread_t thread;
	int fd;
	size_t size;
	const char *buffer;
	int64_t until_ms;
	uint64_t tx_bytes;
};

static void *writer_run(void *argument)
{
	struct writer *writer = argument;
	ssize_t sent = 0;

	while (sent >= 0 && side_now_ms() < writer->until_ms) {
		sent = send(writer->fd, writer->buffer, writer->size, 0);
		writer->tx_bytes += sent > 0 ? (uint64_t)sent : 0;
	}
	return NULL;
}

static int threads_send(struct side *side)
{
	const struct arguments *arguments = side_arguments(side);
	struct writer *writers = calloc(arguments->threads, sizeof *writers);
	unsigned started = 0;
	int err = writers ? side_buffers(side) : -ENOMEM;

	for (; !err && started < arguments->threads; started += !err) {
		writers[started] = (struct writer){ .fd = side->sockets[0].fd,
			.size = arguments->size,
			.buffer = side->sent,
			.until_ms = side_now_ms() + (int64_t)arguments->seconds * 1000 };
		err = -pthread_create(&writers[started].thread, NULL, writer_run, &writers[started]);
	}
	for (unsigned i = 0; i < started; i++) {
		pthread_join(writers[i].thread, NULL);
		side->sockets[0].truth->tx_bytes += writers[i].tx_bytes;
	}
	free(writers);
	return err ? side_fail(side, err, "starting the threads") : side_shutdown(side, &side->sockets[0]);
}

int command_threads(const struct arguments *arguments)
{
	struct custom_path custom = {
		.path = { .id = "threads_load", .bytes = 1, .send = threads_send },
		.arguments = arguments,
	};

	return path_move(&custom.path, arguments, arguments->seconds * 1000);
}

/* The process with the PID of one that has just gone. Takes CAP_CHECKPOINT_RESTORE (Linux 5.9) or root. */
static int reuse_fork(struct side *side, pid_t wanted, pid_t *pid)
{
	struct clone_args clone = {
		.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&wanted, .set_tid_size = 1
	};
	pid_t parent = getpid();

	*pid = (pid_t)syscall(SYS_clone3, &clone, sizeof clone);
	if (*pid < 0)
		return side_fail_errno(side, "clone3 with a chosen PID");
	if (*pid == 0)
		side_become(side, SIDE_SENDER_OTHER, "dp-second", parent);
	return 0;
}

static int reuse_send(struct side *side)
{
	static const uint64_t bytes[] = { 10009, 20021 };
	pid_t pid = 0;
	int err = 0;

	for (int i = 0; i < 2 && !err; i++) {
		err = i == 0 ? side_fork(side, SIDE_SENDER_OTHER, "dp-first", &pid)
		             : reuse_fork(side, pid, &pid);
		if (err)
			break;
		if (pid == 0) {
			err = side_connect(side) ?: side_send(side, &side->sockets[0], bytes[i]);
			side_exit(side, err ?: side_shutdown(side, &side->sockets[0]));
		}
		err = side_join(side, pid);
		if (i == 0)
			side_sleep_us((unsigned)side_arguments(side)->gap_ms * 1000);
	}
	return err;
}

static int reuse_receive(struct side *side)
{
	int err = 0;

	for (int i = 0; i < 2 && !err; i++)
		err = side_accept(side) ?: side_receive(side, &side->sockets[i], SIDE_ALL);
	return err;
}

int command_pidreuse(const struct arguments *arguments)
{
	struct custom_path custom = {
		.path = { .id = "pidreuse",
		    .bytes = 1,
		    .write_chunk = 1009,
		    .flags = PATH_LATE,
		    .send = reuse_send,
		    .receive = reuse_receive },
		.arguments = arguments,
	};

	return path_move(&custom.path, arguments, arguments->gap_ms);
}

/* A flow's processes: all are children of this one, which tells them to move when the file is there. */
struct flow {
	const struct arguments *arguments;
	struct path path; /* its flags say which addresses */
	int ready_fds[2], go_fds[2];
};

static void flow_fail(const char *what)
{
	dprintf(STDERR_FILENO, "tcptop-check: flow: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void flow_check(const struct side *side, int err)
{
	if (!err)
		return;
	dprintf(STDERR_FILENO, "tcptop-check: flow: %s\n", side->shared->text);
	exit(EXIT_FAILURE);
}

/*
 * Connections are used one after the other, in the same order on both sides, and stay open until all are through.
 */
static void flow_process(const struct flow *flow, struct side *side)
{
	const struct arguments *arguments = flow->arguments;
	struct side_socket *sockets = calloc(arguments->connections, sizeof *sockets),
	                   *socket = &side->sockets[0];
	uint64_t tx_bytes = 0, rx_bytes = 0;
	char byte = 0;

	if (!sockets || !side->shared)
		flow_fail("memory");
	for (unsigned i = 0; i < arguments->connections; i++) {
		side->socket_count = 0;
		flow_check(side, side->role == SIDE_SENDER ? side_connect(side) : side_accept(side));
		sockets[i] = *socket;
	}
	if (write(flow->ready_fds[1], &byte, 1) != 1 || read(flow->go_fds[0], &byte, 1) < 0)
		flow_fail("pipe");
	for (unsigned i = 0; i < arguments->connections; i++) {
		*socket = sockets[i];
		flow_check(
		    side, side->role == SIDE_SENDER ? side_send_plain(side) : side_receive_plain(side));
		side_comm(socket->truth->comm_last);
		if (!arguments->summary)
			truth_print("flow", "", socket->truth);
		tx_bytes += socket->truth->tx_bytes;
		rx_bytes += socket->truth->rx_bytes;
	}
	dprintf(STDOUT_FILENO,
	    "{\"path\":\"flow\",\"event\":\"total\",\"side\":\"%s\",\"pid\":%d,\"connections\":%llu,\"tx_"
	    "bytes\":%llu,"
	    "\"rx_bytes\":%llu}\n",
	    side_role_name(side->role), (int)getpid(), (unsigned long long)arguments->connections,
	    (unsigned long long)tx_bytes, (unsigned long long)rx_bytes);
	exit(EXIT_SUCCESS);
}

/* As many descriptors as the connections take: the soft limit is often 1,024. */
static void flow_limit_raise(uint64_t connections)
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

static void flow_start(const struct flow *flow, struct side *side, uint8_t role)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		flow_fail("fork");
	if (pid == 0) {
		side_process_init(role == SIDE_SENDER ? "flow-sender" : "flow-receiver", parent);
		close(flow->go_fds[1]);
		side->role = role;
		side->shared = shared_open((unsigned)flow->arguments->connections, NULL);
		flow_process(flow, side);
	}
	dprintf(STDOUT_FILENO, "{\"path\":\"flow\",\"event\":\"started\",\"side\":\"%s\",\"pid\":%d}\n",
	    side_role_name(role), (int)pid);
}

int command_flow(const struct arguments *arguments)
{
	unsigned flags = (arguments->ipv6 ? PATH_IPV6 : 0) | (arguments->mapped ? PATH_MAPPED : 0);
	struct flow flow = { .arguments = arguments,
		.path = { .id = "flow", .bytes = arguments->bytes, .flags = flags } };
	int status, failed = 0;
	char byte;

	flow_limit_raise(arguments->connections);
	if (pipe(flow.ready_fds) < 0 || pipe(flow.go_fds) < 0)
		flow_fail("pipe");
	for (unsigned i = 0; i < arguments->processes; i++) {
		struct side side = { .path = &flow.path };

		side.listen_fd = side_listen(side.path, 65535, &side.server, &side.server_length);
		if (side.listen_fd < 0)
			flow_fail("listen");
		flow_start(&flow, &side, SIDE_RECEIVER);
		flow_start(&flow, &side, SIDE_SENDER);
		close(side.listen_fd);
	}
	close(flow.ready_fds[1]);
	for (unsigned i = 0; i < 2 * arguments->processes; i++)
		if (read(flow.ready_fds[0], &byte, 1) != 1)
			return EXIT_FAILURE; /* it has said why; the others die with this process */
	dprintf(STDOUT_FILENO, "{\"path\":\"flow\",\"event\":\"connected\"}\n");
	while (arguments->wait_file && access(arguments->wait_file, F_OK) < 0)
		side_sleep_us(10000);
	close(flow.go_fds[1]);
	while (wait(&status) > 0)
		failed |= status != 0;
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
