#define TCPTOP_PROGRAM_TEXT
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#define SK_FAMILY 1000
#define SK_ADDRPAIR 1008
#define SK_PORTPAIR 1016
#define SK_NET 1024
#define SK_V6_DADDR 1032
#define SK_V6_RCV_SADDR 1040
#define SK_BOUND_DEV_IF 1048
#define SK_PROTOCOL 1056
#define SK_TYPE 1064
#define MPTCP_FIRST 1072
#define TCP_IS_MPTCP 1080
#define INET_SPORT 1104
#define NET_INUM 1112
#define TASK_GROUP_LEADER 1120
#define TASK_COMM 1128
#define TASK_NSPROXY 1136
#define NSPROXY_MNT_NS 1144
#define MNT_NS_INUM 1152
#define SOCKET_SK 1200
#define ZEROCOPY_LENGTH 1208
#define ZEROCOPY_COPYBUF_LEN 1216
#define RECORD_SK 1304
#define RECORD_RESULT 1312
#define RECORD_FLAGS 1320
#define TASK_TGID 1360
/*
 * The tables' keys and values: what the program text writes in the kernel and the tracer drains. This
 * file is part of both: it is compiled here and embedded, as it is, at the head of the program text.
 */
#ifndef TCPTOP_SESSION_H
#define TCPTOP_SESSION_H

#ifndef TCPTOP_PROGRAM_TEXT
#include <linux/types.h>
#endif

#define SESSION_COMM_LENGTH 16 /* TASK_COMM_LEN */

/* Of what may be not known. */
enum answer {
	ANSWER_UNKNOWN,
	ANSWER_NO,
	ANSWER_YES,
};

/* Addresses and remote port in network order as in struct sock_common; the local port in host order. */
struct session_key4 {
	__u32 raddr; /* with laddr one 8-byte load: skc_addrpair */
	__u32 laddr;
	__u16 rport; /* with lport one 4-byte load: skc_portpair */
	__u16 lport;
	__u32 pid; /* thread group */
	__u32 netns;
	__u32 zero;
};

struct session_key6 {
	__u8 raddr[16];
	__u8 laddr[16];
	__u16 rport;
	__u16 lport;
	__u32 pid;
	__u32 netns;
	__u32 ifindex; /* the link of link-local addresses; 0 for others, also on a bound socket */
};

/* The counters come first: they are all that an event on a known session touches. */
struct session_value {
	__u64 rx_bytes;
	__u64 tx_bytes;
	__u64 cgroup_id; /* in the v2 hierarchy; this and what follows is taken when the entry is created */
	__u32 uid;       /* in the initial user namespace */
	__u32 mntns;
	__u32
	    process_start_ms; /* milliseconds of CLOCK_MONOTONIC; this and what follows only when asked for, else 0 */
	__u16 is_closed; /* TCP_CLOSE: what is moved now had been received before the connection's end */
	__u16 accepted;  /* enum answer: by a listener, else this side connected */
	char comm[SESSION_COMM_LENGTH]; /* the thread group leader's */
};

/*
 * In front of the tables: what one program has counted on one CPU of sessions that are in the tables, in places that
 * nobody else writes at the time. netns 0: free.
 */
#define FRONT_BITS 7
#define FRONT_SLOTS (1 << FRONT_BITS) /* of a program, CPU and generation */

struct front_slot4 {
	struct session_key4 key;
	__u64 bytes; /* one way: the program's */
};

struct front_slot6 {
	struct session_key6 key;
	__u64 bytes;
	__u64 zero; /* a cache line in all */
};

struct front4 {
	struct front_slot4 slots[FRONT_SLOTS];
};

struct front6 {
	struct front_slot6 slots[FRONT_SLOTS];
};

/* Of a program's two fronts the one of a generation; programs with an even number send, with an odd one receive. */
#define FRONT_INDEX(program, odd) (2 * (program) + (odd))
#define FRONTS_MAX 4
#define NO_FRONT FRONTS_MAX /* the number of a program that has none */

/* Its upper bits are the best ones. */
static inline __attribute__((always_inline)) __u64 session_mix(__u64 addresses, __u64 ports_and_pid)
{
	return (addresses + ports_and_pid * 0x9e3779b97f4a7c15ULL) * 0xd6e8feb86659fd93ULL;
}

static inline __attribute__((always_inline)) __u64 session_hash4(const struct session_key4 *key)
{
	const __u64 *words = (const __u64 *)key;

	return session_mix(words[0], words[1]);
}

