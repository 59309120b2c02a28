/* SPDX-License-Identifier: Apache-2.0 */
#include "check/datapath_runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check/datapath_end.h"

struct runner {
	const struct datapath *path;
	unsigned timeout_ms;
	int control_fd;    /* to the caller of datapath_run */
	int report_fds[2]; /* pipe: its end comes when the last mover has gone */
	int go_fds[2];     /* pipe: closing the write end lets the movers move */
	int peer_fds[2];
	int listen_fd;
	struct sockaddr_storage server;
	socklen_t server_length;
	pid_t movers[2]; /* by enum datapath_side */
	unsigned ready_count;
	bool refused;                  /* by the host: nothing was tried */
	struct runner_message message; /* collects result, or err and text */
};

void runner_await_exit(pid_t pid, unsigned timeout_ms)
{
	int64_t deadline_ms = end_now_ms() + timeout_ms;
	siginfo_t info = { 0 };

	while (end_now_ms() < deadline_ms) {
		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid)
			return;
		end_sleep_us(1000);
	}
}

static int runner_fail(struct runner *runner, int err, const char *side, const char *what)
{
	if (!runner->message.err) {
		runner->message.err = err;
		snprintf(runner->message.text, sizeof runner->message.text, "%s%s%s", side, *side ? ": " : "",
		    what);
	}
	return err;
}

