/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*@ typed */

/* Programs that are BTF-typed, whatever the method's are: fields are plain loads. */
#define TYPED(type, base, offset) (*(type *)((base) + (offset)))
#define TYPED_BITS(base, field) ((TYPED(u8, base, field) >> field##_SHIFT) & ((1 << field##_BITS) - 1))

#define STATE_ESTABLISHED 1
#define STATE_SYN_SENT 2
#define STATE_SYN_RECV 3
#define STATE_CLOSE_WAIT 8
#define STATE_LAST_ACK 9
#define STATE_LISTEN 10
#define STATE_CLOSING 11

/* Do the filters let who has a socket pass? */
static __always_inline int owner_passes(struct socket_owner *owner, u64 task)
{
	u32 pid = owner->pid;

@FILTER_OWNER@
	return 1;
}

/* And the socket itself? */
static __always_inline int socket_passes(struct socket_key *key, u64 sk)
{
	u64 head = sk;

@FILTER_SOCKET@
	return 1;
}

/* Fills it with a task's process. Returns whether the filters let it pass. */
static __always_inline int own(struct socket_owner *owner, u64 task)
{
	u64 leader = LOAD_COLD(u64, task, TASK_GROUP_LEADER);
	u64 mnt_ns = LOAD_COLD(u64, LOAD_COLD(u64, task, TASK_NSPROXY), NSPROXY_MNT_NS);
	u64 cgroup = LOAD_COLD(u64, LOAD_COLD(u64, task, TASK_CGROUPS), CSS_SET_DFL_CGRP);

	owner->pid = LOAD_COLD(u32, task, TASK_TGID);
	owner->uid = LOAD_COLD(u32, LOAD_COLD(u64, task, TASK_CRED), CRED_UID);
	if (mnt_ns) /* else it is on its way out, and what is known stays */
		owner->mntns = LOAD_COLD(u32, mnt_ns, MNT_NS_INUM);
	owner->cgroup_id = LOAD_COLD(u64, LOAD_COLD(u64, cgroup, CGROUP_KN), KERNFS_NODE_ID);
	owner->process_start_ms = LOAD_COLD(u64, leader, TASK_START_TIME) / 1000000;
	bpf_probe_read_kernel(owner->comm, sizeof owner->comm, (void *)(leader + TASK_COMM));
	return owner_passes(owner, task);
}

static __always_inline void take_key(struct socket_key *key, u64 sk)
{
	u16 family = TYPED(u16, sk, SK_FAMILY);
	u64 pair = TYPED(u64, sk, SK_ADDRPAIR);
	bool is_4 = family == FAMILY_INET || is_mapped(sk);

	key->family = is_4 ? 4 : 6;
	((u64 *)key->raddr)[0] = is_4 ? (u32)pair : TYPED(u64, sk, SK_V6_DADDR);
	((u64 *)key->raddr)[1] = is_4 ? 0 : TYPED(u64, sk, SK_V6_DADDR + 8);
	((u64 *)key->laddr)[0] = is_4 ? pair >> 32 : TYPED(u64, sk, SK_V6_RCV_SADDR);
	((u64 *)key->laddr)[1] = is_4 ? 0 : TYPED(u64, sk, SK_V6_RCV_SADDR + 8);
	*(u32 *)&key->rport = TYPED(u32, sk, SK_PORTPAIR);
	key->lport = local_port(sk, key->lport);
	key->netns = network_namespace(sk);
	key->ifindex =
	    !is_4 && (is_link_local(key->raddr) || is_link_local(key->laddr)) ? link_of(sk, sk) : 0;
}

/* A connection's numbers begin with nothing moved, but for Fast Open and where they are set by hand. */
static __always_inline u32 take_birth(u64 tp, int now)
{
	u32 birth = TYPED_BITS(tp, TCP_REPAIR) ? SOCKET_REPAIRED : 0;

	if (now == STATE_SYN_SENT)
		return birth | SOCKET_CONNECTED;
	if (TYPED(u64, tp, TCP_BYTES_RECEIVED) || TYPED(u64, tp, TCP_BYTES_ACKED) ||
	    TYPED(u32, tp, TCP_WRITE_SEQ) != TYPED(u32, tp, TCP_SND_UNA))
		birth |= SOCKET_EARLY;
	return birth;
}

