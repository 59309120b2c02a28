/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection waited for between two passes, by the kernel's own clocks in the socket, and how it stands. Pure:
 * facts in, a summary out.
 */
#ifndef TCPTOP_CAUSE_H
#define TCPTOP_CAUSE_H

#include <stdbool.h>
#include <stdint.h>

struct socket_facts;

/* What an interval of a connection is made of. The shares of all add up to 100%. */
enum cause {
	CAUSE_NONE,   /* not known yet, or no connection: a listener */
	CAUSE_APP,    /* nothing keeps this side from sending: its process has nothing to send */
	CAUSE_PEER,   /* the remote's receive window is full: it reads too slowly */
	CAUSE_BUFFER, /* this side's send buffer is full, and all in it has been sent */
	CAUSE_LOSS, /* the network, or this host's queues: data is under way, and some of it had to be sent again */
	CAUSE_QUEUE,  /* the same without loss */
	CAUSE_READER, /* what has arrived waits for this side's process to read it */
	CAUSE_REMOTE, /* all that arrived has been read: the remote, or the path from it, has sent nothing more */
	CAUSE_IDLE, /* nothing was moved, and nothing waits */
	CAUSE_COUNT
};

/* The state of a socket of which nothing is known. */
#define STATE_UNKNOWN 0

/* TCP's states by the kernel's numbers (include/net/tcp_states.h, which are part of its interface). */
enum socket_state_number {
	SOCKET_ESTABLISHED = 1,
	SOCKET_SYN_SENT,
	SOCKET_SYN_RECV,
	SOCKET_FIN_WAIT1,
	SOCKET_FIN_WAIT2,
	SOCKET_TIME_WAIT,
	SOCKET_CLOSE,
	SOCKET_CLOSE_WAIT,
	SOCKET_LAST_ACK,
	SOCKET_LISTEN,
	SOCKET_CLOSING,
	SOCKET_STATE_COUNT
};

/* Of one socket, at a pass. All zero: none has told of it. */
struct socket_summary {
	uint64_t retrans_bytes; /* sent again since the pass before, */
	uint64_t sent_bytes;    /* of so many that were sent */
	uint32_t unread_bytes;  /* received, not yet read */
	uint32_t unsent_bytes;  /* written, not yet sent */
	uint32_t unacked_bytes; /* sent, not yet acknowledged */
	uint32_t backlog;       /* of a listener: connections that wait to be accepted, how many may, */
	uint32_t backlog_max;
	uint32_t drops;           /* and how many were dropped since it began to listen */
	uint32_t rtt_min_us;      /* 0: not known */
	uint32_t rtt_received_us; /* by what is received, which needs no acknowledgement; 0: not known */
	uint32_t rx_idle_ms; /* since data was last received, and sent: from 1 on; 0: never, or not known */
	uint32_t tx_idle_ms;
	uint32_t idle_s; /* since data was last moved */
	uint32_t
	    age_ms; /* since it began to connect, or was accepted: from 1 on; 0: before sockets were followed */
	uint8_t state;               /* enum socket_state_number */
	uint8_t retries;             /* unanswered: of the same segment, or of probes of a closed window */
	uint8_t cause;               /* the one with the greatest share, or CAUSE_NONE */
	uint8_t shares[CAUSE_COUNT]; /* of the time since the pass before, in percent; zero without a cause */
	uint16_t
	    joined; /* further listeners of the same process, address and port (SO_REUSEPORT), added to this one, */
	uint16_t
	    joined_full; /* and how many of them all have a queue that is full; 0: of one alone, which is not counted */
};

/* A listener whose queue takes no more: it holds one more than its limit. */
static inline bool socket_is_full(const struct socket_summary *socket)
{
	return socket->joined ? socket->joined_full != 0
	                      : socket->state == SOCKET_LISTEN && socket->backlog > socket->backlog_max;
}

/* Of two queues, each beside its limit, of which it holds one more; of alike ones that which may hold more. */
static inline bool backlog_is_fuller(uint32_t backlog, uint32_t backlog_max, uint32_t than, uint32_t than_max)
{
	uint64_t here = backlog * (than_max + UINT64_C(1)), there = than * (backlog_max + UINT64_C(1));

	return here > there || (here == there && backlog_max > than_max);
}

/* Adds another listener's queue and drops; of what does not listen nothing is changed. */
void cause_join_listener(struct socket_summary *sum, const struct socket_summary *listener);

/* When the pass was, on the clocks that the facts are told by. */
struct socket_clock {
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	uint64_t jiffies;
	unsigned hz;       /* jiffies a second; 0: unknown */
	uint64_t since_ns; /* passes before do not count: sockets were not followed in between */
};

/*
 * The jiffies a second of the running kernel, from one reading of both clocks: jiffies_64 begins five minutes before its
 * lower half overflows (INITIAL_JIFFIES). 0: none of the usual ones fits, or several do, as around that moment.
 */
unsigned cause_find_hz(uint64_t jiffies, uint64_t time_ns);

/* *summary from the facts of one socket. rx_bytes and tx_bytes: what its processes moved since the pass before. */
void cause_summarise(struct socket_summary *summary, const struct socket_facts *facts,
    const struct socket_clock *clock, uint64_t rx_bytes, uint64_t tx_bytes);

/* So much of the time is proven to be its reader's: it is taken from where nothing seemed to wait. */
void cause_prove_reader(struct socket_summary *summary, uint8_t percent);

/*
 * What the cause of the other end, where that is on this host, proves of the cause here, in words of which "it" is the process
 * there; NULL: nothing.
 */
const char *cause_proof(uint8_t here, uint8_t there);

/* What several connections waited for: their times added up, but for those that were idle. */
struct cause_sum {
	uint32_t shares[CAUSE_COUNT];
};

void cause_add(struct cause_sum *sum, const struct socket_summary *summary);

/* Its shares and greatest cause. Nothing but idle time is 100% idle. */
void cause_take(struct socket_summary *summary, const struct cause_sum *sum);

/* "app", "peer", "buffer", "loss", "queue", "reader", "remote", "idle". NULL: CAUSE_NONE. */
const char *cause_name(uint8_t cause);

/* The same in words: "the remote's receive window is full: it reads too slowly". */
const char *cause_meaning(uint8_t cause);

/* "ESTABLISHED" and so on, as ss(8) and netstat(8) have them but for hyphens. NULL: STATE_UNKNOWN or beyond. */
const char *socket_state_name(uint8_t state);

#endif
