/* SPDX-License-Identifier: Apache-2.0 */
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