/* Why what calls moved is not what a connection's sequence numbers tell: enum socket_audit_bit. */
static __always_inline u32 audit_bits(u64 tp)
{
	u32 bits = TYPED_BITS(tp, TCP_REPAIR) ? SOCKET_REPAIRED : 0;

	if (TYPED(u64, tp, ICSK_ULP_OPS))
		bits |= SOCKET_LAYERED;
	if (TYPED(u32, tp, TCP_URG_SEQ))
		bits |= SOCKET_URGENT;
	if (LOAD_COLD(u64, tp, SK_USER_DATA))
		bits |= SOCKET_KERNEL_USER;
	return bits;
}

/* The TCP socket that is an open file of the walk; 0: none is. */
static __always_inline u64 socket_of_file(void *file)
{
	u64 socket = (u64)bpf_sock_from_file(file), sk = socket ? TYPED(u64, socket, SOCKET_SK) : 0;

	return sk && bpf_skc_to_tcp_sock((void *)sk) ? sk : 0;
}
/*@ sockets */

/*
 * Sockets are followed by a storage of their own, which dies with them: it is made at birth, or by a walk over open
 * files for those that were there before, and a pass over all that have one writes what there is to tell into an array
 * that user space has mapped. Nothing here runs when bytes move.
 */
#define CHRONO_BUSY 1
#define CHRONO_PEER 2
#define CHRONO_BUFFER 3

/* A wait queue may be long. */
#define WAITERS_LOOKED_AT 4

BPF_SK_STORAGE(socket_states, struct socket_state);
BPF_F_TABLE("array", u32, struct socket_pass, socket_pass, 1, BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct socket_facts, socket_facts, @MAX_SOCKETS@, BPF_F_MMAPABLE);

static __always_inline struct socket_pass *current_pass(void)
{
	u32 slot = 0;

	return socket_pass.lookup(&slot);
}

