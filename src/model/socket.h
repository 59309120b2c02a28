/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pass over the host's TCP sockets tells of each. Like session.h a part of the program text, too: there
 * the storage of a socket is written when it is born or found, and the facts at each pass.
 */
#ifndef TCPTOP_SOCKET_H
#define TCPTOP_SOCKET_H

#ifndef TCPTOP_PROGRAM_TEXT
#include "model/session.h"
#endif

/* Who has a socket: the process that made it or, of one that a listener made, has it open. */
struct socket_owner {
	__u64 cgroup_id; /* in the v2 hierarchy */
	__u32 pid;       /* thread group; 0: nobody is known yet */
	__u32 uid;
	__u32 mntns;
	__u32 process_start_ms; /* as in struct session_value */
	char comm[SESSION_COMM_LENGTH];
};

/* What the kernel adds up over a connection's life. Differences of two passes are what happened in between. */
struct socket_counts {
	__u64 bytes_sent;     /* with what was sent again */
	__u64 bytes_retrans;  /* of these, what was sent again */
	__u64 bytes_received; /* in order, whether read or not */
	__u64 bytes_acked;
	__u32
	    busy_jiffies; /* the times are those of tcp_sock's chronograph: something is to be sent or acknowledged, */
	__u32 peer_jiffies;   /* of it, the remote's window is full, */
	__u32 buffer_jiffies; /* and the send buffer is, with nothing left to be sent */
	__u32 retransmits;    /* segments */
	__u32 unread_bytes;   /* at that moment */
	__u32 read_seq;       /* what has been read, modulo 2^32 */
};

struct socket_state {
	struct socket_owner owner;
	struct socket_counts before; /* at the latest pass */
	__u64
	    born_ns; /* CLOCK_MONOTONIC: when it began to connect, or was accepted; 0: before sockets were followed */
	__u64 passed_ns; /* the latest pass; 0: none has seen it */
	__u32 pass;      /* its number, */
	__u32 place;     /* and the facts' place in it */
	__u32 walk;      /* of open files, by which the owner is known; 0: by its own call */
	__u32 passes;    /* the filters let the owner pass */
	__u32 birth;     /* enum socket_audit_bit: SOCKET_CONNECTED, SOCKET_REPAIRED, SOCKET_EARLY */
	__u32 zero;
};

/* For who holds what was counted against its sequence numbers. */
enum socket_audit_bit {
	SOCKET_CONNECTED = 1 << 0,   /* by its own call: bytes_acked has the SYN, too */
	SOCKET_REPAIRED = 1 << 1,    /* its numbers were set (TCP_REPAIR) */
	SOCKET_EARLY = 1 << 2,       /* it moved bytes before its birth was seen: Fast Open */
	SOCKET_URGENT = 1 << 3,      /* urgent data has come */
	SOCKET_KERNEL_USER = 1 << 4, /* something in the kernel uses it (sk_user_data) */
	SOCKET_HELD = 1 << 5,        /* a call has its lock, or waits for room in its send buffer */
	SOCKET_SLEEPER = 1 << 6,     /* a task sleeps in a call on it */
	SOCKET_LAYERED = 1 << 7,     /* kernel TLS or another protocol within */
	SOCKET_UNREAD = 1 << 8,      /* of one that has ended: what has arrived may still be read */
	SOCKET_BY_TASK = 1 << 9,     /* filters look at tasks: other processes that have it may not pass */
	SOCKET_CLOSED =
	    1 << 10, /* of one that has ended: by then its process had closed it, so no call is left */
};

/* Both ends, as a session has them. */
struct socket_key {
	__u8 raddr[16]; /* network order; of IPv4 in the first four bytes, the rest zero */
	__u8 laddr[16];
	__u16 rport; /* network order */
	__u16 lport; /* host order */
	__u32 netns;
	__u32 ifindex; /* as in struct session_key6 */
	__u32 family;  /* 4 or 6 */
};

struct socket_facts {
	struct socket_key key;
	__u8 state;         /* TCP_ESTABLISHED ...: the kernel's numbers */
	__u8 congestion;    /* enum tcp_ca_state: 3 recovery, 4 loss */
	__u8 retries;       /* of the same segment, timed out, */
	__u8 probes;        /* of a closed window, without an answer */
	__u8 passes_owner;  /* the filters let its owner pass, as far as one is known, */
	__u8 passes_socket; /* and the socket */
	__u16 audit;        /* enum socket_audit_bit */
	struct socket_owner owner;
	struct socket_counts now;
	struct socket_counts before; /* zero when passed_ns is 0 */
	__u64 cookie;
	__u64 born_ns;
	__u64 passed_ns;
	__u64 told_ns; /* now */
	__u32 unsent_bytes;
	__u32 unacked_bytes;     /* sent, not acknowledged */
	__u32 rtt_us;            /* smoothed, of what is sent; 0: never measured */
	__u32 rtt_min_us;        /* in the kernel's window for it (tcp_min_rtt_wlen, 300 s) */
	__u32 rtt_received_us;   /* the receiver's own estimate */
	__u32 window_segments;   /* congestion window, */
	__u32 flight_segments;   /* and what of it is under way */
	__u32 send_buffer_bytes; /* limit, and what is taken */
	__u32 send_queued_bytes;
	__u32 backlog;      /* of a listener: waiting to be accepted, */
	__u32 backlog_max;  /* and how many may */
	__u32 drops;        /* of a listener */
	__u32 sent_jiffies; /* when data was last sent and received: the lower 32 bits */
	__u32 received_jiffies;
};

/*
 * A read of one byte ends at so many sockets, and with it the kernel's RCU section. The next read begins at the number
 * in its list that the kernel had come to, so that of what has gone before it since, as many others are left out.
 */
#define SOCKETS_AT_ONCE 4096

struct socket_pass {
	__u32 number;     /* from 1 on; written before a pass, */
	__u32 walk;       /* as is that of walks over open files, */
	__u32 walks_tell; /* and whether a walk is a pass */
	__u32 count;      /* sockets with facts; zeroed before a pass */
	__u32 beyond;     /* for which there was no room */
	__u32 looked_at;  /* sockets, by the kernel's iterator; where it begins decides where reads end */
	__u32 again;      /* not its first run: what was born since that one is left to the next pass */
	__u32 zero;
	__u64 time_ns; /* of the first one: CLOCK_MONOTONIC, and jiffies_64 */
	__u64 jiffies;
	__u64
	    unstored; /* sockets that got no storage, as their option memory is full (net.core.optmem_max); only grows */
};

#endif
