/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who makes the call: sockets shared by fork, passed on, used by threads, across exec and renames, by brief
 * processes.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "check/datapath_end.h"
#include "check/datapath_exec.h"
#include "check/datapath_groups.h"

enum { CHILD_BYTES = 1000003 };

/* Parent and child send on the socket at the same time, each its own share of the prime. */
static int fork_send(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	pid_t pid;
	int err = end_fork(end, DATAPATH_SENDER_OTHER, "dp-child", &pid);

	if (err)
		return err;
	if (pid == 0)
		end_exit(end, end_send_all(end, socket, CHILD_BYTES, 10007));
	err = end_send_all(end, socket, end->path->bytes - CHILD_BYTES, 10007);
	if (!err)
		err = end_join(end, pid);
	return err ? err : end_shutdown(end, socket);
}

/* Each takes its share and no more: neither can be left without. */
static int fork_receive(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	pid_t pid;
	int err = end_fork(end, DATAPATH_RECEIVER_OTHER, "dp-child", &pid);

	if (err)
		return err;
	if (pid == 0)
		end_exit(end, end_receive_exactly(end, socket, CHILD_BYTES, 10007));
	err = end_receive_exactly(end, socket, end->path->bytes - CHILD_BYTES, 10007);
	if (!err)
		err = end_join(end, pid);
	return err ? err : end_receive_all(end, socket, 10007, 0);
}

static int socket_pass(struct datapath_end *end, int over_fd, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_level = SOL_SOCKET,
		          .cmsg_type = SCM_RIGHTS,
		          .cmsg_len = CMSG_LEN(sizeof(int)) } };
	struct iovec vector = { .iov_base = "", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
	};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
	return sendmsg(over_fd, &message, 0) == 1 ? 0 : end_fail_errno(end, "passing a socket");
}

static int socket_take(struct datapath_end *end, int over_fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec vector = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
	};
	int fd;

	if (recvmsg(over_fd, &message, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&message))
		return end_fail_errno(end, "taking a socket");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
	return end_adopt(end, fd);
}

/* The process that takes the socket over was there before, without it. */
static int passed_send(struct datapath_end *end)
{
	int pair[2], err;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return end_fail_errno(end, "socketpair");
	err = end_fork(end, DATAPATH_SENDER_OTHER, "dp-heir", &pid);
	if (err)
		return err;
	if (pid == 0) {
		end_close(&end->sockets[0]);
		err = socket_take(end, pair[0]);
		if (!err)
			err = end_send_all(end, &end->sockets[1], CHILD_BYTES, 10007);
		end_exit(end, err ? err : end_shutdown(end, &end->sockets[1]));
	}
	err = end_send_all(end, &end->sockets[0], end->path->bytes - CHILD_BYTES, 10007);
	if (!err)
		err = socket_pass(end, pair[1], end->sockets[0].fd);
	end_close(&end->sockets[0]);
	return err ? err : end_join(end, pid);
}

enum { THREADS = 4, THREAD_MESSAGE = 64 };

struct worker {
	pthread_t thread;
	int fd;
	uint64_t bytes; /* a sender's share */
	const char *buffer;
	uint64_t moved_bytes;
	int err;
};

static void *worker_send(void *argument)
{
	struct worker *worker = argument;

	while (worker->moved_bytes < worker->bytes && !worker->err) {
		uint64_t left = worker->bytes - worker->moved_bytes;
		ssize_t sent =
		    send(worker->fd, worker->buffer, left < THREAD_MESSAGE ? left : THREAD_MESSAGE, 0);

		if (sent < 0)
			worker->err = -errno;
		else
			worker->moved_bytes += (uint64_t)sent;
	}
	return NULL;
}

static void *worker_receive(void *argument)
{
	struct worker *worker = argument;
	char buffer[1009];
	ssize_t received;

	while ((received = recv(worker->fd, buffer, sizeof buffer, 0)) > 0)
		worker->moved_bytes += (uint64_t)received;
	worker->err = received < 0 ? -errno : 0;
	return NULL;
}

static int workers_run(struct datapath_end *end, void *(*work)(void *), uint64_t *moved_bytes)
{
	struct worker workers[THREADS];
	uint64_t left = end->path->bytes;
	int started = 0, err = 0;
	const char *buffer = end_buffer(end);

	for (; buffer && started < THREADS && !err; started += !err) {
		uint64_t share = started < THREADS - 1 ? end->path->bytes / THREADS : left;

		workers[started] =
		    (struct worker){ .fd = end->sockets[0].fd, .bytes = share, .buffer = buffer };
		left -= share;
		err = -pthread_create(&workers[started].thread, NULL, work, &workers[started]);
		if (err)
			end_fail(end, err, "pthread_create");
	}
	for (int i = 0; i < started; i++) {
		pthread_join(workers[i].thread, NULL);
		*moved_bytes += workers[i].moved_bytes;
		if (workers[i].err && !err)
			err = end_fail(end, workers[i].err, "a thread's call");
	}
	return buffer ? err : -ENOMEM;
}

static int threads_send(struct datapath_end *end)
{
	int err = workers_run(end, worker_send, &end->sockets[0].truth.tx_bytes);

	return err ? err : end_shutdown(end, &end->sockets[0]);
}

static int threads_receive(struct datapath_end *end)
{
	return workers_run(end, worker_receive, &end->sockets[0].truth.rx_bytes);
}

static void *renamed_send(void *argument)
{
	prctl(PR_SET_NAME, "dp-thread"); /* the thread's own name: not the process's */
	return worker_send(argument);
}

