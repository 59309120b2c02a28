/* SPDX-License-Identifier: Apache-2.0 */
#include "check/moves.h"

#include <errno.h>
#include <linux/sched.h>
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

/* Until so many seconds have passed. */
static ssize_t call_send_timed(struct side *side, int fd, void *buffer, size_t size)
{
	if (side_now_ms() >= atomic_load(&side->shared->go_ms) + (int64_t)side->path->argument * 1000)
		return 0;
	return send(fd, buffer, size, 0);
}

static int load_send(struct side *side)
{
	return side_threads(side, side->path->threads, SIDE_ALL, side_send)
	           ?: side_shutdown(side, &side->sockets[0]);
}

OPERATION(call_receive_whole, recv(fd, buffer, size, MSG_WAITALL))

/*
 * A thread of one side while both send: half of its threads send, the others receive. The last that has sent ends the
 * stream.
 */
static int both_move(struct side *side, struct side_socket *socket, uint64_t bytes)
{
	int err;

	if (__atomic_fetch_add(&side->turn, 1, __ATOMIC_RELAXED) % 2)
		return side_receive(side, socket, bytes);
	err = side_send(side, socket, bytes);
	if (!err && __atomic_add_fetch(&side->met[0], 1, __ATOMIC_RELAXED) == side->path->threads)
		err = side_shutdown(side, socket);
	return err;
}

static int both_load(struct side *side)
{
	return side_threads(side, 2 * side->path->threads, SIDE_ALL, both_move);
}

int command_threads(const struct arguments *arguments)
{
	const bool both = arguments->both;
	const struct path path = { "threads_load", .bytes = 1, .send = both ? both_load : load_send,
		.receive = both ? both_load : NULL, .threads = arguments->threads,
		.write = { .call = call_send_timed, .chunk = (uint32_t)arguments->size },
		.read = { .call = both ? call_receive_whole : NULL,
		    .chunk = both ? (uint32_t)arguments->size : 0 },
		.argument = arguments->seconds };

	return path_move(&path, arguments, arguments->seconds * 1000);
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
		if (!err && pid == 0) {
			err = side_connect(side) ?: side_send(side, &side->sockets[0], bytes[i]);
			side_exit(side, err ?: side_shutdown(side, &side->sockets[0]));
		}
		err = err ?: side_join(side, pid);
		if (!err && i == 0)
			side_sleep_us((unsigned)side->path->argument * 1000);
	}
	return err;
}

static int reuse_receive(struct side *side)
{
	return side_accept_each(side, 2);
}

int command_pidreuse(const struct arguments *arguments)
{
	const struct path path = { "pidreuse", .bytes = 1, .flags = PATH_LATE, .send = reuse_send,
		.receive = reuse_receive, .write.chunk = 1009, .argument = arguments->gap_ms };

	return path_move(&path, arguments, arguments->gap_ms);
}

/*
 * One process of a flow. Connections are used one after the other, in the same order on both sides, and stay open until
 * all are through.
 */
static int flow_move(struct side *side, const struct arguments *arguments)
{
	struct side_socket *sockets = calloc(arguments->connections, sizeof *sockets);
	bool sends = side->role == SIDE_SENDER;
	uint64_t tx_bytes = 0, rx_bytes = 0;
	int err = sockets ? 0 : side_fail(side, -ENOMEM, "sockets");

	for (uint64_t i = 0; i < arguments->connections && !err; i++) {
		side->socket_count = 0;
		err = sends ? side_connect(side) : side_accept(side);
		if (!err)
			sockets[i] = side->sockets[0];
	}
	if (!err)
		side_wait_go(side);
	for (uint64_t i = 0; i < arguments->connections && !err; i++) {
		struct truth *truth = sockets[i].truth;

		side->sockets[0] = sockets[i];
		err = sends ? side_send_plain(side) : side_receive_plain(side);
		side_comm(truth->comm_last);
		if (!arguments->summary)
			truth_print("flow", "", truth);
		tx_bytes += truth->tx_bytes;
		rx_bytes += truth->rx_bytes;
	}
	if (!err)
		dprintf(STDOUT_FILENO,
		    "{\"path\":\"flow\",\"event\":\"total\",\"side\":\"%s\",\"pid\":%d,\"connections\":%llu,"
		    "\"tx_bytes\":%llu,\"rx_bytes\":%llu}\n",
		    side_role_name(side->role), (int)getpid(), (unsigned long long)arguments->connections,
		    (unsigned long long)tx_bytes, (unsigned long long)rx_bytes);
	return err;
}