int runner_probe_ipv6(void)
{
	static const struct datapath ipv6 = { .flags = DATAPATH_IPV6 };
	struct sockaddr_storage address;
	socklen_t length;
	int fd = end_listen(&ipv6, 1, &address, &length);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static int runner_listen(struct runner *runner)
{
	runner->listen_fd = end_listen(runner->path, 16, &runner->server, &runner->server_length);
	return runner->listen_fd < 0
	           ? runner_fail(runner, runner->listen_fd, "listen", strerror(-runner->listen_fd))
	           : 0;
}

static bool mover_blocks_before_go(const struct datapath *path, uint8_t side)
{
	return path->flags & (side == DATAPATH_SENDER ? DATAPATH_BLOCKED_SENDER : DATAPATH_BLOCKED_RECEIVER);
}

static int mover_connect(struct datapath_end *end)
{
	int count = end->path->connections ? end->path->connections : 1, err = 0;

	if (end->path->flags & DATAPATH_LATE)
		return 0;
	for (int i = 0; i < count && !err; i++)
		err = end->side == DATAPATH_SENDER ? end_connect(end) : end_accept(end);
	return err;
}

static _Noreturn void mover_main(struct runner *runner, uint8_t side, pid_t parent)
{
	struct datapath_end end = {
		.path = runner->path,
		.side = side,
		.server = runner->server,
		.server_length = runner->server_length,
		.listen_fd = side == DATAPATH_RECEIVER ? runner->listen_fd : -1,
		.peer_fd = runner->peer_fds[side],
		.report_fd = runner->report_fds[1],
	};
	char byte;
	int err;

	end_process_init(side == DATAPATH_SENDER ? "dp-sender" : "dp-receiver", parent);
	close(runner->control_fd);
	close(runner->report_fds[0]);
	close(runner->go_fds[1]);
	close(runner->peer_fds[!side]);
	if (side == DATAPATH_SENDER)
		close(runner->listen_fd);
	err = mover_connect(&end);
	if (err)
		end_exit(&end, err);
	end_report_ready(&end);
	if (!mover_blocks_before_go(end.path, side) && read(runner->go_fds[0], &byte, 1) < 0)
		end_exit(&end, end_fail_errno(&end, "waiting for the start"));
	close(runner->go_fds[0]);
	end_exit(&end, side == DATAPATH_SENDER ? end.path->send(&end) : end.path->receive(&end));
}

static int runner_start(struct runner *runner)
{
	static const uint8_t order[] = { DATAPATH_RECEIVER, DATAPATH_SENDER };
	pid_t parent = getpid();

	for (int i = 0; i < 2; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return runner_fail(runner, -errno, "fork", strerror(errno));
		if (pid == 0)
			mover_main(runner, order[i], parent);
		runner->movers[order[i]] = pid;
	}
	/* Kept open here, they would keep a connection, or the reports' end, from being noticed. */
	close(runner->listen_fd);
	close(runner->report_fds[1]);
	close(runner->go_fds[0]);
	close(runner->peer_fds[0]);
	close(runner->peer_fds[1]);
	return 0;
}

static int report_take(struct runner *runner, const struct datapath_report *report)
{
	struct datapath_result *result = &runner->message.result;

	if (report->kind == REPORT_FAILED)
		return runner_fail(runner, report->err, datapath_side_name(report->side), report->text);
	if (report->kind == REPORT_READY)
		runner->ready_count++;
	else if (result->session_count < DATAPATH_SESSIONS_MAX)
		result->sessions[result->session_count++] = report->session;
	else
		return runner_fail(runner, -ENOBUFS, "", "more sessions than a result holds");
	return 0;
}

/* Until both movers are ready, or (ready_wanted 0) until the last of them has gone. */
static int runner_collect(struct runner *runner, unsigned ready_wanted)
{
	struct pollfd fds[] = { { .fd = runner->report_fds[0], .events = POLLIN },
		{ .fd = runner->control_fd } };
	int64_t deadline_ms = end_now_ms() + runner->timeout_ms;

	while (!ready_wanted || runner->ready_count < ready_wanted) {
		int64_t left_ms = deadline_ms - end_now_ms();
		struct datapath_report report;

		if (left_ms <= 0 || poll(fds, 2, (int)left_ms) == 0)
			return runner_fail(runner, -ETIMEDOUT, "",
			    ready_wanted ? "no connection in time" : "not all bytes moved in time");
		if (fds[1].revents)
			return runner_fail(runner, -ECANCELED, "", "the caller has gone");
		ssize_t got = read(runner->report_fds[0], &report, sizeof report);

		if (got == 0)
			return ready_wanted ? runner_fail(runner, -ECHILD, "", "the movers ended early") : 0;
		int err = got == (ssize_t)sizeof report
		              ? report_take(runner, &report)
		              : runner_fail(runner, -EPROTO, "", "a report was cut");
		if (err)
			return err;
	}
	return 0;
}

static bool process_sleeps(pid_t pid)
{
	char path[64], stat[512], *state;
	int fd;
	ssize_t got;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, stat, sizeof stat - 1);
	close(fd);
	stat[got > 0 ? got : 0] = '\0';
	state = strrchr(stat, ')');
	return state && strncmp(state, ") S", 3) == 0;
}

/*
 * A mover that was told to block has nothing to sleep in but its first call: asleep several times running
 * is in it.
 */
static int runner_await_sleep(struct runner *runner, uint8_t side)
{
	int64_t deadline_ms = end_now_ms() + runner->timeout_ms;
	int seen = 0;

	if (!mover_blocks_before_go(runner->path, side))
		return 0;
	while (seen < 4) {
		if (end_now_ms() > deadline_ms)
			return runner_fail(
			    runner, -ETIMEDOUT, datapath_side_name(side), "did not block in its call");
		end_sleep_us(5000);
		seen = process_sleeps(runner->movers[side]) ? seen + 1 : 0;
	}
	return 0;
}

static int session_compare(const void *left, const void *right)
{
	const struct datapath_session *a = left, *b = right;

	if (a->side != b->side)
		return (a->side > b->side) - (a->side < b->side);
	if (a->pid != b->pid)
		return (a->pid > b->pid) - (a->pid < b->pid);
	if (a->lport != b->lport)
		return (a->lport > b->lport) - (a->lport < b->lport);
	return (a->rport > b->rport) - (a->rport < b->rport);
}

