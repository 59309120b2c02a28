/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who makes the call: sockets shared by fork, passed on, used by threads, across exec and renames, by brief
 * processes.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "check/side.h"

enum { CHILD_BYTES = 1000003 };

/* Parent and child use the socket at the same time, each for its own share of the prime: neither is left without. */
static int fork_move(struct side *side, uint8_t role, side_loop *move)
{
	struct side_socket *socket = &side->sockets[0];
	pid_t pid = 0;
	int err = side_fork(side, role, "dp-child", &pid);

	if (err)
		return err;
	if (pid == 0)
		side_exit(side, move(side, socket, CHILD_BYTES));
	return move(side, socket, side->path->bytes - CHILD_BYTES) ?: side_join(side, pid);
}

static int fork_send(struct side *side)
{
	return fork_move(side, SIDE_SENDER_OTHER, side_send) ?: side_shutdown(side, &side->sockets[0]);
}

static int fork_receive(struct side *side)
{
	return fork_move(side, SIDE_RECEIVER_OTHER, side_receive) ?: side_receive_plain(side);
}

/* Sends *fd in a message of one byte, or receives it: what the call returned. */
static ssize_t descriptor_move(int over_fd, int *fd, bool send)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof *fd)];
	} control = { .header = { .cmsg_level = SOL_SOCKET,
		          .cmsg_type = SCM_RIGHTS,
		          .cmsg_len = CMSG_LEN(sizeof *fd) } };
	char byte = 0;
	struct iovec vector = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
	};
	ssize_t moved;

	memcpy(CMSG_DATA(&control.header), fd, sizeof *fd);
	moved = send ? sendmsg(over_fd, &message, 0) : recvmsg(over_fd, &message, MSG_CMSG_CLOEXEC);
	memcpy(fd, CMSG_DATA(&control.header), sizeof *fd);
	return CMSG_FIRSTHDR(&message) ? moved : -1;
}

/* The process that takes the socket over was there before, without it. */
static int passed_send(struct side *side)
{
	struct side_socket *socket = &side->sockets[0];
	int pair[2], fd = -1, err;
	pid_t pid = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return side_fail_errno(side, "socketpair");
	err = side_fork(side, SIDE_SENDER_OTHER, "dp-heir", &pid);
	if (err)
		return err;
	if (pid == 0) {
		side_close(socket);
		if (descriptor_move(pair[0], &fd, false) != 1)
			side_exit(side, side_fail_errno(side, "taking a socket"));
		err = side_adopt(side, fd) ?: side_send(side, &side->sockets[1], CHILD_BYTES);
		side_exit(side, err ?: side_shutdown(side, &side->sockets[1]));
	}
	err = side_send(side, socket, side->path->bytes - CHILD_BYTES);
	if (!err && descriptor_move(pair[1], &socket->fd, true) != 1)
		err = side_fail_errno(side, "passing a socket");
	side_close(socket);
	return err ?: side_join(side, pid);
}

static int exec_send(struct side *side)
{
	struct side_socket *socket = &side->sockets[0];
	uint64_t first = side->path->bytes / 2;
	char numbers[64], program[] = "tcptop-check", command[] = "exec";
	char *argv[] = { program, command, numbers, NULL };
	int err = side_send(side, socket, first);

	if (err)
		return err;
	snprintf(numbers, sizeof numbers, "%d,%d,%td,%llu", side->shared_fd, socket->fd,
	    socket->truth - side->shared->sessions, (unsigned long long)(side->path->bytes - first));
	if (fcntl(socket->fd, F_SETFD, 0) == 0 && fcntl(side->shared_fd, F_SETFD, 0) == 0)
		execv("/proc/self/exe", argv);
	return side_fail_errno(side, "exec of /proc/self/exe");
}

/* Whoever gives the command by hand has no descriptor of that form: it ends there. */
void exec_main(const char *numbers)
{
	struct side side = { .path = path_find("exec"), .role = SIDE_SENDER };
	unsigned long long left;
	unsigned slot;
	int fd;

	if (sscanf(numbers, "%d,%d,%u,%llu", &side.shared_fd, &fd, &slot, &left) != 4 ||
	    slot >= PATH_SESSIONS_MAX || !(side.shared = shared_map(PATH_SESSIONS_MAX, side.shared_fd)) ||
	    side_equip(&side))
		_exit(EXIT_FAILURE);
	side.sockets[side.socket_count++] = (struct side_socket){ fd, &side.shared->sessions[slot] };
	side_exit(&side, side_send(&side, side.sockets, left) ?: side_shutdown(&side, side.sockets));
}

enum { THREADS = 4 };

struct worker {
	struct side *side;
	struct side_socket *socket;
	const char *comm;
	side_loop *move;
	uint64_t bytes;
	pthread_t thread;
	int err;
};

static void *worker_main(void *argument)
{
	struct worker *worker = argument;

	if (worker->comm)
		prctl(PR_SET_NAME, worker->comm); /* the thread's own name: not the process's */
	worker->err = worker->move(worker->side, worker->socket, worker->bytes);
	return NULL;
}