/* As many descriptors as the connections take: the soft limit is often 1,024. */
static int limit_raise(struct side *side, uint64_t connections)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return side_fail_errno(side, "getrlimit");
	if (limit.rlim_cur < connections + 64)
		limit.rlim_cur = connections + 64;
	if (limit.rlim_max < limit.rlim_cur)
		limit.rlim_max = limit.rlim_cur;
	return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? side_fail_errno(side, "raising the limit of open files")
	                                            : 0;
}

/* Starts one more pair of processes. */
static int flow_start(struct side *side, const struct arguments *arguments)
{
	pid_t parent = getpid(), pid;

	side->listen_fd = side_listen(side->path, 65535, &side->server, &side->server_length);
	if (side->listen_fd < 0)
		return side_fail(side, side->listen_fd, "listen");
	for (int role = SIDE_RECEIVER; role >= SIDE_SENDER; role--) {
		side->role = (uint8_t)role;
		pid = fork();
		if (pid < 0)
			return side_fail_errno(side, "fork");
		if (pid == 0) {
			side_process_init(role == SIDE_SENDER ? "flow-sender" : "flow-receiver", parent);
			_exit(flow_move(side, arguments) ? EXIT_FAILURE : EXIT_SUCCESS);
		}
		dprintf(STDOUT_FILENO,
		    "{\"path\":\"flow\",\"event\":\"started\",\"side\":\"%s\",\"pid\":%d}\n",
		    side_role_name(side->role), (int)pid);
	}
	close(side->listen_fd);
	return 0;
}

/* Reaps what has ended, or (flags 0) waits for the next end; errno is ECHILD when all have ended. */
static bool flow_failed(struct shared *shared, int flags)
{
	int status = 0;

	errno = 0;
	if (waitpid(-1, &status, flags) > 0 && status)
		shared_fail(shared, -ECHILD, "a process that moves the data was killed");
	return atomic_load(&shared->failed);
}

/* All processes are children of this one, which lets them move when all are connected and the file is there. */
int command_flow(const struct arguments *arguments)
{
	unsigned flags = (arguments->ipv6 ? PATH_IPV6 : 0) | (arguments->mapped ? PATH_MAPPED : 0);
	const struct path path = { "flow", .bytes = arguments->bytes, .flags = flags };
	const unsigned count = 2 * (unsigned)arguments->processes;
	const char *gate = arguments->wait_file;
	struct side side = { .path = &path };
	struct shared *shared;
	int err;

	shared = side.shared = shared_open(count * (unsigned)arguments->connections, &side.shared_fd);
	if (!shared) {
		dprintf(STDERR_FILENO, "tcptop-check: flow: memory: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	err = limit_raise(&side, arguments->connections);
	for (uint64_t i = 0; i < arguments->processes && !err; i++)
		err = flow_start(&side, arguments);
	while (!flow_failed(shared, WNOHANG) && atomic_load(&shared->ready_count) < count)
		side_sleep_us(1000);
	if (!atomic_load(&shared->failed))
		dprintf(STDOUT_FILENO, "{\"path\":\"flow\",\"event\":\"connected\"}\n");
	while (!flow_failed(shared, WNOHANG) && gate && access(gate, F_OK) < 0)
		side_sleep_us(10000);
	atomic_store(&shared->go_ms, side_now_ms());
	while (!flow_failed(shared, 0) && errno != ECHILD)
		;
	if (atomic_load(&shared->failed))
		dprintf(STDERR_FILENO, "tcptop-check: flow: %s\n", shared->text);
	return atomic_load(&shared->failed) ? EXIT_FAILURE : EXIT_SUCCESS;
}
