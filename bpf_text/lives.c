/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*@ lives_first_call */

/* What listeners have established, as long as lives are noted: else it is empty. */
BPF_F_TABLE("hash", u64, struct life_wait, lives_waiting, @MAX_LIVES@, BPF_F_NO_PREALLOC);

/*
 * Nothing that can be attached by nobody runs in accept(): a connection has been accepted once its process moves bytes of it. A
 * call that returns as bytes arrive may have waited for them, not they for it. Not on each event's path.
 */
static __always_inline void note_first_call(u64 sk, const int direction)
{
	u64 key = sk;
	struct life_wait *wait;
	u32 jiffies;

	KEEP_APART(key);
	wait = lives_waiting.lookup(&key);
	if (!wait || wait->called)
		return;
	wait->called = 1;
	jiffies = bpf_jiffies64();
	if (direction == DIRECTION_TX || jiffies - LOAD_COLD(u32, sk, ICSK_LRCVTIME) >= 2 ||
	    jiffies - wait->established_jiffies < 2)
		wait->called_ns = bpf_ktime_get_ns();
}
/*@ call_note_first_call */
		note_first_call(sk, direction);
/*@ lives */

/*
 * Connections are noted by a storage of their sockets: who began it, and when. What has ended is written into a table,
 * once, with all that there is to tell; so each connection costs some events in its whole life, and nothing as it moves bytes.
 * A listener's storage is copied by the kernel to what it accepts (BPF_F_CLONE, 5.4): so its owner is known in a softirq.
 */
#define STATE_FIN_WAIT1 4
#define STATE_FIN_WAIT2 5
#define STATE_CLOSE 7
#define FLAG_DEAD 0 /* SOCK_DEAD: its process has closed it */
#define FLAG_DONE 1 /* SOCK_DONE: the remote's FIN has come */

struct socket_lives_table_t {
	int key;
	struct life leaf;
	void *(*sk_storage_get)(void *, void *, int);
	int (*sk_storage_delete)(void *);
	u32 flags;
};
__attribute__((section("maps/sk_storage"))) struct socket_lives_table_t socket_lives = {
	.flags = BPF_F_NO_PREALLOC | BPF_F_CLONE,
};
BPF_ANNOTATE_KV_PAIR(socket_lives, int, struct life);

/* Without memory taken before it is needed: nothing is written until somebody asks for it. */
BPF_F_TABLE("hash", struct life_key, struct life_end, lives_even, @MAX_LIVES@, BPF_F_NO_PREALLOC);
BPF_F_TABLE("hash", struct life_key, struct life_end, lives_odd, @MAX_LIVES@, BPF_F_NO_PREALLOC);
BPF_ARRAY(lives_lost, u64, 1); /* ends that found no place; only grows */
BPF_ARRAY(lives_mode, u32, 1); /* 0: a walk finds owners, 1: it forgets what was noted */

static __always_inline void begin_life(struct life *life, u64 tp, int state)
{
	__builtin_memset(life, 0, sizeof *life);
	if (state == STATE_LISTEN)
		return;
	life->accepted = ANSWER_NO;
	life->birth = take_birth(tp, state);
	life->began_ns = bpf_ktime_get_ns();
}

static __always_inline void establish_life(struct life *life, u64 tp, int before)
{
	u64 now = bpf_ktime_get_ns(), waiting = tp;
	struct life_wait wait = {};

	KEEP_APART(waiting);
	/* two that connect to each other at once come from SYN_RECV, too */
	if (before == STATE_SYN_RECV && life->accepted != ANSWER_NO) {
		life->accepted = ANSWER_YES;
		life->birth = take_birth(tp, STATE_ESTABLISHED);
		life->owner_known = life->owner_known ? LIFE_OWNER_LISTENER : LIFE_OWNER_UNKNOWN;
		life->began_ns = now;
		life->reset = life->has_ended = 0;
		wait.established_ns = now;
		wait.established_jiffies = bpf_jiffies64();
		lives_waiting.update(&waiting, &wait);
	}
	life->established_ns = now;
	life->syn_retries = TYPED(u32, tp, TCP_TOTAL_RETRANS);
}

