/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What connections wait for, and what is wrong with sockets, over several intervals: findings by process, remote and kind, the
 * weightiest first. Pure: snapshots in, findings out.
 */
#ifndef TCPTOP_DIAGNOSIS_H
#define TCPTOP_DIAGNOSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/ends.h"
#include "model/rows.h"
#include "model/snapshot.h"

enum finding_kind {
	FINDING_NONE,
	FINDING_LOSS, /* what connections wait for, as enum cause has it */
	FINDING_QUEUE,
	FINDING_PEER,
	FINDING_BUFFER,
	FINDING_READER,
	FINDING_APP,
	FINDING_REMOTE,
	FINDING_UNANSWERED, /* it connects, and had to ask again */
	FINDING_BACKLOG,    /* a listener whose queue is full, or that has dropped connections */
	FINDING_LEAK,       /* the remote has closed, and this side does not */
	FINDING_REFUSED, /* it connects to where nobody listens. This and what follows: by how connections ended */
	FINDING_RESETS, /* either side resets them */
	FINDING_CHURN,  /* it connects anew again and again */
	FINDING_KIND_COUNT
};

/* How much one kind has of a process's connections with one remote. */
struct finding {
	struct session session; /* who: of its connections that which waited longest, as it was last told */
	uint8_t kind;           /* enum finding_kind */
	uint8_t accepted;       /* enum answer: they were, by a listener on session.lport */
	bool serves;       /* connections that a listener accepted on session.lport, from whatever remote */
	uint8_t share_pct; /* of the time of its connections */
	uint32_t connections;
	uint32_t remotes;       /* addresses */
	uint64_t waited_ms;     /* of all connections together */
	uint64_t unread_bytes;  /* at the end, of all */
	uint64_t read_bytes;    /* in the time */
	uint64_t unacked_bytes; /* likewise: written, and not acknowledged */
	uint64_t sent_bytes;    /* in the time */
	uint64_t retrans_bytes; /* of these, sent again */
	uint32_t rtt_us;        /* the longest of the latest ones; 0: not known */
	uint32_t rtt_min_us;    /* the shortest ever */
	uint32_t retries;       /* the most of one connection */
	uint32_t backlog;       /* of the listener whose queue was fullest: the most that were seen, */
	uint32_t backlog_max;   /* and how many may be */
	uint32_t drops;         /* in the time */
	uint32_t idle_s;        /* the longest time since data was moved */
	uint32_t ended;         /* in the time, */
	uint32_t failed;        /* of these refused or reset, */
	uint32_t shorts;        /* or, of churn, short ones; both 0: the finding is not of ends */
	uint32_t closed_first;  /* reset, or of churn closed, by this side */
	struct peer
	    peer; /* the other end of that connection, if on this host, or who waits for it longest, */
	uint8_t peer_cause; /* and what it waited for most; CAUSE_NONE: not known */
	uint8_t peer_share_pct;
	uint64_t peer_unread_bytes;
	uint64_t peer_read_bytes;
	uint64_t peer_unacked_bytes;
	uint32_t peer_retries;
	uint32_t
	    waiters; /* connections of this host that wait for these, and are told of with them: the peer's is one */
	uint64_t waiters_ms; /* how long, together */
};

/* A socket over the time, beside its row. */
struct stay {
	uint64_t waited_ns[FINDING_KIND_COUNT];
	uint64_t told_ns;
	uint64_t moved_bytes;
	uint64_t read_bytes;
	uint64_t sent_bytes;
	uint64_t retrans_bytes;
	uint32_t backlog; /* the fullest that was seen */
	uint32_t backlog_max;
	uint32_t first_drops;
	uint32_t last_pass;
};

struct diagnosis {
	struct ends ends;
	struct rows rows;
	struct stay *stays; /* beside rows */
	size_t stay_capacity;
	bool has_begun;     /* there was a pass */
	uint32_t passes;    /* that told of an interval: all but the first */
	uint64_t looked_ns; /* the time between the first and the last */
	uint32_t left_out;  /* findings for which the latest diagnosis_find had no room */
	uint32_t missing;   /* sockets for which the last one had no room */
};

/* Zeroes *diagnosis, which the caller owns; diagnosis_fini frees what it has allocated. */
void diagnosis_init(struct diagnosis *diagnosis);
void diagnosis_fini(struct diagnosis *diagnosis);

/*
 * Where the time begins: what listeners have dropped until the end of this interval is not of it. Needed where intervals went
 * before; the first pass of all does so itself. 0 or -ENOMEM.
 */
int diagnosis_begin(struct diagnosis *diagnosis, const struct snapshot *snapshot);

/* Adds an interval. One without a pass over sockets adds nothing. 0 or -ENOMEM. */
int diagnosis_add(struct diagnosis *diagnosis, const struct snapshot *snapshot);

/*
 * Fills at most max findings, the weightiest first, and returns how many; -ENOMEM. The weight is time: of all connections
 * together, a drop counting as the second that the kernel lets pass before a SYN is sent again. That the process
 * here or the remote has nothing to send is no fault: it comes after all that is.
 */
int diagnosis_find(struct diagnosis *diagnosis, struct finding *findings, size_t max);

/* What each kind is, for who adds up and who finds. */
struct finding_row {
	const char *name;
	double weight; /* of a second; below 0.01 it is no fault */
	uint8_t cause; /* whose shares it has; CAUSE_NONE: it is found otherwise */
};

extern const struct finding_row finding_rows[FINDING_KIND_COUNT];

static inline bool finding_kind_is_fault(int kind)
{
	return finding_rows[kind].weight >= 0.01;
}

/* Something waits, or is wrong: not only nothing to send. */
bool finding_is_fault(const struct finding *finding);

/* "peer", "backlog" and so on. */
const char *finding_name(uint8_t kind);

#endif
