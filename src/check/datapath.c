/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller forks one process, the runner, which is the parent of all movers: it connects them, keeps the
 * time, reaps every one of them (orphans too: it is a subreaper) and sends the truth back. The caller has
 * one child to look after.
 */
#include "check/datapath.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check/datapath_end.h"
#include "check/datapath_runner.h"
#include "base/error.h"

static const char *const side_names[] = {
	[DATAPATH_SENDER] = "sender",
	[DATAPATH_RECEIVER] = "receiver",
	[DATAPATH_SENDER_OTHER] = "sender_other",
	[DATAPATH_RECEIVER_OTHER] = "receiver_other",
};

const char *datapath_side_name(unsigned side)
{
	return side < sizeof side_names / sizeof *side_names ? side_names[side] : "unknown";
}

const struct datapath *datapath_find(const char *id)
{
	const struct datapath *path;

	for (size_t i = 0; (path = datapath_at(i)); i++)
		if (strcmp(path->id, id) == 0)
			break;
	return path;
}

int datapath_probe(const struct datapath *path, char *reason, size_t size)
{
	if (size)
		reason[0] = '\0';
	if (path->flags & DATAPATH_IPV6 && runner_probe_ipv6() < 0) {
		snprintf(reason, size, "no address ::1 on this host");
		return -EADDRNOTAVAIL;
	}
	return path->probe ? path->probe(reason, size) : 0;
}

/* The runner keeps its own time; grace is for what it does after that: killing and reaping. */
static int message_receive(int fd, struct runner_message *message, unsigned timeout_ms)
{
	const unsigned grace_ms = 2000;
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	int64_t deadline_ms = end_now_ms() + timeout_ms + grace_ms;

	for (;;) {
		int64_t left_ms = deadline_ms - end_now_ms();
		int ready = left_ms > 0 ? poll(&poll_fd, 1, (int)left_ms) : 0;

		if (ready == 0)
			return -ETIMEDOUT;
		if (ready < 0 && errno != EINTR)
			return -errno;
		if (ready < 0)
			continue;
		ssize_t received = recv(fd, message, sizeof *message, 0);

		if (received == (ssize_t)sizeof *message)
			return 0;
		if (received >= 0 || errno != EINTR)
			return -EPIPE;
	}
}

/* One message of the expected kind, or the error that came in its place. */
static int message_expect(int fd, enum runner_message_kind kind, const struct datapath *path,
    unsigned timeout_ms, struct runner_message *message, struct error *error)
{
	int err = message_receive(fd, message, timeout_ms);

	if (err < 0)
		return error_set(error, EXIT_CODE_RUNTIME, err, "%s: the process that moves the data %s",
		    path->id, err == -ETIMEDOUT ? "did not answer in time" : "was killed");
	if (message->kind == RUNNER_REFUSED)
		return error_set(error, EXIT_CODE_UNSUPPORTED, DATAPATH_REFUSED, "%s", message->text);
	if (message->kind == RUNNER_FAILED)
		return error_set(error, EXIT_CODE_RUNTIME, message->err, "%s: %s", path->id, message->text);
	return message->kind == (int)kind
	           ? 0
	           : error_set(error, EXIT_CODE_RUNTIME, -EPROTO,
	                 "%s: the process that moves the data said something unexpected", path->id);
}

static int run_control(int fd, const struct datapath *path, const struct datapath_limits *limits,
    unsigned timeout_ms, struct datapath_result *result, struct error *error)
{
	struct runner_message message;
	int err = message_expect(fd, RUNNER_CONNECTED, path, timeout_ms, &message, error);

	if (err < 0)
		return err;
	if (limits && limits->connected) {
		err = limits->connected(limits->argument, &message.result);
		if (err)
			return err;
	}
	if (send(fd, "", 1, MSG_NOSIGNAL) != 1)
		return error_set(error, EXIT_CODE_RUNTIME, -EPIPE,
		    "%s: the process that moves the data was killed", path->id);
	err = message_expect(fd, RUNNER_DONE, path, timeout_ms, &message, error);
	if (err < 0)
		return err;
	*result = message.result;
	return 0;
}

int datapath_run(const struct datapath *path, const struct datapath_limits *limits,
    struct datapath_result *result, struct error *error)
{
	unsigned timeout_ms = limits && limits->timeout_ms ? limits->timeout_ms : DATAPATH_TIMEOUT_MS;
	pid_t parent = getpid(), runner;
	int control[2], err;

	memset(result, 0, sizeof *result);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0)
		return error_set(error, EXIT_CODE_RUNTIME, -errno, "socketpair: %s", strerror(errno));
	runner = fork();
	if (runner < 0) {
		err = error_set(error, EXIT_CODE_RUNTIME, -errno, "fork: %s", strerror(errno));
		goto out;
	}
	if (runner == 0) {
		close(control[0]);
		runner_main(path, timeout_ms, parent, control[1]);
	}
	close(control[1]);
	control[1] = -1;
	err = run_control(control[0], path, limits, timeout_ms, result, error);
	if (err) {
		/*
		 * Its end of the socket closes: a runner that still works kills and reaps its movers by
		 * itself.
		 */
		shutdown(control[0], SHUT_RDWR);
		runner_await_exit(runner, 1000);
		kill(runner, SIGKILL);
	}
	while (waitpid(runner, NULL, 0) < 0 && errno == EINTR)
		;
out:
	close(control[0]);
	if (control[1] >= 0)
		close(control[1]);
	return err;
}
