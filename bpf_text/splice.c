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
	u32 seq; /* copied_seq at the last event, unless a place has it */
	u32 events;
};

BPF_SK_STORAGE(consumed, struct consumed);

/*
 * The state of a socket that goes on receiving: two loads find a place, a helper's call the storage. Who owns it is told by the
 * socket's cookie, which no other socket gets, from some events on until it is closed; who finds that another one has its place stays
 * with the storage. All of this runs under the socket's lock.
 */
#define CONSUMED_BITS 12
#define CONSUMED_PLACES (1 << CONSUMED_BITS)
#define EVENTS_BEFORE_PLACE 4

struct consumed_place {
	u64 cookie;
	u32 seq;
	u32 apart[13]; /* other CPUs write those beside it */
};

BPF_ARRAY(consumed_places, struct consumed_place, CONSUMED_PLACES);
BPF_TABLE("hash", u32, u8, owned_consumed_places, CONSUMED_PLACES); /* two sockets cannot enter the same one */
BPF_ARRAY(splice_ready, u32, 1); /* sockets without a state were born after the start */

/*
 * Cookies of sockets that could not get a state when they received: their option memory was full (sysctl
 * net.core.optmem_max). What they had received then was counted as it came.
 */
BPF_TABLE("hash", u64, u8, unfollowed, 1024);

#define SOCK_DONE_BIT 2 /* of sk_flags: a FIN has come */
#define TCP_SYN_SENT 2
#define TCP_CLOSE 7

/* From a task's stack on to the registers of its system call; 0: not known before the iterator has run. */
BPF_ARRAY(registers_distance, u64, 1);

static __always_inline void note_registers(void)
{
	u64 task = (u64)bpf_get_current_task_btf(), registers;
	u32 slot = 0;
	u64 *distance = registers_distance.lookup(&slot);

	if (!distance || *distance)
		return;
	registers = bpf_task_pt_regs((void *)task);
	/* the verifier has no differences of pointers */
	*distance = LOAD_COLD(u64, (u64)&registers, 0) - LOAD(u64, task, TASK_STACK);
}

static __always_inline u64 current_registers(void)
{
	u32 slot = 0;
	u64 *distance = registers_distance.lookup(&slot);

	if (distance && *distance)
		return CAST(TYPE_PT_REGS, LOAD(u64, CURRENT_TASK(), TASK_STACK) + *distance);
	return CAST(TYPE_PT_REGS, bpf_task_pt_regs((void *)bpf_get_current_task_btf()));
}

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
	u64 regs = current_registers();

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

/* Cookies are given to each CPU by 4096: what they differ in is both how many such it has had, and how far it has come. */
static __always_inline u32 consumed_number(u64 cookie)
{
	return session_mix(cookie >> 12, cookie) >> (64 - CONSUMED_BITS);
}

static __always_inline struct consumed_place *owned_consumed(u64 cookie)
{
	u32 number = consumed_number(cookie);
	struct consumed_place *place = consumed_places.lookup(&number);

	return place && cookie && place->cookie == cookie ? place : 0;
}

/* A socket that is closed already may have more to be read, but nothing would take its place from it. */
static __always_inline void take_consumed(u64 sk, u32 copied_seq)
{
	u64 cookie = bpf_get_socket_cookie((void *)sk);
	u32 number = consumed_number(cookie);
	struct consumed_place *place = consumed_places.lookup(&number);
	u8 yes = 1;

	if (!place || place->cookie || LOAD(u8, sk, SK_STATE) == TCP_CLOSE ||
	    owned_consumed_places.insert(&number, &yes))
		return;
	place->seq = copied_seq;
	place->cookie = cookie;
}

static __always_inline void leave_consumed(u64 sk)
{
	u64 cookie = LOAD(u64, sk, SK_COOKIE);
	u32 number = consumed_number(cookie);
	struct consumed_place *place = owned_consumed(cookie);
	struct consumed *state;

	if (!place)
		return;
	state = consumed.sk_storage_get((void *)sk, 0, 0);
	if (state)
		state->seq = place->seq;
	place->cookie = 0;
	owned_consumed_places.delete(&number);
}

/* Since the last event or, for a socket born after the start, since its birth. */
static __always_inline u32 moved_bytes(u64 sk, u64 tp, u32 copied_seq)
{
	struct consumed_place *place = owned_consumed(LOAD(u64, sk, SK_COOKIE));
	struct consumed fresh = { copied_seq };
	struct consumed *state;
	u32 before;

	if (place) {
		before = place->seq;
		place->seq = copied_seq;
		return copied_seq - before;
	}
	state = consumed.sk_storage_get((void *)sk, 0, 0);
	if (state) {
		before = state->seq;
		state->seq = copied_seq;
		if (++state->events == EVENTS_BEFORE_PLACE)
			take_consumed(sk, copied_seq);
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
	u64 sk = ctx[0], tp = CAST(TYPE_TCP_SOCK, sk);
	u32 copied_seq, moved;

	note_run(RUN_FOLLOWS);
	copied_seq = LOAD(u32, tp, TCP_COPIED_SEQ);
	moved = moved_bytes(sk, tp, copied_seq);
	if (!moved)
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

/* It closes, or connects after connect(AF_UNSPEC): then it is as good as new, and its sequence numbers are others. */
int tracepoint_set_state(u64 *ctx)
{
	u64 sk = ctx[0];

	if ((int)ctx[2] == TCP_CLOSE || (int)ctx[2] == TCP_SYN_SENT)
		leave_consumed(sk);
	if ((int)ctx[2] == TCP_SYN_SENT)
		consumed.sk_storage_delete((void *)sk);
	return 0;
}

/* Once, at the start, for each open file of each task: struct bpf_iter__task_file { meta, task, fd, file } */
int iterator_sockets(u64 *ctx)
{
	void *file = (void *)ctx[3];
	struct consumed fresh = {};
	u64 socket, sk, tp;

	note_registers();
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
