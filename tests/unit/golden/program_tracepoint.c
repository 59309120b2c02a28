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
#define SK_STATE 1160
#define SOCKET_SK 1200
#define TCP_COPIED_SEQ 1224
#define TCP_RCV_NXT 1232
#define TCP_BYTES_RECEIVED 1240
#define ICSK_ULP_OPS 1248
#define SK_LOCK_OWNED 1256
#define SK_FLAGS 1264
#define SK_COOKIE 1272
#define TASK_STACK 1280
#define REGS_SYSCALL 1288
#define REGS_BEFORE 1296
#define TASK_TGID 1360
#define TASK_CFS_RQ 1368
#define CFS_RQ_RQ 1376
#define RQ_CURR 1384
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
#define SOCK(sk) (sk)
#define SOCKET(socket) (socket)

/*
 * The run queue of each CPU, once a program has found it, for that knows which task runs. A helper tells that as well, but where
 * processors have to guard returns (SRSO) the way back from one takes more time than all else that a program does. Of kernels that
 * inline the look-up here (6.10) and not the helper (7.0 does, on arm64 6.11).
 */
BPF_PERCPU_ARRAY(run_queues, u64, 1);

static __always_inline u64 current_task(void)
{
	u32 slot = 0;
	u64 task, queue, *known = run_queues.lookup(&slot);

	if (known && *known)
		return CAST(TYPE_TASK_STRUCT, LOAD(u64, CAST(TYPE_RQ, *known), RQ_CURR));
	task = CAST(TYPE_TASK_STRUCT, bpf_get_current_task());
	queue = LOAD(u64, LOAD(u64, task, TASK_CFS_RQ), CFS_RQ_RQ);
	if (known && LOAD(u64, queue, RQ_CURR) == task)
		*known = queue;
	return task;
}

#define CURRENT_TASK() current_task()
#define CURRENT_PID() LOAD(u32, current_task(), TASK_TGID)
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

/* The arguments as they are: sock_send_length(struct sock *sk, int ret, int flags), sock_recv_length likewise. */
#define ARGUMENT_SK(ctx) ((ctx)[0])
#define ARGUMENT_RESULT(ctx) ((int)(ctx)[1])
#define ARGUMENT_FLAGS(ctx) ((u32)(ctx)[2])

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

BPF_ARRAY(missed_runs, u64, 1); /* can sink, when a return takes back what an earlier interval has shown */

static __always_inline void count_missed_runs(s64 runs)
{
	u32 slot = 0;
	u64 *missed = missed_runs.lookup(&slot);

	if (missed)
		__sync_fetch_and_add(missed, runs);
}

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
	case 275:
	case 55:
	case 313:
	case 365:
	case 1073742099:
	case 1073742366:
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