int side_threads(struct side *side, struct side_socket *socket, const char *comm, size_t count,
    uint64_t bytes, side_loop *move)
{
	struct worker *workers = calloc(count, sizeof *workers);
	uint64_t share = bytes == SIDE_ALL ? 0 : bytes / count;
	int err = workers ? 0 : side_fail(side, -ENOMEM, "threads");

	for (size_t i = 0; i < count && !err; i++) {
		workers[i] = (struct worker){ side, socket, comm, move, .bytes = share ?: SIDE_ALL };
		if (i == 0 && share)
			workers[i].bytes += bytes % count;
		err = -pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]);
		if (err)
			side_fail(side, err, "pthread_create");
	}
	for (size_t i = 0; i < count && !err; i++) {
		pthread_join(workers[i].thread, NULL);
		err = workers[i].err;
	}
	return err;
}

static int threads_send(struct side *side)
{
	return side_threads(side, &side->sockets[0], NULL, THREADS, side->path->bytes, side_send)
	           ?: side_shutdown(side, &side->sockets[0]);
}

static int threads_receive(struct side *side)
{
	return side_threads(side, &side->sockets[0], NULL, THREADS, SIDE_ALL, side_receive);
}

/*
 * A third under the first name, a third by a thread of another name, the rest after the process was renamed.
 */
static int rename_send(struct side *side)
{
	struct side_socket *socket = &side->sockets[0];
	uint64_t third = side->path->bytes / 3;
	int err =
	    side_send(side, socket, third) ?: side_threads(side, socket, "dp-thread", 1, third, side_send);

	if (err)
		return err;
	prctl(PR_SET_NAME, "dp-renamed");
	return side_send(side, socket, side->path->bytes - 2 * third) ?: side_shutdown(side, socket);
}

enum { BRIEF_PROCESSES = 5, BRIEF_LIMIT_MS = 100 };

/* Processes that come, connect, send and go. On a loaded machine some may live longer, but not all. */
static int brief_send(struct side *side)
{
	int brief = 0;

	for (int i = 0; i < BRIEF_PROCESSES; i++) {
		int64_t born_ms = side_now_ms();
		pid_t pid = 0;
		int err = side_fork(side, SIDE_SENDER_OTHER, "dp-brief", &pid);

		if (!err && pid == 0)
			side_exit(side, side_connect(side) ?: side_send_plain(side));
		err = err ?: side_join(side, pid);
		if (err)
			return err;
		brief += side_now_ms() - born_ms < BRIEF_LIMIT_MS;
	}
	return brief ? 0 : side_fail(side, -ETIME, "every process lived for %d ms and more", BRIEF_LIMIT_MS);
}

enum { FAILING_CALLS = 4000 };

/*
 * One thread, two sockets: thousands of calls that fail on the first, then the second. What a probe remembered of
 * a failed call must not be charged to the next one.
 */
static int failing_send(struct side *side)
{
	struct side_socket *first = &side->sockets[0], *second = &side->sockets[1];
	int failed = 0, err;
	char byte;

	while (failed < FAILING_CALLS) {
		ssize_t sent = send(first->fd, side->sent, 8191, MSG_DONTWAIT);

		if (sent < 0 && errno != EAGAIN)
			return side_fail_errno(side, "send");
		if (sent < 0 && (recv(first->fd, &byte, 1, MSG_DONTWAIT) >= 0 || errno != EAGAIN))
			return side_fail(side, -EIO, "recv on an idle socket");
		failed += sent < 0;
		first->truth->tx_bytes += sent > 0 ? (uint64_t)sent : 0;
	}
	if (first->truth->tx_bytes > side->path->bytes)
		return side_fail(side, -ENOBUFS, "the first socket's buffers hold too much");
	err = side_send(side, second, side->path->bytes) ?: side_signal(side);
	err = err ?: side_send(side, first, side->path->bytes - first->truth->tx_bytes);
	return err ?: side_shutdown(side, first) ?: side_shutdown(side, second);
}

/* Leaves the first socket alone until the second has had all of its bytes. */
static int failing_receive(struct side *side)
{
	struct side_socket *first = &side->sockets[0], *second = &side->sockets[1];
	int err = side_receive(side, second, side->path->bytes) ?: side_wait(side);

	return err ?: side_receive(side, first, SIDE_ALL) ?: side_receive(side, second, SIDE_ALL);
}

const struct path paths_process[] = {
	{ "fork", "a socket shared by fork", 3000131, .send = fork_send, .receive = fork_receive,
	    .write.chunk = 10007, .read.chunk = 10007 },
	{ "passed", "a socket passed to another process", 3000133, .send = passed_send,
	    .write.chunk = 10007 },
	{ "exec", "exec between two sends", 2000083, .send = exec_send, .write.chunk = 10007 },
	{ "rename", "process and thread renamed between sends", 2000093, .send = rename_send,
	    .write.chunk = 10007 },
	{ "brief", "a process that lives under 100 ms", 10007, .flags = PATH_LATE,
	    .connections = BRIEF_PROCESSES, .send = brief_send },
	{ "threads", "four threads on one socket", 4000261, .send = threads_send, .receive = threads_receive,
	    .write.chunk = 64, .read.chunk = 1009 },
	{ "failing", "calls that fail, then another socket", 6000011, .connections = 2,
	    .options = { { OPTION(SOL_SOCKET, SO_SNDBUF, int, 16384) } }, .send = failing_send,
	    .receive = failing_receive, .write.chunk = 10007, .read.chunk = 10007 },
	{ .id = NULL },
};
