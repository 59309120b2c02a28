/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */

/*
 * splice() out of a socket and TCP_ZEROCOPY_RECEIVE pass no tracepoint that tells their bytes, but
 * tcp_rcv_space_adjust fires in them under the socket's lock after copied_seq moved, as it does in every
 * receive. So copied_seq is followed on each socket, and what it moved by is counted when the system call is
 * one of these; tracepoint_receive counts all else.
 *
 * It has to be followed here: sock_recv_length fires after the lock was released, when another thread may have
 * spliced already, so that a position made of what it tells would have bytes counted twice.
 */
struct consumed {
	u32 seq; /* copied_seq at the last event */
};

BPF_SK_STORAGE(consumed, struct consumed);
BPF_ARRAY(splice_ready, u32, 1); /* sockets without a state were born after the start */

/*
 * Cookies of sockets that could not get a state when they received: their option memory was full (sysctl
 * net.core.optmem_max). What they had received then was counted as it came.
 */
BPF_TABLE("hash", u64, u8, unfollowed, 1024);

#define SOCK_DONE_BIT 2 /* of sk_flags: a FIN has come */
#define TCP_SYN_SENT 2

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

/* This receive leaves no trace of where it ended. */
static __always_inline void lose_track(u64 sk)
{
	u64 cookie = bpf_get_socket_cookie((void *)sk);
	u32 slot = 0, *ready = splice_ready.lookup(&slot);
	u8 yes = 1;

	count_missed_runs(1);
	/* too many to remember: from now on none is believed to be new */
	if (unfollowed.update(&cookie, &yes) && ready)
		*ready = 0;
}

/* A socket's first event: has it received only now, since its birth? */
static __always_inline bool is_first_receive(u64 sk)
{
	u64 cookie = bpf_get_socket_cookie((void *)sk);
	u32 slot = 0, *ready = splice_ready.lookup(&slot);

	return ready && *ready && !unfollowed.lookup(&cookie);
}

/* Since the last event or, for a socket born after the start, since its birth. */
static __always_inline u32 moved_bytes(u64 sk, u64 tp, u32 copied_seq)
{
	struct consumed *state = consumed.sk_storage_get((void *)sk, 0, 0);
	struct consumed fresh = { copied_seq };
	u32 before;

	if (state) {
		before = state->seq;
		state->seq = copied_seq;
		return copied_seq - before;
	}
	if (!consumed.sk_storage_get((void *)sk, &fresh, BPF_SK_STORAGE_GET_F_CREATE)) {
		lose_track(sk);
		return 0;
	}
	if (!is_first_receive(sk))
		return 0;
	return (u32)LOAD(u64, tp, TCP_BYTES_RECEIVED) - (LOAD(u32, tp, TCP_RCV_NXT) - copied_seq);
}

int tracepoint_space_adjust(u64 *ctx)
{
	u64 sk = ctx[0], tp = (u64)bpf_skc_to_tcp_sock((void *)sk);
	u32 copied_seq, moved;

	note_run(RUN_FOLLOWS);
	if (!tp)
		return 0;
	copied_seq = LOAD(u32, tp, TCP_COPIED_SEQ);
	moved = moved_bytes(sk, tp, copied_seq);
	if (!moved)
		return 0;
	/* one helper's call, of which there are two in the next question */
	if (FILTERS_PIDS && !is_wanted(bpf_get_current_pid_tgid() >> 32))
		return 0;
	if (!is_splice_call())
		return 0;
	/* kernel TLS moves records, not what the process reads; without the lock this is a softirq, charged to a random task */
	if (LOAD(u64, tp, ICSK_ULP_OPS) || !LOAD(u32, sk, SK_LOCK_OWNED))
		return 0;
	/* a FIN takes one sequence number */
	if ((LOAD(u64, sk, SK_FLAGS) & SOCK_DONE_BIT) && copied_seq == LOAD(u32, tp, TCP_RCV_NXT))
		moved--;
	if (!is_tcp(sk))
		return 0;
	return account(sk, moved, DIRECTION_RX, NO_FRONT);
}

/* connect() after connect(AF_UNSPEC): the socket is as good as new, and its sequence numbers are others. */
int tracepoint_set_state(u64 *ctx)
{
	u64 sk = ctx[0];

	if ((int)ctx[2] == TCP_SYN_SENT)
		consumed.sk_storage_delete((void *)sk);
	return 0;
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
