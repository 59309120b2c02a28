/* SPDX-License-Identifier: Apache-2.0 */
#include "check/ring.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RING_ENTRIES = 4, RING_IDLE_MS = 20, RING_PROBE_OPS = 256 };

static unsigned load_acquire(const unsigned *from)
{
	return atomic_load_explicit((const _Atomic unsigned *)from, memory_order_acquire);
}

static void store_release(unsigned *to, unsigned value)
{
	atomic_store_explicit((_Atomic unsigned *)to, value, memory_order_release);
}

static unsigned *ring_field(const struct ring *ring, uint32_t offset)
{
	return (unsigned *)((char *)ring->rings + offset);
}

static int ring_map(struct ring *ring, const struct io_uring_params *params)
{
	size_t sq_bytes = params->sq_off.array + params->sq_entries * sizeof(unsigned);
	size_t cq_bytes = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);

	if (!(params->features & IORING_FEAT_SINGLE_MMAP))
		return -EOPNOTSUPP;
	ring->rings_bytes = sq_bytes > cq_bytes ? sq_bytes : cq_bytes;
	ring->sqes_bytes = params->sq_entries * sizeof(struct io_uring_sqe);
	ring->rings = mmap(NULL, ring->rings_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
	    ring->fd, IORING_OFF_SQ_RING);
	if (ring->rings == MAP_FAILED)
		return -errno;
	ring->sqes = mmap(NULL, ring->sqes_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd,
	    IORING_OFF_SQES);
	if (ring->sqes == MAP_FAILED) {
		int err = -errno;

		munmap(ring->rings, ring->rings_bytes);
		return err;
	}
	ring->sq_tail = ring_field(ring, params->sq_off.tail);
	ring->sq_flags = ring_field(ring, params->sq_off.flags);
	ring->sq_array = ring_field(ring, params->sq_off.array);
	ring->sq_mask = *ring_field(ring, params->sq_off.ring_mask);
	ring->cq_head = ring_field(ring, params->cq_off.head);
	ring->cq_tail = ring_field(ring, params->cq_off.tail);
	ring->cq_mask = *ring_field(ring, params->cq_off.ring_mask);
	ring->cqes = (struct io_uring_cqe *)ring_field(ring, params->cq_off.cqes);
	return 0;
}

int ring_open(struct ring *ring, unsigned setup_flags)
{
	struct io_uring_params params = { .flags = setup_flags, .sq_thread_idle = RING_IDLE_MS };
	int err;

	*ring = (struct ring){ .setup_flags = setup_flags };
	ring->fd = (int)syscall(__NR_io_uring_setup, RING_ENTRIES, &params);
	if (ring->fd < 0)
		return -errno;
	err = ring_map(ring, &params);
	if (err)
		close(ring->fd);
	return err;
}

void ring_close(struct ring *ring)
{
	munmap(ring->sqes, ring->sqes_bytes);
	munmap(ring->rings, ring->rings_bytes);
	close(ring->fd);
}

int ring_supports(struct ring *ring, uint8_t opcode)
{
	struct io_uring_probe *probe =
	    calloc(1, sizeof *probe + RING_PROBE_OPS * sizeof(struct io_uring_probe_op));
	int err = 0;

	if (!probe)
		return -ENOMEM;
	if (syscall(__NR_io_uring_register, ring->fd, IORING_REGISTER_PROBE, probe, RING_PROBE_OPS) < 0)
		err = -errno;
	else if (opcode >= probe->ops_len || !(probe->ops[opcode].flags & IO_URING_OP_SUPPORTED))
		err = -EOPNOTSUPP;
	free(probe);
	return err;
}

static int ring_submit(struct ring *ring, const struct io_uring_sqe *request, unsigned least)
{
	unsigned tail = *ring->sq_tail, index = tail & ring->sq_mask;
	unsigned enter_flags = least ? IORING_ENTER_GETEVENTS : 0;

	ring->sqes[index] = *request;
	ring->sq_array[index] = index;
	store_release(ring->sq_tail, tail + 1);
	if (ring->setup_flags & IORING_SETUP_SQPOLL) {
		/* The thread sets the flag, then looks at the tail once more: order ours against that. */
		__sync_synchronize();
		if (load_acquire(ring->sq_flags) & IORING_SQ_NEED_WAKEUP)
			enter_flags |= IORING_ENTER_SQ_WAKEUP;
	}
	while (syscall(__NR_io_uring_enter, ring->fd, 1, least, enter_flags, NULL, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int ring_completion(struct ring *ring, struct io_uring_cqe *completion)
{
	unsigned head = *ring->cq_head;

	while (load_acquire(ring->cq_tail) == head)
		if (syscall(__NR_io_uring_enter, ring->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0 &&
		    errno != EINTR)
			return -errno;
	*completion = ring->cqes[head & ring->cq_mask];
	store_release(ring->cq_head, head + 1);
	return 0;
}

int ring_start(struct ring *ring, const struct io_uring_sqe *request)
{
	return ring_submit(ring, request, 0);
}

bool ring_is_done(const struct ring *ring)
{
	return load_acquire(ring->cq_tail) != *ring->cq_head;
}

int ring_finish(struct ring *ring)
{
	struct io_uring_cqe completion, notification;
	int err = ring_completion(ring, &completion);

	if (!err && completion.flags & IORING_CQE_F_MORE)
		err = ring_completion(ring, &notification);
	return err ? err : completion.res;
}

int ring_execute(struct ring *ring, const struct io_uring_sqe *request)
{
	int err = ring_submit(ring, request, 1);

	return err ? err : ring_finish(ring);
}
