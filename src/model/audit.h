/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do the books balance? What was counted of a socket's calls, held against what its sequence numbers moved by. Facts of
 * passes and counted bytes in, a verdict out.
 *
 * A pass is later than the swap of the tables that ends an interval. So of what was counted until a swap it is known that
 * it is at least what had been moved at the pass before, and at most what has been moved at the pass after, but for
 * calls that have not returned. Of a socket that stands still the two are one number.
 */
#ifndef TCPTOP_AUDIT_H
#define TCPTOP_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/accounted.h"
#include "model/audit_side.h"

struct session;
struct socket_facts;

struct audit_socket {
	uint64_t cookie, key_hash;
	struct audit_side tx, rx;
	uint32_t pid;      /* the one process that moved something; 0: none yet */
	bool is_shared;    /* by several processes */
	bool is_connected; /* by its own call */
	bool lives_on;     /* the pass that is being taken in has it, too, */
	bool has_ended;    /* or its end was told since the latest one, */
	bool awaits_end;   /* or is told later, */
	bool is_gone;      /* as the latest pass did not have it */
};

/* A connection that has ended. What a call has moved that had not returned by then is counted in the interval after. */
struct audit_ended {
	uint64_t key_hash;
	struct audit_side tx, rx;
	unsigned bits;     /* enum socket_audit_bit */
	uint32_t pid;      /* as in struct audit_socket */
	bool is_shared;    /* the same */
	bool is_doubtful;  /* another connection may have had its key since */
	uint64_t taken_ns; /* CLOCK_MONOTONIC */
	struct session
	    *row; /* owned, of its process: for who adds to it what is missing; NULL: nobody does */
};

struct audit {
	struct audit_socket *sockets; /* of the latest pass, by cookie */
	size_t count;
	struct audit_socket *next; /* of the pass that is being taken in */
	size_t next_count, next_capacity;
	struct audit_ended *ended; /* in the latest interval */
	size_t ended_count, ended_capacity;
	uint64_t *ended_keys; /* of all of them */
	size_t ended_key_count, ended_key_capacity;
	struct audit_result
	    gone; /* deviating, bytes and unexplained_bytes of sockets that are gone; healed_bytes of all */
	uint32_t excluded[AUDIT_EXCLUSIONS]; /* by the pass that is being taken in */
	struct audit_result result;
	uint64_t missed_runs,
	    missed_runs_before; /* that the kernel skipped so far, and until the latest pass */
	bool has_gap;           /* what was counted since the latest pass is not known */
};

void audit_fini(struct audit *audit);

/* What was counted in an interval is not known, or incomplete: all begin anew. */
void audit_forget(struct audit *audit);

/* Runs that the kernel skipped in an interval: of what is missing since then the numbers are right. */
void audit_note_missed(struct audit *audit, uint64_t runs);

/* What was counted in an interval without a pass, of a process and a socket that the latest one saw. */
void audit_count(struct audit *audit, uint64_t cookie, uint32_t pid, uint64_t tx_bytes, uint64_t rx_bytes);

/* A socket in a pass. */
struct audit_entry {
	const struct socket_facts *facts;
	uint64_t key_hash;           /* of its addresses, ports and namespace */
	uint64_t tx_bytes, rx_bytes; /* what was counted of them in the interval, */
	uint32_t pid;                /* by this process; of nothing, 0 */
	bool is_shared;              /* or by several */
	uint64_t since_ns; /* what was counted of all that were born later has been told (CLOCK_MONOTONIC) */
	bool passes;       /* the filters let it pass */
	bool
	    knows_ends; /* those of all connections that had its key are noted, so that its birth can be a base */
};

/*
 * What is to be added to what was counted of a socket in an interval. Below zero: a call that was healed has been
 * counted after all; never more than was counted.
 */
struct audit_healed {
	int64_t tx_bytes, rx_bytes;
};

/*
 * Takes it in; in any order, each once. What no waiting call can explain, and a skipped run does, is healed of a
 * socket that one process alone has moved bytes of. 0 or -ENOMEM.
 */
int audit_take(struct audit *audit, const struct audit_entry *entry, struct audit_healed *healed);

/* A connection that has ended since the latest pass. */
struct audit_end_entry {
	uint64_t cookie, key_hash;
	uint64_t tx_bytes,
	    rx_bytes;  /* that it moved in its whole life, by its sequence numbers: without SYN and FIN, */
	bool has_syn;  /* and so many less if a SYN was taken from them */
	unsigned bits; /* enum socket_audit_bit */
	uint64_t born_ns,
	    since_ns;    /* born later, no pass has seen it (CLOCK_MONOTONIC); 0: born before it was noted */
	uint64_t now_ns; /* CLOCK_MONOTONIC */
	uint64_t tx_counted_bytes, rx_counted_bytes; /* in the interval, of its key alone, */
	uint32_t pid;   /* by this process; of nothing, who has it; 0: not known for certain */
	bool is_shared; /* or by several */
};

/*
 * A connection with this key has ended: what was counted may be its, not that of another one that has the key. Each of the
 * interval, also those that are not taken in. 0 or -ENOMEM.
 */
int audit_note_end(struct audit *audit, uint64_t key_hash);

/*
 * Takes in the end of a connection, before or among what the pass tells; the older of one socket's first. *ended is what is to be
 * judged of it later, borrowed until the next call; NULL: it is not judged. 0 or -ENOMEM.
 */
int audit_take_end(struct audit *audit, const struct audit_end_entry *entry, struct audit_ended **ended,
    struct audit_healed *healed);

/* Is something missing of it that skipped runs explain, and is it one process's? */
bool audit_is_short(const struct audit *audit, const struct audit_ended *ended);

/* One that a pass has not come to any more: what was counted of it in the interval, until its end is told. */
void audit_await_end(
    struct audit_socket *socket, uint32_t pid, bool is_shared, uint64_t tx_bytes, uint64_t rx_bytes);

/* Was it gone when the latest pass was made? */
bool audit_is_awaited(const struct audit *audit, uint64_t cookie);

/* What is known of one that has ended in an interval after. */
struct audit_late {
	uint64_t tx_bytes, rx_bytes; /* what was counted of its key, */
	bool is_doubtful;            /* which may be another connection's */
	bool has_pass;               /* the interval had a pass */
	uint64_t now_ns;             /* CLOCK_MONOTONIC */
};

/*
 * Judges it for good, and heals what is missing as audit_take does. Where something is missing, once no call can be under way any
 * more: its process had closed it, or it ended long ago. False: that is for an interval later. Each of audit->ended, before audit_take_end.
 */
bool audit_judge_ended(struct audit *audit, struct audit_ended *ended, const struct audit_late *late,
    struct audit_healed *healed);

/* Of those that have ended only the first ones stay, to be judged later. */
void audit_keep_ended(struct audit *audit, size_t count);

/* The pass is over: audit->result is its verdict. */
void audit_end(struct audit *audit);

#endif
