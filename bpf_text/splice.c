/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */

/*
 * splice() out of a socket and TCP_ZEROCOPY_RECEIVE pass no tracepoint that tells their bytes, but
 * tcp_rcv_space_adjust fires in them under the socket's lock after copied_seq moved, as it does in every
 * receive. So copied_seq is followed on each socket, and what it moved by is counted when the system call is
 * one of these; tracepoint_receive counts all else.
 */
struct consumed {
	u32 seq; /* copied_seq at the last event */
};

BPF_SK_STORAGE(consumed, struct consumed);
BPF_ARRAY(splice_ready, u32, 1); /* every socket older than the start has got its state */

#define SOCK_DONE_BIT 2 /* of sk_flags: a FIN has come */

/*
 * Numbers of both the native and the 32-bit table: none of them is, in the other table, a call that receives.
 * The number stays in the registers until the next call: work that the kernel does for io_uring at the end of
 * a call (task work), and workers, which start with a copy, carry it too. But then the result register no
 * longer holds what it holds on entry.
 */
#if defined(__aarch64__)
#define IN_CALL(regs) (LOAD(u64, regs, 0) == LOAD(u64, regs, REGS_BEFORE))
#else
#define IN_CALL(regs) (LOAD(s64, regs, REGS_BEFORE) == -38)
#endif

static __always_inline bool is_splice_call(void)
{
	u64 regs = bpf_task_pt_regs((void *)bpf_get_current_task_btf());

	if (!IN_CALL(regs))
		return false;
	switch (LOAD(u32, regs, REGS_SYSCALL)) {
@SPLICE_CALLS@
		return true;
	default:
		return false;
	}
}

/* Since the last event or, for a socket born after the start, since its birth. */
static __always_inline u32 moved_bytes(u64 sk, u64 tp, u32 copied_seq)
{
	struct consumed *state = consumed.sk_storage_get((void *)sk, 0, 0);
	struct consumed fresh = { copied_seq };
	u32 slot = 0, *ready, before;

	if (state) {
		before = state->seq;
		state->seq = copied_seq;
		return copied_seq - before;
	}
	if (!consumed.sk_storage_get((void *)sk, &fresh, BPF_SK_STORAGE_GET_F_CREATE))
		return 0;
	ready = splice_ready.lookup(&slot);
	if (!ready || !*ready)
		return 0;
	return (u32)LOAD(u64, tp, TCP_BYTES_RECEIVED) - (LOAD(u32, tp, TCP_RCV_NXT) - copied_seq);
}

int tracepoint_space_adjust(u64 *ctx)
{
	u64 sk = ctx[0], tp = (u64)bpf_skc_to_tcp_sock((void *)sk);
	u32 copied_seq, moved;

	if (!tp)
		return 0;
	copied_seq = LOAD(u32, tp, TCP_COPIED_SEQ);
	moved = moved_bytes(sk, tp, copied_seq);
	if (!moved || !is_splice_call())
		return 0;
	/* kernel TLS moves records, not what the process reads; without the lock this is a softirq, charged to a random task */
	if (LOAD(u64, tp, ICSK_ULP_OPS) || !LOAD(u32, sk, SK_LOCK_OWNED))
		return 0;
	/* a FIN takes one sequence number */
	if ((LOAD(u64, sk, SK_FLAGS) & SOCK_DONE_BIT) && copied_seq == LOAD(u32, tp, TCP_RCV_NXT))
		moved--;
	if (!is_tcp(sk))
		return 0;
	return account(sk, moved, DIRECTION_RX);
}

/* Once, at the start, for each open file of each task: struct bpf_iter__task_file { meta, task, fd, file } */
int iterator_sockets(u64 *ctx)
{
	void *file = (void *)ctx[3];
	struct consumed fresh = {};
	struct consumed *state;
	u64 socket, sk, tp;

	if (!file)
		return 0;
	socket = (u64)bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = LOAD(u64, socket, SOCKET_SK);
	if (!sk)
		return 0;
	tp = (u64)bpf_skc_to_tcp_sock((void *)sk);
	if (!tp)
		return 0;
	fresh.seq = LOAD(u32, tp, TCP_COPIED_SEQ);
	consumed.sk_storage_get((void *)sk, &fresh, BPF_SK_STORAGE_GET_F_CREATE);
	return 0;
}