static inline __attribute__((always_inline)) __u64 session_hash6(const struct session_key6 *key)
{
	const __u64 *words = (const __u64 *)key;

	return session_mix(words[0] + 3 * words[1] + 5 * words[2] + 7 * words[3], words[4]);
}

/* What found no place in a full table. Only ever grows: readers take differences. */
struct session_other {
	__u64 calls;
	__u64 rx_bytes;
	__u64 tx_bytes;
};

/* What programs have done, on each CPU: only ever grows. */
enum program_run {
	RUN_BEGINS,  /* for a call that may move bytes, also one that is none of ours */
	RUN_COUNTS,  /* a call's bytes */
	RUN_LOOKUPS, /* that, of a session that the front did not know */
	RUN_FOLLOWS, /* how far a socket was read */
	RUN_KINDS
};

/*
 * Below its hierarchy's root, as the kernel gives it in at most 1,024 bytes: a container of a node within a container
 * has some 350. A longer one is left to who walks the hierarchy.
 */
#define CGROUP_PATH_SIZE 512

struct cgroup_path {
	char text[CGROUP_PATH_SIZE]; /* any bytes, NUL-terminated */
};

#ifndef TCPTOP_PROGRAM_TEXT
_Static_assert(sizeof(struct session_key4) == 24, "the key's size is the hot path's cost");
_Static_assert(sizeof(struct session_key6) == 48, "the key's size is the hot path's cost");
_Static_assert(sizeof(struct session_value) == 56, "no padding: values are copied out whole");
_Static_assert(sizeof(struct front6) <= 32768, "the kernel's least unit of memory of each CPU");
#endif

#endif
/* Reads through any pointer; what cannot be read is zero. For what is not on every event's path. */
#define LOAD_COLD(type, base, offset)                                                                        \
	({                                                                                                   \
		type read_ = 0;                                                                              \
		bpf_probe_read_kernel(&read_, sizeof read_, (void *)((base) + (offset)));                    \
		read_;                                                                                       \
	})

/* A field of struct sock_common, of a BTF-typed socket or of a copy of it. */
#define HEAD(type, head, field) (*(type *)((head) + (field)))

/* The verifier knows what a socket's and a task's pointers point to: fields are plain loads. */
#define LOAD(type, base, offset) (*(type *)((base) + (offset)))
#define READ_KIND(kind, sk)               \
	((kind) = (struct socket_kind){ \
	     LOAD(u16, SOCK(sk), SK_TYPE), LOAD(u16, SOCK(sk), SK_PROTOCOL) })
#define READ_HEAD(head, sk) u64 head = SOCK(sk)

/*
 * A function of the kernel's own, bpf_rdonly_cast (Linux 6.2), gives an address a type. No call is left of it: the verifier takes it
 * out, and reads are of the kind that may fail. The loader makes the call of its number.
 */
#define CAST(type, address) (((u64 (*)(u64, u64))16777335)((u64)(address), type))
#define TYPE_SOCK 300
#define TYPE_SOCKET 301
#define TYPE_TCP_SOCK 302
#define TYPE_TASK_STRUCT 303
#define TYPE_PT_REGS 304
#define TYPE_RQ 305

/* A kprobe's arguments and those of a record are numbers: they are given their type. */
#define SOCK(sk) CAST(TYPE_SOCK, sk)
#define SOCKET(socket) CAST(TYPE_SOCKET, socket)
#define CURRENT_TASK() ((u64)bpf_get_current_task_btf())
#define CURRENT_PID() LOAD(u32, CURRENT_TASK(), TASK_TGID)
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FROM_NETWORK_ORDER(port) __builtin_bswap16(port)
#define MAPPED_PREFIX 0xffff0000U
#define LINK_LOCAL_MASK 0xc0ff /* ffc0 and fe80 in network order */
#define LINK_LOCAL_PREFIX 0x80fe
#define TOGETHER(first, second) ((u64)(second) << 32 | (first)) /* as two 4-byte fields lie in memory */
#define LOCAL_PORT_SHIFT 16
#else
#define FROM_NETWORK_ORDER(port) (port)
#define MAPPED_PREFIX 0x0000ffffU
#define LINK_LOCAL_MASK 0xffc0
#define LINK_LOCAL_PREFIX 0xfe80
#define TOGETHER(first, second) ((u64)(first) << 32 | (second))
#define LOCAL_PORT_SHIFT 0
#endif

