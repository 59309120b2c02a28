/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a TCP connection, from its first SYN to its end. Like session.h a part of the program text, too: there a
 * storage of the socket's notes how it began, and what has ended is written into a table.
 */
#ifndef TCPTOP_LIFE_H
#define TCPTOP_LIFE_H

#ifndef TCPTOP_PROGRAM_TEXT
#include "model/socket.h"
#endif

/* How the owner of a connection is known. */
enum life_owner {
	LIFE_OWNER_UNKNOWN,
	LIFE_OWNER_CALLED,   /* it called connect() */
	LIFE_OWNER_LISTENER, /* it called listen(): whoever accepted the connection may be another one */
	LIFE_OWNER_CLOSED,   /* it closed what a listener had accepted, or had it shut down */
	LIFE_OWNER_WALK,     /* it had the socket open when connections began to be noted */
	LIFE_OWNER_TRAFFIC,  /* it moved the bytes: known to user space alone */
};

/* Of each socket, as long as it lives. What a listener accepts begins with a copy of the listener's. */
struct life {
	struct socket_owner owner;
	__u64
	    began_ns; /* CLOCK_MONOTONIC: its SYN was sent, or it was established by a listener; 0: before it was noted */
	__u64 established_ns; /* 0: it is not, or was before */
	__u32 syn_retries;    /* SYNs or SYN-ACKs that were sent again */
	__u32 reset;          /* this side has sent a reset, for the kernel's reason + 1; 0: it has not */
	__u8 owner_known;     /* enum life_owner */
	__u8 accepted;        /* enum answer */
	__u8 passes;          /* the owner passes the filters */
	__u8 has_ended;       /* its end was written, */
	__u16 ended_odd;      /* into this generation's table */
	__u16 birth;          /* enum socket_audit_bit: SOCKET_CONNECTED, SOCKET_REPAIRED, SOCKET_EARLY */
};

/* Of a connection that a listener has established, by its struct sock. */
struct life_wait {
	__u64 established_ns;
	__u64
	    called_ns; /* its process first moved bytes of it; 0: never, or that call waited for the remote */
	__u32 established_jiffies;
	__u32 called;
};

/* Of a socket that connects several times each attempt is a connection. */
struct life_key {
	__u64 cookie;
	__u64 began_ns;
};

struct life_end {
	struct socket_key key;
	struct socket_owner owner;
	__u64 began_ns; /* as in struct life */
	__u64 established_ns;
	__u64 ended_ns;
	__u64 called_ns; /* as in struct life_wait */
	__u64 rx_bytes;  /* what was read, */
	__u64 tx_bytes;  /* and what was handed over to be sent, in its whole life */
	__u32 syn_retries;
	__u32 retransmits; /* segments, SYNs among them */
	__u32 rtt_us;      /* smoothed; 0: never measured */
	__u32 error;       /* sk_err: ECONNRESET, ETIMEDOUT ...; 0: none */
	__u32 reset;       /* as in struct life */
	__u8 state;        /* TCP_ESTABLISHED ...: what it ended from */
	__u8 owner_known;
	__u8 accepted;
	__u8 unsent; /* 1: it never got as far as to send a SYN, as no local port was free */
	__u32 audit; /* enum socket_audit_bit */
	__u32 zero;
};

#ifndef TCPTOP_PROGRAM_TEXT
_Static_assert(sizeof(struct life) % 8 == 0 && sizeof(struct life_end) % 8 == 0, "no padding: all is copied");
#endif

#endif
