/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that outlive one interval, in a hash table by session key. Not ordered: a removal moves the last row. */
#ifndef TCPTOP_ROWS_H
#define TCPTOP_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/average.h"
#include "model/snapshot.h"
#include "model/tally.h"

#define ROW_POINTS 32

/* The end of an interval. In twelve bytes, as each row has three. */
struct __attribute__((packed, aligned(4))) moment {
	uint64_t
	    clock_ns; /* the lengths of all intervals so far: nothing that is done to the host's clock moves it */
	uint32_t wall_s; /* what the host's clock said then; until 2106 */
};

/* Whose process the other end of a connection within the host is; of a group, if it is that of all. */
struct peer {
	uint32_t pid;                 /* 0: no process */
	bool known;                   /* else it is on another host, or not known */
	char comm[SESSION_NAME_SIZE]; /* any bytes, NUL-terminated */
};

/* A session, or, in a grouped view, what several sessions add up to. */
struct row {
	struct session session;  /* key and facts as last seen; the bytes are the latest interval's */
	uint64_t rx_total_bytes; /* since it was first seen or totals were reset */
	uint64_t tx_total_bytes;
	uint32_t first_tick; /* the interval in which it was first seen, */
	uint32_t seen_tick;  /* last moved something (0: never), */
	uint32_t told_tick;  /* and was last told of, as moving or as open */
	uint32_t place;      /* among the sessions of that interval; of a connection */
	struct moment last;  /* when it was last seen, first seen, */
	struct moment first;
	struct moment
	    closed; /* and closed, as far as an event told: clock_ns is 0 of what is open or only idle */
	/* What follows is touched row after row. What merging a session touches lies above, together. */
	uint32_t held; /* the place in an order that is held, from 1; 0: none */
	struct averages averages;
	struct peer peer;        /* model/pairs.h */
	uint32_t members;        /* sessions in it: 1 */
	uint32_t closed_members; /* of them, of a group */
	uint32_t member_pid;     /* of whom it has its name */
	uint32_t container;   /* number of the cgroup's name, 0 not known; a cache that the list fills in */
	uint32_t match_epoch; /* filter that `matched` is the result of, 0 none; a cache of the list's, too */
	bool matched;
	bool is_group;     /* its addresses and ports are none, but for what all in it have in common */
	uint8_t several;   /* 1 << enum tally, SEVERAL_NAMES: a group that has more than one of them; */
	uint8_t uncounted; /* of which some are not counted, as what they moved was added up; */
	uint32_t counts[TALLY_COUNT]; /* how many are, which only the list knows */
	uint16_t points[ROW_POINTS];  /* struct series: RX and TX together */
};

/* When its process was there for certain (wall clock). What is gone is of many connections: for the last one. */
static inline int64_t row_process_s(const struct row *row)
{
	return row->members ? row->first.wall_s : row->last.wall_s;
}

/* When it was closed, or had its last traffic, as far as is known. */
static inline const struct moment *row_end(const struct row *row)
{
	return row->closed.clock_ns ? &row->closed : &row->last;
}

#define ROW_NONE ((size_t)-1)

struct rows {
	struct row *rows;
	size_t count;
	size_t capacity;
	uint32_t *slots;   /* open addressing: index + 1 of a row, 0 free */
	size_t slot_count; /* a power of two, at least twice the count */
};

void rows_init(struct rows *rows);
void rows_fini(struct rows *rows);

/* Empties it and frees the memory. */
void rows_clear(struct rows *rows);

/* The index of the row with this key, ROW_NONE when there is none. Any add or remove may change it. */
size_t rows_find(const struct rows *rows, const struct session *key);

/* The index of the row with this key. A new row is zero but for its session, a copy. ROW_NONE: no memory. */
size_t rows_find_or_add(struct rows *rows, const struct session *key, bool *added);

/* Grows to hold so many rows in one step, as each step rehashes all of them. 0 or -ENOMEM. */
int rows_reserve(struct rows *rows, size_t count);

#define ROWS_AHEAD 8

/*
 * For a loop that looks up key after key: finds rows some steps ahead, so that their memory is there when it is their turn. They come in
 * another order than rows lie in memory: without it cache misses are most of what such a loop takes.
 */
struct rows_ahead {
	const struct rows *rows; /* these are borrowed */
	const struct session *keys;
	size_t count;
	uint32_t found[ROWS_AHEAD]; /* of each key until its turn: index + 1, 0 none */
};

struct rows_ahead rows_look_ahead(const struct rows *rows, const struct session *keys, size_t count);

/* For each key in turn: the index of its row, as that was some steps before, or ROW_NONE. */
size_t rows_ahead_step(struct rows_ahead *ahead, size_t i);

/* The same as rows_find_or_add, after rows_ahead_step gave `found`: nothing is looked up if that is still the key's row. */
size_t rows_found_or_add(struct rows *rows, const struct session *key, size_t found, bool *added);

void rows_remove(struct rows *rows, size_t index);

/* Gives a row another key, which no other row has. */
void rows_set_life(struct rows *rows, size_t index, uint32_t life);

/* Which rows go. */
struct rows_eviction {
	uint32_t tick;              /* those that were seen in it stay, */
	bool keeps_open;            /* and those whose socket is open, */
	size_t keep;                /* and so many of the others: those that were seen last */
	const struct session *kept; /* and the one with this key; NULL: none */
	void (*leave)(void *to, const struct row *row); /* called with each row that goes */
	void *to;
};

/*
 * Removes the rows that go, and gives back memory when most is unused. Takes a time in proportion to the count, so
 * it is for many rows at once. 0 or -ENOMEM: then no row is removed.
 */
int rows_evict(struct rows *rows, const struct rows_eviction *eviction);

/* Makes *to, an initialised struct, an independent copy. 0 or -ENOMEM (then *to is empty). */
int rows_copy(struct rows *to, const struct rows *from);

#endif
