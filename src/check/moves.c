/* SPDX-License-Identifier: Apache-2.0 */
#include "check/moves.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/address.h"
#include "base/error.h"
#include "check/runner.h"
#include "check/side.h"

/* One write a line, so that several processes may print. The names need no escape: they are the sides' own. */
static void truth_print(const char *id, const char *event, const struct truth *truth)
{
	char laddr[ADDRESS_SIZE], raddr[ADDRESS_SIZE], ifindex[24] = "";

	if (truth->ifindex)
		snprintf(ifindex, sizeof ifindex, "\"ifindex\":%u,", truth->ifindex);
	address_format(laddr, truth->family, truth->laddr);
	address_format(raddr, truth->family, truth->raddr);
	dprintf(STDOUT_FILENO,
	    "{\"path\":\"%s\",%s%s%s\"side\":\"%s\",\"pid\":%d,\"family\":%u,\"laddr\":\"%s\",\"lport\":%u,"
	    "\"raddr\":\"%s\",\"rport\":%u,\"netns\":%u,%s\"tx_bytes\":%llu,\"rx_bytes\":%llu,"
	    "\"comm\":\"%.16s\",\"comm_last\":\"%.16s\"}\n",
	    id, *event ? "\"event\":\"" : "", event, *event ? "\"," : "", side_role_name(truth->role),
	    (int)truth->pid, truth->family, laddr, truth->lport, raddr, truth->rport, truth->netns, ifindex,
	    (unsigned long long)truth->tx_bytes, (unsigned long long)truth->rx_bytes, truth->comm,
	    truth->comm_last);
}

static int hold_connected(void *argument, const struct shared *shared)
{
	struct path_result result;
	int byte;

	runner_collect(shared, false, &result);
	for (size_t i = 0; i < result.session_count; i++)
		truth_print(argument, "connected", &result.sessions[i]);
	dprintf(STDOUT_FILENO, "{\"path\":\"%s\",\"event\":\"holding\"}\n", (const char *)argument);
	do
		byte = getchar();
	while (byte != '\n' && byte != EOF);
	return 0;
}

/* The exit status. result: as runner_run's */
static int path_run(
    const struct path *path, const struct runner_settings *settings, struct path_result *result)
{
	struct error error;
	int err = runner_run(path, settings, result, &error);

	if (err == RUNNER_REFUSED)
		dprintf(STDOUT_FILENO, "{\"path\":\"%s\",\"skipped\":\"%s\"}\n", path->id, error.text);
	else if (err)
		dprintf(STDERR_FILENO, "tcptop-check: %s\n", error.text);
	return err == RUNNER_REFUSED ? EXIT_SKIPPED : err ? EXIT_CODE_RUNTIME : EXIT_CODE_OK;
}

/* more_ms: what the path takes beyond the usual time. */
static int path_move(const struct path *path, const struct arguments *arguments, uint64_t more_ms)
{
	const struct runner_settings settings = { .timeout_ms = (unsigned)more_ms + RUNNER_TIMEOUT_MS,
		.connected = arguments->hold ? hold_connected : NULL,
		.argument = (void *)(uintptr_t)path->id };
	struct path_result result = { 0 };
	int status = path_run(path, &settings, &result);

	for (size_t i = 0; i < result.session_count && status == EXIT_CODE_OK; i++)
		truth_print(path->id, "", &result.sessions[i]);
	return status;
}

int command_list(const struct arguments *arguments)
{
	const struct runner_settings trial = { .trial = true };
	const struct path *path;

	(void)arguments;
	for (size_t i = 0; (path = path_at(i)); i++) {
		struct error error;
		int err = runner_run(path, &trial, NULL, &error);

		printf("%s\t%llu\t%s\t%s\t", path->id, (unsigned long long)path->bytes, path->title,
		    err ? error.text : "available");
		for (size_t j = 0; j < PATH_EXCUSES_MAX && path->excused[j]; j++)
			printf("%s%s", j ? "," : "", path->excused[j]);
		printf("\n");
	}
	return EXIT_CODE_OK;
}

