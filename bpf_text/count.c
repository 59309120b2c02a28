/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*@ session */

/* What a row shows beside its counters: read once, when the session is first seen in an interval. */
static __always_inline void describe(struct session_value *value, u64 sk)
{
	u64 task = bpf_get_current_task();
	u64 leader = LOAD_COLD(u64, task, TASK_GROUP_LEADER);
	u64 nsproxy = LOAD_COLD(u64, task, TASK_NSPROXY);
	u64 mnt_ns = LOAD_COLD(u64, nsproxy, NSPROXY_MNT_NS);

	bpf_probe_read_kernel(value->comm, sizeof value->comm, (void *)(leader + TASK_COMM));
	value->mntns = LOAD_COLD(u32, mnt_ns, MNT_NS_INUM);
	value->uid = bpf_get_current_uid_gid();
	value->cgroup_id = bpf_get_current_cgroup_id();
@DESCRIBE_LIFE@
@DESCRIBE_ACCEPTED@
}

static __always_inline void add(u64 *rx_bytes, u64 *tx_bytes, u64 bytes, const int direction)
{
	if (direction == DIRECTION_RX)
		__sync_fetch_and_add(rx_bytes, bytes);
	else
		__sync_fetch_and_add(tx_bytes, bytes);
}

static __always_inline void count_other(u64 bytes, const int direction)
{
	u32 slot = 0;
	struct session_other *rest = other.lookup(&slot);

	if (!rest)
		return;
	__sync_fetch_and_add(&rest->calls, 1);
	add(&rest->rx_bytes, &rest->tx_bytes, bytes, direction);
}

/*
 * The kernel takes skc_num back when the peer closes a connection that connect() had bound, though what
 * it delivered may still be read. inet_sport stays.
 */
static __always_inline u16 local_port(u64 sk, u16 number)
{
	if (number)
		return number;
	return FROM_NETWORK_ORDER(LOAD_COLD(u16, sk, INET_SPORT));
}

/* The remote and the local one, as they lie in keys and in skc_portpair. */
static __always_inline u32 both_ports(u64 sk, u64 head)
{
	u32 ports = HEAD(u32, head, SK_PORTPAIR);

	if (!(u16)(ports >> LOCAL_PORT_SHIFT))
		ports |= (u32)local_port(sk, 0) << LOCAL_PORT_SHIFT;
	return ports;
}

static __always_inline u32 network_namespace(u64 head)
{
	u64 net = HEAD(u64, head, SK_NET);

	return LOAD(u32, net, NET_INUM);
}

/* Of the task that makes the call; 0 for one that is on its way out. */
static __always_inline u32 mount_namespace(void)
{
	u64 task = CURRENT_TASK();
	u64 nsproxy = LOAD(u64, task, TASK_NSPROXY);
	u64 mnt_ns = LOAD(u64, nsproxy, NSPROXY_MNT_NS);

	return LOAD(u32, mnt_ns, MNT_NS_INUM);
}

/* Fills in the addresses. Returns the interface that tells equal ones apart, 0: they need none. */
static __always_inline u32 session_addresses4(struct session_key4 *key, u64 sk, u64 head)
{
	*(u64 *)&key->raddr = HEAD(u64, head, SK_ADDRPAIR);
	return 0;
}

/* fe80::/10 */
static __always_inline bool is_link_local(const u8 *address)
{
	return (*(u16 *)address & LINK_LOCAL_MASK) == LINK_LOCAL_PREFIX;
}

/*
 * Equal addresses on two links are told apart by the interface. The kernel binds a socket to it that connects to a
 * link-local address, or is connected from one (tcp_v6_connect, tcp_v6_init_req).
 */
static __always_inline u32 link_of(u64 sk, u64 head)
{
	u32 ifindex = HEAD(u32, head, SK_BOUND_DEV_IF);

@MPTCP_LINK@
	return ifindex;
}

static __always_inline u32 session_addresses6(struct session_key6 *key, u64 sk, u64 head)
{
	((u64 *)key->raddr)[0] = HEAD(u64, head, SK_V6_DADDR);
	((u64 *)key->raddr)[1] = HEAD(u64, head, SK_V6_DADDR + 8);
	((u64 *)key->laddr)[0] = HEAD(u64, head, SK_V6_RCV_SADDR);
	((u64 *)key->laddr)[1] = HEAD(u64, head, SK_V6_RCV_SADDR + 8);
	return is_link_local(key->raddr) || is_link_local(key->laddr) ? link_of(sk, head) : 0;
}