/*
 * Two look-ups that the compiler merges into one are of a table that the kernel does not know: it cannot inline. And a pointer that
 * a helper reads as a key is none any more to older verifiers (6.1): a copy is to be its own.
 */
#define KEEP_APART(value) asm volatile("" : "+r"(value))

#define FAMILY_INET 2
#define FAMILY_INET6 10
#define PROTOCOL_TCP 6
#define PROTOCOL_MPTCP 262
#define TYPE_STREAM 1
#define FLAG_PEEK 0x2
#define FLAG_ERRQUEUE 0x2000

#define DIRECTION_RX 0
#define DIRECTION_TX 1

BPF_ARRAY(generation, u32, 1);
BPF_ARRAY(other, struct session_other, 1);
BPF_PERCPU_ARRAY(runs, u64, RUN_KINDS); /* by enum program_run */

/* For what all this costs. A run that is lost as another one interrupts is missing from an estimate alone. */
static __always_inline void note_run(u32 kind)
{
	u64 *count = runs.lookup(&kind);

	if (count)
		(*count)++;
}

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

	/* an MPTCP socket is bound to nothing: its first subflow is */
	if (!ifindex && LOAD(u16, SOCK(sk), SK_PROTOCOL) == PROTOCOL_MPTCP)
		ifindex = LOAD_COLD(u32, LOAD_COLD(u64, sk, MPTCP_FIRST), SK_BOUND_DEV_IF);
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

#define FRONTS 2

/* Each word by one store: a processor that reads a word which several have written waits for all of them. */
static __always_inline void session_key4_fill(struct session_key4 *key, u64 sk, u64 head, u32 netns, u32 pid)
{
	u32 link = session_addresses4(key, sk, head);

	*(u64 *)&key->rport = TOGETHER(both_ports(sk, head), pid);
	*(u64 *)&key->netns = TOGETHER(netns, link);
}

#if FRONTS
BPF_PERCPU_ARRAY(fronts4, struct front4, FRONT_INDEX(FRONTS, 0));

static __always_inline struct front_slot4 *front_slot4(const struct session_key4 *key, u32 program, bool odd)
{
	u32 index = FRONT_INDEX(program, odd);
	struct front4 *front = fronts4.lookup(&index);

	return front ? &front->slots[session_hash4(key) >> (64 - FRONT_BITS)] : 0;
}

static __always_inline bool is_same4(const struct session_key4 *a, const struct session_key4 *b)
{
	u64 differs = 0;

#pragma unroll
	for (u32 i = 0; i < sizeof *a / sizeof differs; i++)
		differs |= ((const u64 *)a)[i] ^ ((const u64 *)b)[i];
	return !differs;
}
#endif

/* Two generations: programs write one while the other is drained. */
BPF_TABLE("hash", struct session_key4, struct session_value, sessions4_even, 65536);
BPF_TABLE("hash", struct session_key4, struct session_value, sessions4_odd, 65536);

/*
 * A session that the front knows is a comparison of its whole key and an addition, without a lock: a program is neither run
 * again on a CPU on which it runs, nor moved from it, so nobody else writes there. One whose place is taken is looked up each time.
 *
 * Another CPU may create the same session at the same moment: insert() never overwrites, and whoever comes
 * second finds the first one's entry. What cannot be inserted is counted as "other".
 */