/*
 * What the process has handed over and read, from numbers that move with every byte. Of a connection that it began
 * bytes_acked has the SYN, too, and write_seq each FIN that was sent. A FIN that has come is in bytes_received, and once the
 * process has come to it, in copied_seq.
 */
static __always_inline void take_bytes(struct life_end *end, u64 tp)
{
	u64 sent = TYPED(u64, tp, TCP_BYTES_ACKED) +
	           (u32)(TYPED(u32, tp, TCP_WRITE_SEQ) - TYPED(u32, tp, TCP_SND_UNA));
	u32 unread = TYPED(u32, tp, TCP_RCV_NXT) - TYPED(u32, tp, TCP_COPIED_SEQ);
	u64 flags = TYPED(u64, tp, SK_FLAGS);
	bool done = (flags >> FLAG_DONE) & 1;
	u32 extra = end->state == STATE_FIN_WAIT1 || end->state == STATE_FIN_WAIT2 ||
	            end->state == STATE_CLOSING || end->state == STATE_LAST_ACK;

	if (end->accepted == ANSWER_NO)
		extra++;
	end->tx_bytes = sent > extra ? sent - extra : 0;
	end->rx_bytes = TYPED(u64, tp, TCP_BYTES_RECEIVED) - unread - (done && !unread);
	end->audit = audit_bits(tp) | (unread > done ? SOCKET_UNREAD : 0);
	end->audit |= (flags >> FLAG_DEAD) & 1 ? SOCKET_CLOSED : 0;
}

/* When the process of what a listener established first moved bytes, and its place is free; 0: not known. */
static __always_inline u64 take_call(u64 tp)
{
	u64 key = tp, called_ns;
	struct life_wait *wait;

	KEEP_APART(key);
	wait = lives_waiting.lookup(&key);
	called_ns = wait ? wait->called_ns : 0;
	if (wait)
		lives_waiting.delete(&key);
	return called_ns;
}

static __always_inline void write_end(u64 tp, u64 sk, struct life *life, int before, u64 called_ns)
{
	struct life_key key = { .cookie = bpf_get_socket_cookie((void *)sk) };
	struct life_end end = { .state = before, .ended_ns = bpf_ktime_get_ns() };
	u32 slot = 0, *odd = generation.lookup(&slot);
	u64 *lost;
	int err;

	if (!odd)
		return;
	take_key(&end.key, tp);
	if (!socket_passes(&end.key, sk))
		return;
	end.accepted = @ACCEPTED@;
	if (life) {
		end.owner = life->owner;
		end.owner_known = life->owner_known;
		end.began_ns = key.began_ns = life->began_ns;
		end.established_ns = life->established_ns;
		end.called_ns = called_ns;
		end.syn_retries = life->syn_retries;
		end.reset = life->reset;
		if (life->accepted)
			end.accepted = life->accepted;
		life->has_ended = 1;
		life->ended_odd = *odd;
	}
	end.retransmits = TYPED(u32, tp, TCP_TOTAL_RETRANS);
	if (before == STATE_SYN_SENT || before == STATE_SYN_RECV)
		end.syn_retries = end.retransmits;
	end.rtt_us = TYPED(u32, tp, TCP_SRTT_US) >> 3;
	end.error = TYPED(u32, tp, SK_ERR);
	end.unsent = before == STATE_SYN_SENT && !TYPED(u32, tp, TCP_WRITE_SEQ);
	take_bytes(&end, tp);
	end.audit |= (life ? life->birth : 0) | (@UNOWNED@ ? 0 : SOCKET_BY_TASK);
	if (*odd)
		err = lives_odd.update(&key, &end);
	else
		err = lives_even.update(&key, &end);
	lost = err ? lives_lost.lookup(&slot) : 0;
	if (lost)
		__sync_fetch_and_add(lost, 1);
}