static int runner_send(struct runner *runner, enum runner_message_kind kind)
{
	struct datapath_result *result = &runner->message.result;

	qsort(result->sessions, result->session_count, sizeof *result->sessions, session_compare);
	runner->message.kind = kind;
	return send(runner->control_fd, &runner->message, sizeof runner->message, MSG_NOSIGNAL) < 0 ? -errno
	                                                                                            : 0;
}

/*
 * End to end: what the receivers' calls returned against what the senders' did, in whole multiples of the
 * prime.
 */
static int runner_verify(struct runner *runner)
{
	const struct datapath_result *result = &runner->message.result;
	uint64_t tx_bytes = 0, rx_bytes = 0;
	char text[120];

	for (size_t i = 0; i < result->session_count; i++) {
		tx_bytes += result->sessions[i].tx_bytes;
		rx_bytes += result->sessions[i].rx_bytes;
	}
	snprintf(text, sizeof text, "%llu bytes sent, %llu received: not what this path moves",
	    (unsigned long long)tx_bytes, (unsigned long long)rx_bytes);
	if (!tx_bytes || tx_bytes % runner->path->bytes)
		return runner_fail(runner, -EBADMSG, "", text);
	if (runner->path->flags & DATAPATH_UNDELIVERED ? rx_bytes >= tx_bytes : rx_bytes != tx_bytes)
		return runner_fail(runner, -EBADMSG, "", text);
	return 0;
}

/* As a subreaper it gets orphans too; they were killed with their parents (PR_SET_PDEATHSIG). */
static void runner_reap(struct runner *runner)
{
	bool failed = runner->message.err != 0;
	int status;
	pid_t pid;

	for (int side = 0; failed && side < 2; side++)
		if (runner->movers[side] > 0)
			kill(runner->movers[side], SIGKILL);
	while ((pid = waitpid(-1, &status, 0)) > 0 || errno == EINTR)
		if (pid > 0 && !failed && status != 0)
			runner_fail(runner, -ECHILD,
			    pid == runner->movers[DATAPATH_SENDER] ? "sender" : "receiver", "killed");
}

/* Asked here once more: whoever asked before may have been root, or have had other limits. */
static int runner_prepare(struct runner *runner)
{
	const struct datapath *path = runner->path;
	char reason[DATAPATH_REASON_MAX] = "";
	int err = path->prepare ? path->prepare(reason, sizeof reason)
	                        : datapath_probe(path, reason, sizeof reason);

	runner->refused = err != 0;
	return err ? runner_fail(runner, err, "", *reason ? reason : strerror(-err)) : 0;
}

static int runner_move(struct runner *runner)
{
	char go;
	int err = runner_prepare(runner);

	if (err)
		return err;
	if (pipe2(runner->report_fds, O_CLOEXEC) < 0 || pipe2(runner->go_fds, O_CLOEXEC) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, runner->peer_fds) < 0)
		return runner_fail(runner, -errno, "pipe", strerror(errno));
	err = runner_listen(runner);
	if (!err)
		err = runner_start(runner);
	if (!err)
		err = runner_collect(runner, 2);
	for (uint8_t side = 0; side < 2 && !err; side++)
		err = runner_await_sleep(runner, side);
	if (err)
		return err;
	err = runner_send(runner, RUNNER_CONNECTED);
	if (err || recv(runner->control_fd, &go, 1, 0) != 1)
		return runner_fail(runner, -ECANCELED, "", "the caller has gone");
	runner->message.result.session_count = 0;
	close(runner->go_fds[1]);
	return runner_collect(runner, 0);
}

void runner_main(const struct datapath *path, unsigned timeout_ms, pid_t parent, int control_fd)
{
	struct runner runner = { .path = path, .timeout_ms = timeout_ms, .control_fd = control_fd };

	end_process_init("dp-runner", parent);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	runner_move(&runner);
	runner_reap(&runner);
	if (!runner.message.err)
		runner_verify(&runner);
	runner_send(&runner, runner.refused       ? RUNNER_REFUSED
	                     : runner.message.err ? RUNNER_FAILED
	                                          : RUNNER_DONE);
	_exit(EXIT_SUCCESS);
}