int command_move(const struct arguments *arguments)
{
	const struct path *path = arguments->id ? path_find(arguments->id) : NULL;

	if (path)
		return path_move(path, arguments, 0);
	dprintf(STDERR_FILENO, "tcptop-check: no path of that name: see `tcptop-check list`\n");
	return EXIT_CODE_USAGE;
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
	return side_threads(side, &side->sockets[0], NULL, side->path->threads, SIDE_ALL, side_send)
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
	return side_threads(side, &side->sockets[0], NULL, 2 * side->path->threads, SIDE_ALL, both_move);
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

/* The second process has the PID of the first, which has just gone. */
static int reuse_send(struct side *side)
{
	static const uint64_t bytes[] = { 10009, 20021 };
	pid_t pid = 0;
	int err = 0;

	for (int i = 0; i < 2 && !err; i++) {
		err = side_fork(side, SIDE_SENDER_OTHER, i ? "dp-second" : "dp-first", &pid);
		if (!err && pid == 0) {
			err = side_connect(side) ?: side_send(side, &side->sockets[0], bytes[i]);
			side_exit(side, err ?: side_shutdown(side, &side->sockets[0]));
		}
		err = err ?: side_join(side, pid);
		if (!err && i == 0)
			usleep((unsigned)side->path->argument * 1000);
	}
	return err;
}

int command_pidreuse(const struct arguments *arguments)
{
	const struct path path = { "pidreuse", .bytes = 1, .flags = PATH_LATE, .connections = 2,
		.send = reuse_send, .write.chunk = 1009, .argument = arguments->gap_ms };

	return path_move(&path, arguments, arguments->gap_ms);
}

/*
 * One process of a flow. Connections are used one after the other, in the same order on both sides, and stay open until
 * all are through.
 */
static int flow_move(struct side *side)
{
	uint64_t tx_bytes = 0, rx_bytes = 0;
	int err = 0;

	for (size_t i = 0; i < side->socket_count && !err; i++) {
		struct side_socket *socket = &side->sockets[i];

		if (side->role == SIDE_SENDER)
			err = side_send(side, socket, side->path->bytes) ?: side_shutdown(side, socket);
		else
			err = side_receive(side, socket, SIDE_ALL);
		side_comm(socket->truth->comm_last);
		if (side->path->argument)
			truth_print("flow", "", socket->truth);
		tx_bytes += socket->truth->tx_bytes;
		rx_bytes += socket->truth->rx_bytes;
	}
	if (!err)
		dprintf(STDOUT_FILENO,
		    "{\"path\":\"flow\",\"event\":\"total\",\"side\":\"%s\",\"pid\":%d,\"connections\":%zu,"
		    "\"tx_bytes\":%llu,\"rx_bytes\":%llu}\n",
		    side_role_name(side->role), (int)getpid(), side->socket_count,
		    (unsigned long long)tx_bytes, (unsigned long long)rx_bytes);
	return err;
}

/* Waits for the file, if one is named. */
static int flow_connected(void *argument, const struct shared *shared)
{
	const char *gate = argument;

	for (unsigned i = 0; i < atomic_load(&shared->session_count); i++)
		if (shared->sessions[i].first)
			dprintf(STDOUT_FILENO,
			    "{\"path\":\"flow\",\"event\":\"started\",\"side\":\"%s\",\"pid\":%d}\n",
			    side_role_name(shared->sessions[i].role), (int)shared->sessions[i].pid);
	dprintf(STDOUT_FILENO, "{\"path\":\"flow\",\"event\":\"connected\"}\n");
	while (gate && access(gate, F_OK) < 0 && !atomic_load(&shared->failed))
		usleep(10000);
	return 0;
}

int command_flow(const struct arguments *arguments)
{
	const struct path path = { "flow", .bytes = arguments->bytes,
		.flags = (arguments->ipv6 ? PATH_IPV6 : 0) | (arguments->mapped ? PATH_MAPPED : 0),
		.pairs = (uint32_t)arguments->processes, .connections = (uint32_t)arguments->connections,
		.comm = { "flow-sender", "flow-receiver" }, .send = flow_move, .receive = flow_move,
		.argument = !arguments->summary };
	const struct runner_settings settings = { .timeout_ms = UINT32_MAX,
		.connected = flow_connected,
		.argument = (void *)(uintptr_t)arguments->wait_file };
	const struct rlimit limit = { arguments->connections + 64, arguments->connections + 64 };

	setrlimit(
	    RLIMIT_NOFILE, &limit); /* if it may not be so high, the socket that is one too many fails */
	return path_run(&path, &settings, NULL);
}