/*
 * inet_sock_set_state(sk, oldstate, newstate). Who connects or listens does it itself; other changes may be a softirq's, in
 * the name of nobody, but for those while a process holds the socket's lock: it is the one that closes it.
 */
int lives_set_state(u64 *ctx)
{
	u64 sk = ctx[0], tp, called_ns;
	int before = (int)ctx[1], now = (int)ctx[2];
	bool own_call = now == STATE_SYN_SENT || now == STATE_LISTEN;
	bool ends = now == STATE_CLOSE && before != STATE_LISTEN && before != STATE_CLOSE;
	bool shuts = now == STATE_FIN_WAIT1 || now == STATE_LAST_ACK;
	u8 known = LIFE_OWNER_UNKNOWN;
	struct life *life;

	if (!own_call && !ends && !shuts && now != STATE_ESTABLISHED)
		return 0;
	tp = (u64)bpf_skc_to_tcp_sock((void *)sk);
	if (!tp)
		return 0;
	life = socket_lives.sk_storage_get((void *)sk, 0, ends ? 0 : BPF_SK_STORAGE_GET_F_CREATE);
	if (life && own_call) {
		begin_life(life, tp, now);
		known = now == STATE_LISTEN ? LIFE_OWNER_LISTENER : LIFE_OWNER_CALLED;
	} else if (life && now == STATE_ESTABLISHED) {
		establish_life(life, tp, before);
	} else if (life && life->accepted != ANSWER_NO && TYPED(u32, tp, SK_LOCK_OWNED)) {
		known = LIFE_OWNER_CLOSED;
	}
	if (life && known) { /* once: the verifier follows each place where filters are asked */
		life->passes = own(&life->owner, bpf_get_current_task());
		life->owner_known = known;
	}
	if (!ends)
		return 0;
	called_ns = take_call(tp);
	if (life && life->owner_known ? life->passes : @UNOWNED@)
		write_end(tp, sk, life, before, called_ns);
	return 0;
}

/* For each open file of each task: struct bpf_iter__task_file { meta, task, fd, file } */
int lives_walk(u64 *ctx)
{
	u64 task = ctx[1], sk;
	void *file = (void *)ctx[3];
	u32 slot = 0, *mode = lives_mode.lookup(&slot);
	struct socket_owner owner = {};
	struct life *life;
	bool passes;

	if (!file || !task || !mode)
		return 0;
	sk = socket_of_file(file);
	if (!sk)
		return 0;
	if (*mode) {
		socket_lives.sk_storage_delete((void *)sk);
		return 0;
	}
	life = socket_lives.sk_storage_get((void *)sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!life || (life->owner_known && (life->owner_known != LIFE_OWNER_WALK || life->passes)))
		return 0;
	/* several may have it open: it is the first one's that passes the filters, else the first one's */
	passes = own(&owner, task);
	if (life->owner_known && !passes)
		return 0;
	life->owner = owner;
	life->passes = passes;
	life->owner_known = LIFE_OWNER_WALK;
	return 0;
}
/*@ lives_reset */

/*
 * tcp_send_reset(sk, skb, reason), the reason since 6.10. It may be sent before the socket is closed, or just after: then its end
 * was written already.
 */
int lives_send_reset(u64 *ctx)
{
	u64 sk = ctx[0], tp;
	struct life_key key = {};
	struct life_end *end;
	struct life *life;

	if (!sk)
		return 0;
	tp = (u64)bpf_skc_to_tcp_sock((void *)sk);
	if (!tp || TYPED(u8, tp, SK_STATE) == STATE_LISTEN)
		return 0;
	life = socket_lives.sk_storage_get((void *)sk, 0, 0);
	if (!life)
		return 0;
	life->reset = @REASON@ + 1;
	if (!life->has_ended)
		return 0;
	key.cookie = bpf_get_socket_cookie((void *)sk);
	key.began_ns = life->began_ns;
	if (life->ended_odd) {
		end = lives_odd.lookup(&key);
		KEEP_APART(end);
	} else {
		end = lives_even.lookup(&key);
	}
	if (end)
		end->reset = life->reset;
	return 0;
}
