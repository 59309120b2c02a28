/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io_uring: in the submitting thread, in a worker (IOSQE_ASYNC), in the kernel's polling thread (SQPOLL), and splice;
 * by the system calls themselves, with one request in flight at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check/side.h"

struct ring {
	int fd;
	struct io_uring_params params;
	void *rings; /* both rings: IORING_FEAT_SINGLE_MMAP */
	struct io_uring_sqe *sqes;
};

enum { RING_ENTRIES = 4, RING_IDLE_MS = 20, RING_PROBE_OPS = 256 };

static unsigned load_acquire(const unsigned *from)
{
	return atomic_load_explicit((const _Atomic unsigned *)from, memory_order_acquire);
}

static void store_release(unsigned *to, unsigned value)
{
	atomic_store_explicit((_Atomic unsigned *)to, value, memory_order_release);
}

/* A number of the rings, which the kernel and this process share. */
#define RING(ring, member) ((unsigned *)((char *)(ring)->rings + (ring)->params.member))

/*
 * setup_flags: 0 or of IORING_SETUP_SQPOLL, IORING_SETUP_COOP_TASKRUN, which is a wish: since 5.19, no interrupt
 * completes a receive between two calls then. 0 or -errno.
 */
static int ring_setup(struct ring *ring, unsigned setup_flags)
{
	ring->params = (struct io_uring_params){ .flags = setup_flags, .sq_thread_idle = RING_IDLE_MS };
	ring->fd = (int)syscall(__NR_io_uring_setup, RING_ENTRIES, &ring->params);
	if (ring->fd < 0 && errno == EINVAL && setup_flags == IORING_SETUP_COOP_TASKRUN)
		return ring_setup(ring, 0);
	return ring->fd < 0 ? -errno : 0;
}

/* 0 or -errno */
static int ring_map(struct ring *ring)
{
	const struct io_uring_params *params = &ring->params;
	const int protection = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_POPULATE;
	size_t sq_bytes = params->sq_off.array + params->sq_entries * sizeof(unsigned);
	size_t cq_bytes = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);

	if (!(params->features & IORING_FEAT_SINGLE_MMAP))
		return -EOPNOTSUPP;
	ring->rings = mmap(
	    NULL, sq_bytes > cq_bytes ? sq_bytes : cq_bytes, protection, flags, ring->fd, IORING_OFF_SQ_RING);
	ring->sqes = mmap(NULL, params->sq_entries * sizeof(struct io_uring_sqe), protection, flags, ring->fd,
	    IORING_OFF_SQES);
	return ring->rings == MAP_FAILED || ring->sqes == MAP_FAILED ? -errno : 0;
}

/* Whether the kernel knows the operation. */
static bool ring_supports(const struct ring *ring, uint8_t opcode)
{
	union {
		struct io_uring_probe head;
		char space[sizeof(struct io_uring_probe) + RING_PROBE_OPS * sizeof(struct io_uring_probe_op)];
	} probe = { .space = { 0 } };

	return syscall(__NR_io_uring_register, ring->fd, IORING_REGISTER_PROBE, &probe, RING_PROBE_OPS) ==
	           0 &&
	       opcode < probe.head.ops_len && probe.head.ops[opcode].flags & IO_URING_OP_SUPPORTED;
}