static __always_inline void count4(
    u64 sk, u64 head, u32 netns, u32 pid, u64 bytes, const int direction, const u32 program, bool odd)
{
	struct session_key4 key = {};
	struct session_value *value;

	note_run(RUN_COUNTS);
	session_key4_fill(&key, sk, head, netns, pid);
#if FRONTS
	struct front_slot4 *slot = program < FRONTS ? front_slot4(&key, program, odd) : 0;

	if (slot && is_same4(&slot->key, &key)) {
		slot->bytes += bytes;
		return;
	}
#endif
	note_run(RUN_LOOKUPS);
	if (odd) {
		value = sessions4_odd.lookup(&key);
		KEEP_APART(value);
	} else {
		value = sessions4_even.lookup(&key);
	}
	if (!value) {
		struct session_value fresh = {};

		describe(&fresh, sk);
		if (odd) {
			sessions4_odd.insert(&key, &fresh);
			value = sessions4_odd.lookup(&key);
		} else {
			sessions4_even.insert(&key, &fresh);
			value = sessions4_even.lookup(&key);
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

/* Each word by one store: a processor that reads a word which several have written waits for all of them. */
static __always_inline void session_key6_fill(struct session_key6 *key, u64 sk, u64 head, u32 netns, u32 pid)
{
	u32 link = session_addresses6(key, sk, head);

	*(u64 *)&key->rport = TOGETHER(both_ports(sk, head), pid);
	*(u64 *)&key->netns = TOGETHER(netns, link);
}

#if FRONTS
BPF_PERCPU_ARRAY(fronts6, struct front6, FRONT_INDEX(FRONTS, 0));

static __always_inline struct front_slot6 *front_slot6(const struct session_key6 *key, u32 program, bool odd)
{
	u32 index = FRONT_INDEX(program, odd);
	struct front6 *front = fronts6.lookup(&index);

	return front ? &front->slots[session_hash6(key) >> (64 - FRONT_BITS)] : 0;
}

static __always_inline bool is_same6(const struct session_key6 *a, const struct session_key6 *b)
{
	u64 differs = 0;

#pragma unroll
	for (u32 i = 0; i < sizeof *a / sizeof differs; i++)
		differs |= ((const u64 *)a)[i] ^ ((const u64 *)b)[i];
	return !differs;
}
#endif

/* Two generations: programs write one while the other is drained. */
BPF_TABLE("hash", struct session_key6, struct session_value, sessions6_even, 65536);
BPF_TABLE("hash", struct session_key6, struct session_value, sessions6_odd, 65536);

/*
 * A session that the front knows is a comparison of its whole key and an addition, without a lock: a program is neither run
 * again on a CPU on which it runs, nor moved from it, so nobody else writes there. One whose place is taken is looked up each time.
 *
 * Another CPU may create the same session at the same moment: insert() never overwrites, and whoever comes
 * second finds the first one's entry. What cannot be inserted is counted as "other".
 */
static __always_inline void count6(
    u64 sk, u64 head, u32 netns, u32 pid, u64 bytes, const int direction, const u32 program, bool odd)
{
	struct session_key6 key = {};
	struct session_value *value;

	note_run(RUN_COUNTS);
	session_key6_fill(&key, sk, head, netns, pid);
#if FRONTS
	struct front_slot6 *slot = program < FRONTS ? front_slot6(&key, program, odd) : 0;

	if (slot && is_same6(&slot->key, &key)) {
		slot->bytes += bytes;
		return;
	}
#endif
	note_run(RUN_LOOKUPS);
	if (odd) {
		value = sessions6_odd.lookup(&key);
		KEEP_APART(value);
	} else {
		value = sessions6_even.lookup(&key);
	}
	if (!value) {
		struct session_value fresh = {};

		describe(&fresh, sk);
		if (odd) {
			sessions6_odd.insert(&key, &fresh);
			value = sessions6_odd.lookup(&key);
		} else {
			sessions6_even.insert(&key, &fresh);
			value = sessions6_even.lookup(&key);
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

struct socket_kind {
	u16 type;
	u16 protocol;
};

/* TCP or MPTCP, and not a raw socket whose user writes TCP headers */
static __always_inline bool is_tcp(u64 sk)
{
	struct socket_kind kind;

	READ_KIND(kind, sk);
	return (kind.protocol == PROTOCOL_TCP || kind.protocol == PROTOCOL_MPTCP) && kind.type == TYPE_STREAM;
}

/* For functions of plain TCP alone: MPTCP passes through them on the way to another one, where it is counted. */
static __always_inline bool is_plain_tcp(u64 sk)
{
	struct socket_kind kind;

	READ_KIND(kind, sk);
	return kind.protocol == PROTOCOL_TCP && kind.type == TYPE_STREAM;
}

static __always_inline bool is_wanted(u32 pid)
{
	return true;
}

/*
 * sk: a struct sock for which is_tcp() holds; bytes: what the call returned, so errors and nothing end here; program: the
 * number of the caller's front.
 */
static __always_inline int account(u64 sk, s64 bytes, const int direction, const u32 program)
{
	u32 slot = 0, pid, netns, *odd;
	u16 family;

	if (bytes <= 0)
		return 0;
	pid = CURRENT_PID();
	if (!is_wanted(pid))
		return 0;
	READ_HEAD(head, sk);
	odd = generation.lookup(&slot);
	if (!odd)
		return 0;
	netns = network_namespace(head); /* before the ways part: the verifier looks for a pointer's type each time it comes by */
	family = HEAD(u16, head, SK_FAMILY);
	if (family == FAMILY_INET || (family == FAMILY_INET6 && is_mapped(head)))
		count4(sk, head, netns, pid, bytes, direction, program, *odd);
	else if (family == FAMILY_INET6)
		count6(sk, head, netns, pid, bytes, direction, program, *odd);
	return 0;
}

/* The record that perf makes of them, after its own 8 bytes. */
#define ARGUMENT_SK(ctx) (*(u64 *)((u64)(ctx) + RECORD_SK))
#define ARGUMENT_RESULT(ctx) (*(int *)((u64)(ctx) + RECORD_RESULT))
#define ARGUMENT_FLAGS(ctx) (*(u32 *)((u64)(ctx) + RECORD_FLAGS))

/* They fire for sockets of every family. */
int tracepoint_send(u64 *ctx)
{
	u64 sk = ARGUMENT_SK(ctx);

	note_run(RUN_BEGINS);
	if (!is_tcp(sk))
		return 0;
	return account(sk, ARGUMENT_RESULT(ctx), DIRECTION_TX, 0);
}

int tracepoint_receive(u64 *ctx)
{
	u64 sk = ARGUMENT_SK(ctx);

	note_run(RUN_BEGINS);
	if ((ARGUMENT_FLAGS(ctx) & (FLAG_PEEK | FLAG_ERRQUEUE)) || !is_tcp(sk))
		return 0;
	return account(sk, ARGUMENT_RESULT(ctx), DIRECTION_RX, 1);
}

/*
 * What a function's return means, by the role that the function plays. extra is the one further argument
 * that the role needs. Results are int or ssize_t, and never beyond an int (MAX_RW_COUNT).
 */
static __always_inline int returned_send(u64 sk, int result, u64 extra, const u32 program)
{
	return account(sk, result, DIRECTION_TX, program);
}

static __always_inline int returned_receive(u64 sk, int result, u64 flags, const u32 program)
{
	if ((u32)flags & (FLAG_PEEK | FLAG_ERRQUEUE))
		return 0;
	return account(sk, result, DIRECTION_RX, program);
}

static __always_inline int returned_splice(u64 sk, int result, u64 extra, const u32 program)
{
	return account(sk, result, DIRECTION_RX, program);
}

/* Not a count but an error is returned; the pages mapped and the bytes copied beside them stand in *zc. */
static __always_inline int returned_zerocopy(u64 sk, int result, u64 zc, const u32 program)
{
	s64 bytes = LOAD_COLD(u32, zc, ZEROCOPY_LENGTH);
	s32 copied = LOAD_COLD(s32, zc, ZEROCOPY_COPYBUF_LEN);

	if (copied > 0)
		bytes += copied;
	return account(sk, result ? 0 : bytes, DIRECTION_RX, program);
}

BPF_ARRAY(missed_runs, u64, 1); /* can sink, when a return takes back what an earlier interval has shown */

static __always_inline void count_missed_runs(s64 runs)
{
	u32 slot = 0;
	u64 *missed = missed_runs.lookup(&slot);

	if (missed)
		__sync_fetch_and_add(missed, runs);
}

/*
 * A thread's call between entry and return. A call returns to us only when its return address was replaced by
 * the kernel's trampoline, which a kretprobe does as long as it has instances left: it was registered after the
 * kprobe and therefore ran before it. So a missed return is counted when the call begins, also when it waits
 * for hours, unless a program stands by for it. A return that arrives anyway (other tools replace return addresses,
 * too) takes that back. What was to return and is still there when the thread makes its next call, or ends, was missed
 * as well.
 */
struct pending_call {
	u64 sk;
	u64 extra;
	u64 function;
	u64 return_address;
	u32 missed;  /* it will not return to the kretprobe */
	u32 counted; /* ... and stands in missed_runs */
};

/*
 * Where it stands: in a place that its thread owns from its first call on until it ends, by the lower bits of its id, as
 * that is two loads. Who finds that another one owns it has an entry in the table instead.
 */
#define CALL_PLACES 16384

struct call_place {
	u64 thread;
	struct pending_call call; /* sk 0: none */
};

BPF_ARRAY(call_places, struct call_place, CALL_PLACES);
BPF_TABLE("hash", u32, u8, owned_places, CALL_PLACES); /* two threads cannot enter the same one */
BPF_TABLE("hash", u64, struct pending_call, pending_calls, 32768);
BPF_ARRAY(trampoline, u64, 1); /* its address as the last return shows it; 0: none was seen */

static __always_inline u64 trampoline_address(void)
{
	u32 slot = 0;
	u64 *address = trampoline.lookup(&slot);

	return address ? *address : 0;
}

static __always_inline u32 place_number(u64 thread)
{
	return (u32)thread % CALL_PLACES;
}

static __always_inline struct call_place *owned_place(u64 thread)
{
	u32 number = place_number(thread);
	struct call_place *place = call_places.lookup(&number);

	return place && place->thread == thread ? place : 0;
}

static __always_inline struct call_place *take_place(u64 thread)
{
	u32 number = place_number(thread);
	struct call_place *place = call_places.lookup(&number);
	u8 yes = 1;

	if (!place || place->thread || owned_places.insert(&number, &yes))
		return 0;
	place->thread = thread;
	return place;
}

static __always_inline void leave_place(struct call_place *place)
{
	u32 number = place_number(place->thread);

	place->thread = 0;
	owned_places.delete(&number);
}

/* A thread's call that has not returned. place: its own, if it has one. */
static __always_inline struct pending_call *pending(struct call_place *place, u64 thread)
{
	if (!place)
		return pending_calls.lookup(&thread);
	return place->call.sk ? &place->call : 0;
}

static __always_inline void forget(struct call_place *place, u64 thread)
{
	if (place)
		place->call.sk = 0;
	else
		pending_calls.delete(&thread);
}

static __always_inline int call_enter(
    u64 sk, u64 extra, u64 function, u64 return_address, const bool has_standby)
{
	u64 thread = bpf_get_current_pid_tgid(), expected = trampoline_address();
	struct pending_call call = { sk, extra, function, return_address };
	struct call_place *place = owned_place(thread);
	struct pending_call *earlier = pending(place, thread);

	if (earlier && !earlier->counted)
		count_missed_runs(1);
	call.missed = expected && return_address != expected;
	call.counted = call.missed && !has_standby;
	if (!place) {
		place = take_place(thread);
		if (place && earlier)
			pending_calls.delete(&thread);
	}
	if (place)
		place->call = call;
	else if (pending_calls.update(&thread, &call))
		call.counted = 1;
	if (call.counted)
		count_missed_runs(1);
	return 0;
}

/* A call that is not ours, whose return would be taken for that of an earlier one which was missed. */
static __always_inline int call_pass(u64 function)
{
	u64 thread = bpf_get_current_pid_tgid();
	struct call_place *place = owned_place(thread);
	struct pending_call *earlier = pending(place, thread);

	if (!earlier || earlier->function != function)
		return 0;
	if (!earlier->counted)
		count_missed_runs(1);
	forget(place, thread);
	return 0;
}

/* It returns, if it is of that function, and (missed_alone) is known not to return to the kretprobe. */
static __always_inline bool call_take(struct pending_call *call, u64 function, const bool missed_alone)
{
	u64 thread = bpf_get_current_pid_tgid();
	struct call_place *place = owned_place(thread);
	struct pending_call *found = pending(place, thread);

	if (!found || found->function != function || (missed_alone && !found->missed))
		return false;
	*call = *found;
	forget(place, thread);
	if (call->counted)
		count_missed_runs(-1);
	return true;
}

static __always_inline bool call_return(struct pending_call *call, u64 function)
{
	u32 slot = 0;

	if (!call_take(call, function, false))
		return false;
	if (call->return_address != trampoline_address())
		trampoline.update(&slot, &call->return_address);
	return true;
}

static __always_inline int thread_ends(u64 thread)
{
	struct call_place *place = owned_place(thread);
	struct pending_call *call = pending(place, thread);

	if (call && !call->counted)
		count_missed_runs(1);
	if (call)
		forget(place, thread);
	if (place)
		leave_place(place);
	return 0;
}

int thread_exit(u64 *ctx)
{
	return thread_ends(bpf_get_current_pid_tgid());
}

/*
 * sched_process_exec(task, old_pid, bprm). A thread that is not its process's leader takes the leader's id, and the end of the one
 * that it had until then is not told.
 */
int thread_exec(u64 *ctx)
{
	u64 thread = bpf_get_current_pid_tgid();
	u32 before = (u32)ctx[1];

	return before != (u32)thread ? thread_ends(thread >> 32 << 32 | before) : 0;
}

/*
 * The same return, seen by a program that needs no instance and runs before the kretprobe's: it takes those calls
 * that are known not to return there. It may be preempted and then make others be skipped, but only these few count.
 */
int standby_tcp_splice_read(u64 *ctx)
{
	struct pending_call call = {};

	if (!call_take(&call, 13, true))
		return 0;
	return returned_splice(call.sk, (int)ctx[5], call.extra, NO_FRONT);
}

/* ctx: the registers, as 8-byte slots */
int kprobe_tcp_splice_read(u64 *ctx)
{
	u64 sk = LOAD(u64, SOCKET(ctx[14]), SOCKET_SK);

	note_run(RUN_BEGINS);
	if (!is_tcp(sk))
		return call_pass(13);
	return call_enter(sk, 0, 13, LOAD_COLD(u64, ctx[19], 0), true);
}

int kretprobe_tcp_splice_read(u64 *ctx)
{
	struct pending_call call = {};

	if (!call_return(&call, 13))
		return 0;
	return returned_splice(call.sk, (int)ctx[10], call.extra, 4);
}

/*
 * The same return, seen by a program that needs no instance and runs before the kretprobe's: it takes those calls
 * that are known not to return there. It may be preempted and then make others be skipped, but only these few count.
 */
int standby_tcp_zerocopy_receive(u64 *ctx)
{
	struct pending_call call = {};

	if (!call_take(&call, 14, true))
		return 0;
	return returned_zerocopy(call.sk, (int)ctx[3], call.extra, NO_FRONT);
}

/* ctx: the registers, as 8-byte slots */
int kprobe_tcp_zerocopy_receive(u64 *ctx)
{
	u64 sk = ctx[14];

	note_run(RUN_BEGINS);
	if (!is_tcp(sk))
		return call_pass(14);
	return call_enter(sk, ctx[13], 14, LOAD_COLD(u64, ctx[19], 0), true);
}

int kretprobe_tcp_zerocopy_receive(u64 *ctx)
{
	struct pending_call call = {};

	if (!call_return(&call, 14))
		return 0;
	return returned_zerocopy(call.sk, (int)ctx[10], call.extra, 4);
}

/*
 * The same return, seen by a program that needs no instance and runs before the kretprobe's: it takes those calls
 * that are known not to return there. It may be preempted and then make others be skipped, but only these few count.
 */
int standby_tls_sw_splice_read(u64 *ctx)
{
	struct pending_call call = {};

	if (!call_take(&call, 15, true))
		return 0;
	return returned_splice(call.sk, (int)ctx[3], call.extra, NO_FRONT);
}

/* ctx: the registers, as 8-byte slots */
int kprobe_tls_sw_splice_read(u64 *ctx)
{
	u64 sk = LOAD(u64, SOCKET(ctx[14]), SOCKET_SK);

	note_run(RUN_BEGINS);
	if (!is_tcp(sk))
		return call_pass(15);
	return call_enter(sk, 0, 15, LOAD_COLD(u64, ctx[19], 0), true);
}

int kretprobe_tls_sw_splice_read(u64 *ctx)
{
	struct pending_call call = {};

	if (!call_return(&call, 15))
		return 0;
	return returned_splice(call.sk, (int)ctx[10], call.extra, 4);
}

/*
 * The same return, seen by a program that needs no instance and runs before the kretprobe's: it takes those calls
 * that are known not to return there. It may be preempted and then make others be skipped, but only these few count.
 */
int standby_mptcp_splice_read(u64 *ctx)
{
	struct pending_call call = {};

	if (!call_take(&call, 16, true))
		return 0;
	return returned_splice(call.sk, (int)ctx[3], call.extra, NO_FRONT);
}

/* ctx: the registers, as 8-byte slots */
int kprobe_mptcp_splice_read(u64 *ctx)
{
	u64 sk = LOAD(u64, SOCKET(ctx[14]), SOCKET_SK);

	note_run(RUN_BEGINS);
	if (!is_tcp(sk))
		return call_pass(16);
	return call_enter(sk, 0, 16, LOAD_COLD(u64, ctx[19], 0), true);
}

int kretprobe_mptcp_splice_read(u64 *ctx)
{
	struct pending_call call = {};

	if (!call_return(&call, 16))
		return 0;
	return returned_splice(call.sk, (int)ctx[10], call.extra, 4);
}