/*
 * A third under the first name, a third by a thread of another name, the rest after the process was
 * renamed.
 */
static int rename_send(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	uint64_t third = end->path->bytes / 3;
	struct worker worker = { .fd = socket->fd, .bytes = third, .buffer = end_buffer(end) };
	int err = end_send_all(end, socket, third, 10007);

	if (err)
		return err;
	err = -pthread_create(&worker.thread, NULL, renamed_send, &worker);
	if (err)
		return end_fail(end, err, "pthread_create");
	pthread_join(worker.thread, NULL);
	socket->truth.tx_bytes += worker.moved_bytes;
	if (worker.err)
		return end_fail(end, worker.err, "send");
	prctl(PR_SET_NAME, "dp-renamed");
	err = end_send_all(end, socket, end->path->bytes - 2 * third, 10007);
	return err ? err : end_shutdown(end, socket);
}

enum { BRIEF_PROCESSES = 5, BRIEF_LIMIT_MS = 100 };

/* Processes that come, connect, send and go. On a loaded machine some may live longer, but not all. */
static int brief_send(struct datapath_end *end)
{
	int brief = 0;

	for (int i = 0; i < BRIEF_PROCESSES; i++) {
		int64_t born_ms = end_now_ms();
		pid_t pid;
		int err = end_fork(end, DATAPATH_SENDER_OTHER, "dp-brief", &pid);

		if (err)
			return err;
		if (pid == 0) {
			err = end_connect(end);
			end_exit(end, err ? err : end_send_plain(end));
		}
		err = end_join(end, pid);
		if (err)
			return err;
		brief += end_now_ms() - born_ms < BRIEF_LIMIT_MS;
	}
	return brief ? 0 : end_fail(end, -ETIME, "every process lived for %d ms and more", BRIEF_LIMIT_MS);
}

static int brief_receive(struct datapath_end *end)
{
	int err = 0;

	for (int i = 0; i < BRIEF_PROCESSES && !err; i++) {
		err = end_accept(end);
		if (!err)
			err = end_receive_all(end, &end->sockets[i], END_CHUNK, 0);
	}
	return err;
}

enum { FAILING_CALLS = 4000 };

/*
 * One thread, two sockets: thousands of calls that fail on the first, then the second. What a probe
 * remembered of a failed call must not be charged to the next one.
 */
static int failing_send(struct datapath_end *end)
{
	struct datapath_socket *first = &end->sockets[0], *second = &end->sockets[1];
	const char *buffer = end_buffer(end);
	char byte;
	int failed = 0, small = 16384, err = end_nonblocking(end, first->fd, true);

	if (err || !buffer || setsockopt(first->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small) < 0)
		return end_fail(end, -errno, "SO_SNDBUF");
	while (failed < FAILING_CALLS) {
		ssize_t sent = send(first->fd, buffer, 8191, 0);

		if (sent < 0 && errno != EAGAIN)
			return end_fail_errno(end, "send");
		if (sent < 0 && (recv(first->fd, &byte, 1, 0) >= 0 || errno != EAGAIN))
			return end_fail(end, -EIO, "recv on an idle socket");
		failed += sent < 0;
		first->truth.tx_bytes += sent > 0 ? (uint64_t)sent : 0;
	}
	if (first->truth.tx_bytes > end->path->bytes)
		return end_fail(end, -ENOBUFS, "the first socket's buffers hold too much");
	err = end_send_all(end, second, end->path->bytes, 10007);
	if (!err)
		err = end_signal(end);
	if (!err)
		err = end_nonblocking(end, first->fd, false);
	if (!err)
		err = end_send_all(end, first, end->path->bytes - first->truth.tx_bytes, 10007);
	if (!err)
		err = end_shutdown(end, first);
	return err ? err : end_shutdown(end, second);
}

/* Leaves the first socket alone until the second has had all of its bytes. */
static int failing_receive(struct datapath_end *end)
{
	int err = end_receive_exactly(end, &end->sockets[1], end->path->bytes, 10007);

	if (!err)
		err = end_wait(end);
	if (!err)
		err = end_receive_all(end, &end->sockets[0], 10007, 0);
	return err ? err : end_receive_all(end, &end->sockets[1], 10007, 0);
}

static const struct datapath paths[] = {
	{ .id = "fork",
	    .title = "a socket shared by fork",
	    .bytes = 3000131,
	    .send = fork_send,
	    .receive = fork_receive },
	{ .id = "passed",
	    .title = "a socket passed to another process",
	    .bytes = 3000133,
	    .send = passed_send,
	    .receive = end_receive_plain },
	{ .id = "exec",
	    .title = "exec between two sends",
	    .bytes = 2000083,
	    .send = exec_send,
	    .receive = end_receive_plain },
	{ .id = "rename",
	    .title = "process and thread renamed between sends",
	    .bytes = 2000093,
	    .send = rename_send,
	    .receive = end_receive_plain },
	{ .id = "brief",
	    .title = "a process that lives under 100 ms",
	    .bytes = 10007,
	    .flags = DATAPATH_LATE,
	    .send = brief_send,
	    .receive = brief_receive },
	{ .id = "threads",
	    .title = "four threads on one socket",
	    .bytes = 4000261,
	    .send = threads_send,
	    .receive = threads_receive },
	{ .id = "failing",
	    .title = "calls that fail, then another socket",
	    .bytes = 6000011,
	    .connections = 2,
	    .send = failing_send,
	    .receive = failing_receive },
};

const struct datapath_group datapath_process = { paths, sizeof paths / sizeof *paths };