/* Submits the request and waits for `least` completions: 0 or -errno. */
static int ring_submit(struct ring *ring, const struct io_uring_sqe *request, unsigned least)
{
	unsigned *tail = RING(ring, sq_off.tail), index = *tail & *RING(ring, sq_off.ring_mask);
	unsigned enter_flags = least ? IORING_ENTER_GETEVENTS : 0;

	ring->sqes[index] = *request;
	RING(ring, sq_off.array)[index] = index;
	store_release(tail, *tail + 1);
	if (ring->params.flags & IORING_SETUP_SQPOLL) {
		/* The thread sets the flag, then looks at the tail once more: order ours against that. */
		__sync_synchronize();
		if (load_acquire(RING(ring, sq_off.flags)) & IORING_SQ_NEED_WAKEUP)
			enter_flags |= IORING_ENTER_SQ_WAKEUP;
	}
	while (syscall(__NR_io_uring_enter, ring->fd, 1, least, enter_flags, NULL, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* Without a system call. */
static bool ring_is_done(const struct ring *ring)
{
	return load_acquire(RING(ring, cq_off.tail)) != *RING(ring, cq_off.head);
}

static int ring_completion(struct ring *ring, struct io_uring_cqe *completion)
{
	const struct io_uring_cqe *completions = (const void *)RING(ring, cq_off.cqes);
	unsigned *head = RING(ring, cq_off.head);

	while (!ring_is_done(ring))
		if (syscall(__NR_io_uring_enter, ring->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0 &&
		    errno != EINTR)
			return -errno;
	*completion = completions[*head & *RING(ring, cq_off.ring_mask)];
	store_release(head, *head + 1);
	return 0;
}

/*
 * The result of what was submitted (err: whether it was), a byte count or -1 with errno; a further notification that
 * IORING_CQE_F_MORE announces is waited for too.
 */
static ssize_t ring_finish(struct ring *ring, int err)
{
	struct io_uring_cqe completion, notification;

	err = err ?: ring_completion(ring, &completion);
	if (!err && completion.flags & IORING_CQE_F_MORE)
		err = ring_completion(ring, &notification);
	err = err ?: completion.res;
	errno = err < 0 ? -err : 0;
	return err < 0 ? -1 : err;
}

static ssize_t ring_execute(struct ring *ring, const struct io_uring_sqe *request)
{
	return ring_finish(ring, ring_submit(ring, request, 1));
}

static void uring_prepare(const struct path *path, char *reason, size_t size)
{
	uint8_t opcode = path->ring_write ?: path->ring_read ?: IORING_OP_SEND;
	struct ring ring;
	int err = ring_setup(&ring, path->ring_setup);

	if (err == -ENOSYS)
		snprintf(reason, size, "this kernel has no io_uring (CONFIG_IO_URING)");
	else if (err == -EPERM)
		snprintf(reason, size,
		    "io_uring is disabled (sysctl kernel.io_uring_disabled) or not permitted here");
	else if (err)
		snprintf(reason, size, "io_uring cannot be set up: %s", strerror(-err));
	else if (!ring_supports(&ring, opcode))
		snprintf(reason, size, "this kernel's io_uring has no %s",
		    opcode == IORING_OP_SEND_ZC ? "zero-copy send (Linux 6.0)" : "such operation");
	close(ring.fd);
}

static int uring_start(struct side *side)
{
	struct ring *ring = side->ring = calloc(1, sizeof *ring);
	int err = ring ? ring_setup(ring, side->path->ring_setup) ?: ring_map(ring) : -ENOMEM;

	return err ? side_fail(side, err, "io_uring_setup") : 0;
}

static struct io_uring_sqe request_of(
    const struct side *side, uint8_t opcode, int fd, void *buffer, size_t size)
{
	return (struct io_uring_sqe){ .opcode = opcode,
		.flags = side->path->ring_flags,
		.fd = fd,
		.addr = (uintptr_t)buffer,
		.len = (uint32_t)size };
}

static ssize_t ring_move(struct side *side, uint8_t opcode, int fd, void *buffer, size_t size)
{
	struct io_uring_sqe request = request_of(side, opcode, fd, buffer, size);

	return ring_execute(side->ring, &request);
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

	return ring_execute(side->ring, &request);
}

static ssize_t ring_splice_out(struct side *side, int fd, void *buffer, size_t size)
{
	ssize_t moved, emptied;

	(void)buffer;
	moved = ring_splice(side, fd, side->pipe_fds[1], size);
	for (ssize_t left = moved; left > 0; left -= emptied) {
		emptied = ring_splice(side, side->pipe_fds[0], side->null_fd, (size_t)left);
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
	if (splice(side->pipe_fds[0], NULL, side->null_fd, NULL, 1, SPLICE_F_NONBLOCK) >= 0) {
		/* the pipe is empty: EAGAIN */
	}
}

static ssize_t read_beside(
    struct side *side, int fd, void *buffer, size_t size, void (*call)(struct side *, int))
{
	struct io_uring_sqe request = request_of(side, IORING_OP_RECV, fd, buffer, size);
	int err = ring_submit(side->ring, &request, 0);

	while (!err && !ring_is_done(side->ring))
		call(side, fd);
	return ring_finish(side->ring, err);
}

OPERATION(read_beside_getsockopt, read_beside(side, fd, buffer, size, call_getsockopt))
OPERATION(read_beside_splice, read_beside(side, fd, buffer, size, call_splice))

#define URING .prepare = uring_prepare, .start = uring_start
#define MOVES(opcode_write, opcode_read)                                                       \
	URING, .write.call = ring_write, .read.call = ring_read, .ring_write = (opcode_write), \
	       .ring_read = (opcode_read)
#define BESIDE(operation)                                               \
	URING, .write = { NULL, 2003, 2000 }, .read.call = (operation), \
	       .ring_setup = IORING_SETUP_COOP_TASKRUN

const struct path paths_uring[] = {
	{ "uring_inline", "io_uring send and recv, inline", 4000133, MOVES(IORING_OP_SEND, IORING_OP_RECV) },
	{ "uring_rw", "io_uring write and read", 4000153, MOVES(IORING_OP_WRITE, IORING_OP_READ) },
	{ "uring_worker", "io_uring send and recv in a worker", 4000159,
	    MOVES(IORING_OP_SEND, IORING_OP_RECV), .ring_flags = IOSQE_ASYNC },
	{ "uring_sqpoll", "io_uring send and recv by SQPOLL", 4000169, MOVES(IORING_OP_SEND, IORING_OP_RECV),
	    .ring_setup = IORING_SETUP_SQPOLL },
	{ "uring_send_zc", "io_uring zero-copy send", 4000189, MOVES(IORING_OP_SEND_ZC, IORING_OP_RECV),
	    .flags = PATH_LOCKS_MEMORY },
	{ "uring_getsockopt", "io_uring recv completed at the end of getsockopt", 200003,
	    BESIDE(read_beside_getsockopt) },
	{ "uring_beside_splice", "io_uring recv completed at the end of splice", 200009,
	    BESIDE(read_beside_splice) },
	{ "uring_splice", "io_uring splice out of a socket", 2000081,
	    .excused = { "splice_out", "splice_io_uring" }, URING, .read.call = ring_splice_out,
	    .ring_read = IORING_OP_SPLICE },
	{ .id = NULL },
};
