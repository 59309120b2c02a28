/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io_uring: in the submitting thread, in a worker (IOSQE_ASYNC), in the kernel's polling thread (SQPOLL), and splice.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check/pipe.h"
#include "check/side.h"

/* COOP_TASKRUN is a wish: since 5.19, no interrupt completes a receive between two calls then. */
static int open_ring(struct ring *ring, unsigned setup_flags)
{
	int err = ring_open(ring, setup_flags);

	return err == -EINVAL && setup_flags == IORING_SETUP_COOP_TASKRUN ? ring_open(ring, 0) : err;
}

static int uring_available(const struct path *path, char *reason, size_t size)
{
	uint8_t opcode = path->ring_read == IORING_OP_SPLICE ? IORING_OP_SPLICE
	                 : path->ring_write                  ? path->ring_write
	                                                     : IORING_OP_SEND;
	struct ring ring;
	int err = opcode == IORING_OP_SEND_ZC ? available_locked_memory(reason, size) : 0;

	if (err)
		return err;
	err = open_ring(&ring, path->ring_setup);
	if (err == -ENOSYS)
		snprintf(reason, size, "this kernel has no io_uring (Linux 5.6)");
	else if (err == -EPERM)
		snprintf(reason, size,
		    "io_uring is disabled (sysctl kernel.io_uring_disabled) or not permitted here");
	else if (err)
		snprintf(reason, size, "io_uring cannot be set up: %s", strerror(-err));
	if (err)
		return err;
	err = ring_supports(&ring, opcode);
	if (err)
		snprintf(reason, size, "this kernel's io_uring has no %s",
		    opcode == IORING_OP_SPLICE    ? "splice (Linux 5.7)"
		    : opcode == IORING_OP_SEND_ZC ? "zero-copy send (Linux 6.0)"
		                                  : "send");
	ring_close(&ring);
	return err;
}

static int uring_start(struct side *side)
{
	int err = open_ring(&side->ring, side->path->ring_setup);

	return err ? side_fail(side, err, "io_uring_setup") : 0;
}

static ssize_t result_of(int result)
{
	errno = result < 0 ? -result : 0;
	return result < 0 ? -1 : result;
}

static struct io_uring_sqe request_of(
    const struct side *side, uint8_t opcode, int fd, void *buffer, size_t size)
{
	return (struct io_uring_sqe){
		.opcode = opcode,
		.flags = side->path->ring_flags,
		.fd = fd,
		.addr = (uintptr_t)buffer,
		.len = (uint32_t)size,
	};
}

static ssize_t ring_move(struct side *side, uint8_t opcode, int fd, void *buffer, size_t size)
{
	struct io_uring_sqe request = request_of(side, opcode, fd, buffer, size);

	return result_of(ring_execute(&side->ring, &request));
}

OPERATION(ring_write, ring_move(side, side->path->ring_write, fd, buffer, size))
OPERATION(ring_read, ring_move(side, side->path->ring_read, fd, buffer, size))

static ssize_t ring_splice(struct side *side, int from_fd, int to_fd, size_t size)
{
	struct io_uring_sqe request = {
		.opcode = IORING_OP_SPLICE,
		.fd = to_fd,
		.len = (uint32_t)size,
		.off = UINT64_MAX, /* no offset: neither end is a file */
		.splice_off_in = UINT64_MAX,
		.splice_fd_in = from_fd,
	};

	return result_of(ring_execute(&side->ring, &request));
}

static ssize_t ring_splice_out(struct side *side, int fd, void *buffer, size_t size)
{
	ssize_t moved, emptied;

	(void)buffer;
	if (pipe_need(side))
		return -1;
	moved = ring_splice(side, fd, side->pipe.fds[1], size);
	for (ssize_t left = moved; left > 0; left -= emptied) {
		emptied = ring_splice(side, side->pipe.fds[0], side->pipe.null_fd, (size_t)left);
		if (emptied <= 0)
			return -1;
	}
	return moved;
}

/*
 * A receive that waits is completed as task work, when its thread's next system call ends: of all calls getsockopt
 * and splice, whose bytes the tracepoint method takes from the socket's position. Each is received when a receive
 * waits for it, for the sender pauses.
 */
static void call_getsockopt(struct side *side, int fd)
{
	socklen_t length = sizeof(int);
	int value;

	(void)side;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &length);
}

static void call_splice(struct side *side, int fd)
{
	(void)fd;
	if (splice(side->pipe.fds[0], NULL, side->pipe.null_fd, NULL, 1, SPLICE_F_NONBLOCK) >= 0) {
		/* the pipe is empty: EAGAIN */
	}
}

static ssize_t read_beside(
    struct side *side, int fd, void *buffer, size_t size, void (*call)(struct side *, int))
{
	struct io_uring_sqe request = request_of(side, IORING_OP_RECV, fd, buffer, size);
	int err = pipe_need(side) ? -errno : ring_start(&side->ring, &request);

	while (!err && !ring_is_done(&side->ring))
		call(side, fd);
	return result_of(err ?: ring_finish(&side->ring));
}

OPERATION(read_beside_getsockopt, read_beside(side, fd, buffer, size, call_getsockopt))
OPERATION(read_beside_splice, read_beside(side, fd, buffer, size, call_splice))

#define URING .available = uring_available, .start = uring_start
#define RING(opcode_write, opcode_read)                                                        \
	URING, .write.call = ring_write, .read.call = ring_read, .ring_write = (opcode_write), \
	       .ring_read = (opcode_read)
#define BESIDE(operation)                                               \
	URING, .write = { NULL, 2003, 2000 }, .read.call = (operation), \
	       .ring_setup = IORING_SETUP_COOP_TASKRUN

static const struct path paths[] = {
	{ "uring_inline", "io_uring send and recv, inline", 4000133, RING(IORING_OP_SEND, IORING_OP_RECV) },
	{ "uring_rw", "io_uring write and read", 4000153, RING(IORING_OP_WRITE, IORING_OP_READ) },
	{ "uring_worker", "io_uring send and recv in a worker", 4000159, RING(IORING_OP_SEND, IORING_OP_RECV),
	    .ring_flags = IOSQE_ASYNC },
	{ "uring_sqpoll", "io_uring send and recv by SQPOLL", 4000169, RING(IORING_OP_SEND, IORING_OP_RECV),
	    .ring_setup = IORING_SETUP_SQPOLL },
	{ "uring_send_zc", "io_uring zero-copy send", 4000189, RING(IORING_OP_SEND_ZC, IORING_OP_RECV) },
	{ "uring_getsockopt", "io_uring recv completed at the end of getsockopt", 200003,
	    BESIDE(read_beside_getsockopt) },
	{ "uring_beside_splice", "io_uring recv completed at the end of splice", 200009,
	    BESIDE(read_beside_splice) },
	{ "uring_splice", "io_uring splice out of a socket", 2000081,
	    .excused = { "splice_out", "splice_io_uring" }, URING, .read.call = ring_splice_out,
	    .ring_read = IORING_OP_SPLICE },
};

const struct path_group paths_uring = PATH_GROUP(paths);
