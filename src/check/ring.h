/* SPDX-License-Identifier: Apache-2.0 */
/* An io_uring with one request in flight at a time, by the system calls themselves. */
#ifndef TCPTOP_CHECK_RING_H
#define TCPTOP_CHECK_RING_H

#include <linux/io_uring.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	int fd;
	unsigned setup_flags;
	void *rings; /* both rings: IORING_FEAT_SINGLE_MMAP (Linux 5.4) */
	size_t rings_bytes;
	struct io_uring_sqe *sqes;
	size_t sqes_bytes;
	unsigned *sq_tail, *sq_flags, *sq_array, sq_mask;
	unsigned *cq_head, *cq_tail, cq_mask;
	struct io_uring_cqe *cqes;
};

/* setup_flags: 0 or of IORING_SETUP_SQPOLL, IORING_SETUP_COOP_TASKRUN. 0 or -errno. ring_close undoes it. */
int ring_open(struct ring *ring, unsigned setup_flags);
void ring_close(struct ring *ring);

/* Whether the kernel knows the operation: 0 or -errno. */
int ring_supports(struct ring *ring, uint8_t opcode);

/*
 * Submits the request and waits for its completion: the result, a byte count or -errno. A further
 * notification that IORING_CQE_F_MORE announces is waited for too.
 */
int ring_execute(struct ring *ring, const struct io_uring_sqe *request);

/* The same in steps: submits without waiting (0 or -errno), looks without a system call, takes the result. */
int ring_start(struct ring *ring, const struct io_uring_sqe *request);
bool ring_is_done(const struct ring *ring);
int ring_finish(struct ring *ring);

#endif