/* Without room for it, the socket is not followed, and that is told. */
static __always_inline struct socket_state *follow(u64 sk)
{
	struct socket_state *state =
	    socket_states.sk_storage_get((void *)sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	struct socket_pass *pass = state ? 0 : current_pass();

	if (pass)
		__sync_fetch_and_add(&pass->unstored, 1);
	return state;
}

/*
 * inet_sock_set_state(sk, oldstate, newstate). Who connects or listens does it itself; what a listener accepts is
 * established by a softirq, in the name of nobody.
 */
int sockets_set_state(u64 *ctx)
{
	u64 sk = ctx[0], tp;
	int before = (int)ctx[1], now = (int)ctx[2];
	bool own_call = now == STATE_SYN_SENT || now == STATE_LISTEN;
	struct socket_state *state;
	u32 connected;

	if (!own_call && !(now == STATE_ESTABLISHED && before == STATE_SYN_RECV))
		return 0;
	tp = (u64)bpf_skc_to_tcp_sock((void *)sk);
	if (!tp)
		return 0;
	state = follow(sk);
	if (!state)
		return 0;
	__builtin_memset(&state->before, 0, sizeof state->before);
	state->passed_ns = 0;
	state->born_ns = bpf_ktime_get_ns();
	/* two that connect to each other at once come from SYN_RECV, too */
	connected = own_call ? 0 : state->birth & SOCKET_CONNECTED;
	state->birth = take_birth(tp, now) | connected;
	if (own_call) {
		state->passes = own(&state->owner, bpf_get_current_task());
		state->walk = 0;
	}
	return 0;
}

static __always_inline void take_owner(struct socket_facts *facts, struct socket_state *state)
{
	facts->owner = state->owner;
	facts->passes_owner = state->owner.pid ? state->passes : @UNOWNED@;
}

/* As tcp_get_info does: the chronograph that runs has its time up to now. */
static __always_inline u32 chrono_jiffies(u64 tp, u32 jiffies, const int type)
{
	u32 time = TYPED(u32, tp, TCP_CHRONO_STAT + 4 * (type - 1));

	if (TYPED_BITS(tp, TCP_CHRONO_TYPE) == type)
		time += jiffies - TYPED(u32, tp, TCP_CHRONO_START);
	return time;
}

static __always_inline void take_counts(struct socket_counts *now, u64 tp, u32 jiffies)
{
	u32 read_seq = TYPED(u32, tp, TCP_COPIED_SEQ);
	u8 state = TYPED(u8, tp, SK_STATE);

	now->bytes_sent = TYPED(u64, tp, TCP_BYTES_SENT);
	now->bytes_retrans = TYPED(u64, tp, TCP_BYTES_RETRANS);
	now->bytes_received = TYPED(u64, tp, TCP_BYTES_RECEIVED);
	now->bytes_acked = TYPED(u64, tp, TCP_BYTES_ACKED);
	now->peer_jiffies = chrono_jiffies(tp, jiffies, CHRONO_PEER);
	now->buffer_jiffies = chrono_jiffies(tp, jiffies, CHRONO_BUFFER);
	now->busy_jiffies =
	    chrono_jiffies(tp, jiffies, CHRONO_BUSY) + now->peer_jiffies + now->buffer_jiffies;
	now->retransmits = TYPED(u32, tp, TCP_TOTAL_RETRANS);
	now->unread_bytes = TYPED(u32, tp, TCP_RCV_NXT) - read_seq;
	if (now->unread_bytes && (state == STATE_CLOSE_WAIT || state == STATE_LAST_ACK || state == STATE_CLOSING))
		now->unread_bytes--; /* a FIN takes one sequence number, until it has been read */
	now->read_seq = read_seq;
}

static __always_inline void take_queues(struct socket_facts *facts, u64 tp)
{
	u32 write_seq = TYPED(u32, tp, TCP_WRITE_SEQ), snd_nxt = TYPED(u32, tp, TCP_SND_NXT);

	facts->unsent_bytes = write_seq - snd_nxt;
	facts->unacked_bytes = snd_nxt - TYPED(u32, tp, TCP_SND_UNA);
	facts->window_segments = TYPED(u32, tp, TCP_SND_CWND);
	facts->flight_segments = TYPED(u32, tp, TCP_PACKETS_OUT);
	facts->send_buffer_bytes = TYPED(u32, tp, SK_SNDBUF);
	facts->send_queued_bytes = TYPED(u32, tp, SK_WMEM_QUEUED);
}

static __always_inline void take_rest(struct socket_facts *facts, u64 tp)
{
	facts->state = TYPED(u8, tp, SK_STATE);
	facts->congestion = TYPED_BITS(tp, ICSK_CA_STATE);
	facts->retries = TYPED(u8, tp, ICSK_RETRANSMITS);
	facts->probes = TYPED(u8, tp, ICSK_PROBES_OUT);
	facts->rtt_us = TYPED(u32, tp, TCP_SRTT_US) >> 3; /* kept times 8 */
	facts->rtt_min_us = TYPED(u32, tp, TCP_RTT_MIN + MINMAX_VALUE);
	facts->rtt_received_us = TYPED(u32, tp, TCP_RCV_RTT_US) >> 3;
	facts->backlog = TYPED(u32, tp, SK_ACK_BACKLOG);
	facts->backlog_max = TYPED(u32, tp, SK_MAX_ACK_BACKLOG);
	facts->drops = TYPED(u32, tp, SK_DROPS);
	facts->sent_jiffies = TYPED(u32, tp, TCP_LSNDTIME);
	facts->received_jiffies = TYPED(u32, tp, ICSK_LRCVTIME);
}

/* Who sleeps on a wait queue in its own call has its task there. Nothing else that waits has: epoll, poll(), io_uring. */
static __always_inline bool is_task(u64 pointer)
{
	u64 leader = LOAD_COLD(u64, pointer, TASK_GROUP_LEADER);

	return leader && LOAD_COLD(u64, leader, TASK_GROUP_LEADER) == leader;
}

static __always_inline bool has_sleeper(u64 tp)
{
	u64 head = LOAD_COLD(u64, tp, SK_WQ) + WQ_HEAD, entry = LOAD_COLD(u64, head, 0);

#pragma unroll
	for (int i = 0; i < WAITERS_LOOKED_AT; i++) {
		if (!entry || entry == head)
			return false;
		if (is_task(LOAD_COLD(u64, entry - WAIT_ENTRY, WAIT_PRIVATE)))
			return true;
		entry = LOAD_COLD(u64, entry, 0);
	}
	return entry && entry != head; /* too many to know */
}

static __always_inline void take_audit(struct socket_facts *facts, struct socket_state *state, u64 tp)
{
	u32 bits = state->birth | audit_bits(tp) | (@UNOWNED@ ? 0 : SOCKET_BY_TASK);

	if (TYPED(u32, tp, SK_LOCK_OWNED) || TYPED(u32, tp, SK_WRITE_PENDING))
		bits |= SOCKET_HELD;
	if (has_sleeper(tp))
		bits |= SOCKET_SLEEPER;
	facts->audit = bits;
}

/* Tells of a socket that this pass has not come to before. Returns how many it has told of by then, 0: it could not. */
static __always_inline u32 tell(u64 sk, struct socket_state *state, struct socket_pass *pass)
{
	u64 tp = (u64)bpf_skc_to_tcp_sock((void *)sk), now = bpf_ktime_get_ns(), jiffies = bpf_jiffies64();
	u32 place = pass->count;
	struct socket_facts *facts = socket_facts.lookup(&place);

	if (!tp)
		return 0;
	state->pass = pass->number;
	state->place = place;
	if (!facts) {
		pass->beyond++;
		return 0;
	}
	if (!place) {
		pass->time_ns = now;
		pass->jiffies = jiffies;
	}
	take_key(&facts->key, tp);
	take_counts(&facts->now, tp, jiffies);
	take_queues(facts, tp);
	take_rest(facts, tp);
	take_audit(facts, state, tp);
	take_owner(facts, state);
	facts->passes_socket = socket_passes(&facts->key, tp);
	facts->before = state->before;
	facts->cookie = bpf_get_socket_cookie((void *)sk);
	facts->born_ns = state->born_ns;
	facts->passed_ns = state->passed_ns;
	facts->told_ns = now;
	state->before = facts->now;
	state->passed_ns = now;
	pass->count = place + 1;
	return place + 1;
}

/*
 * For each open file of each task: struct bpf_iter__task_file { meta, task, fd, file }. Finds the owners and, where the
 * kernel has no iterator of sockets, tells of what it comes to.
 */
int sockets_walk(u64 *ctx)
{
	u64 task = ctx[1];
	void *file = (void *)ctx[3];
	struct socket_pass *pass = current_pass();
	struct socket_state *state;
	u64 sk;

	if (!file || !task || !pass)
		return 0;
	sk = socket_of_file(file);
	if (!sk)
		return 0;
	state = follow(sk);
	if (!state)
		return 0;
	/* several may have it open: it is the one's that called, else of the first that this walk came to */
	if (!state->owner.pid || (state->walk && state->walk != pass->walk)) {
		state->passes = own(&state->owner, task);
		state->walk = pass->walk;
	}
	if (pass->walks_tell && state->pass != pass->number)
		tell(sk, state, pass);
	return 0;
}
/*@ sockets_pass */

/* For each socket that has a storage: struct bpf_iter__bpf_sk_storage_map { meta, map, sk, value } */
int sockets_pass(u64 *ctx)
{
	u64 sk = ctx[2];
	struct socket_state *state = (void *)ctx[3];
	struct socket_pass *pass = current_pass();
	struct socket_facts *facts;
	u32 place;

	if (!sk || !state || !pass)
		return 0;
	if (state->pass == pass->number) { /* once more: owners may have become known */
		place = state->place;
		facts = socket_facts.lookup(&place);
		if (facts)
			take_owner(facts, state);
	} else if (!pass->again || state->born_ns < pass->time_ns) {
		tell(sk, state, pass);
	}
	if (++pass->looked_at % SOCKETS_AT_ONCE == 0) {
		u8 mark = 0;

		bpf_seq_write((void *)TYPED(u64, ctx[0], 0), &mark, sizeof mark);
	}
	return 0;
}