/* ::ffff:a.b.c.d, of which skc_addrpair holds the IPv4 addresses too */
static __always_inline bool is_mapped(u64 head)
{
	return HEAD(u64, head, SK_V6_DADDR) == 0 && HEAD(u32, head, SK_V6_DADDR + 8) == MAPPED_PREFIX;
}
/*@ mptcp_link */
	/* an MPTCP socket is bound to nothing: its first subflow is */
	if (!ifindex && LOAD(u16, SOCK(sk), SK_PROTOCOL) == PROTOCOL_MPTCP)
		ifindex = LOAD_COLD(u32, LOAD_COLD(u64, sk, MPTCP_FIRST), SK_BOUND_DEV_IF);
/*@ fronts */

#define FRONTS @FRONTS@
/*@ count */

/* Each word by one store: a processor that reads a word which several have written waits for all of them. */
static __always_inline void session_key@N@_fill(struct session_key@N@ *key, u64 sk, u64 head, u32 netns, u32 pid)
{
	u32 link = session_addresses@N@(key, sk, head);

	*(u64 *)&key->rport = TOGETHER(both_ports(sk, head), pid);
	*(u64 *)&key->netns = TOGETHER(netns, link);
}

#if FRONTS
BPF_PERCPU_ARRAY(fronts@N@, struct front@N@, FRONT_INDEX(FRONTS, 0));

static __always_inline struct front_slot@N@ *front_slot@N@(const struct session_key@N@ *key, u32 program, bool odd)
{
	u32 index = FRONT_INDEX(program, odd);
	struct front@N@ *front = fronts@N@.lookup(&index);

	return front ? &front->slots[session_hash@N@(key) >> (64 - FRONT_BITS)] : 0;
}

static __always_inline bool is_same@N@(const struct session_key@N@ *a, const struct session_key@N@ *b)
{
	u64 differs = 0;

#pragma unroll
	for (u32 i = 0; i < sizeof *a / sizeof differs; i++)
		differs |= ((const u64 *)a)[i] ^ ((const u64 *)b)[i];
	return !differs;
}
#endif

/* Two generations: programs write one while the other is drained. */
BPF_TABLE("hash", struct session_key@N@, struct session_value, sessions@N@_even, @MAX_SESSIONS@);
BPF_TABLE("hash", struct session_key@N@, struct session_value, sessions@N@_odd, @MAX_SESSIONS@);

/*
 * A session that the front knows is a comparison of its whole key and an addition, without a lock: a program is neither run
 * again on a CPU on which it runs, nor moved from it, so nobody else writes there. One whose place is taken is looked up each time.
 *
 * Another CPU may create the same session at the same moment: insert() never overwrites, and whoever comes
 * second finds the first one's entry. What cannot be inserted is counted as "other".
 */
static __always_inline void count@N@(
    u64 sk, u64 head, u32 netns, u32 pid, u64 bytes, const int direction, const u32 program, bool odd)
{
	struct session_key@N@ key = {};
	struct session_value *value;

	note_run(RUN_COUNTS);
	session_key@N@_fill(&key, sk, head, netns, pid);
#if FRONTS
	struct front_slot@N@ *slot = program < FRONTS ? front_slot@N@(&key, program, odd) : 0;

	if (slot && is_same@N@(&slot->key, &key)) {
		slot->bytes += bytes;
		return;
	}
#endif
	note_run(RUN_LOOKUPS);
	if (odd) {
		value = sessions@N@_odd.lookup(&key);
		KEEP_APART(value);
	} else {
		value = sessions@N@_even.lookup(&key);
	}
	if (!value) {
		struct session_value fresh = {};

		describe(&fresh, sk);
@FIRST_CALL@
		if (odd) {
			sessions@N@_odd.insert(&key, &fresh);
			value = sessions@N@_odd.lookup(&key);
		} else {
			sessions@N@_even.insert(&key, &fresh);
			value = sessions@N@_even.lookup(&key);
		}
	}
	if (!value) {
		count_other(bytes, direction);
		return;
	}
	add(&value->rx_bytes, &value->tx_bytes, bytes, direction);
#if FRONTS
	if (slot && !slot->key.netns && key.netns)
		slot->key = key;
#endif
}
