/* SPDX-License-Identifier: Apache-2.0 */
/* What was counted of connections by their addresses and ports, whatever processes it was, and how many of them have ended. */
#ifndef TCPTOP_COUNTED_H
#define TCPTOP_COUNTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;

struct counted {
	uint64_t key_hash;
	uint64_t tx_bytes, rx_bytes;
	unsigned ends;  /* connections with this key that have ended */
	size_t row;     /* the first session's place in the snapshot, from 1 on; 0: nothing was counted, */
	uint32_t pid;   /* and its process, */
	bool by_others; /* and whether others have another */
	bool is_told;   /* by the latest pass, so that the audit has counted it by its socket already */
};

/* One of each key, in order. Zero at the start; counted_fini frees. */
struct counted_list {
	struct counted *all;
	size_t count;
};

/* Of the latest interval with a pass, and of those without one since, where ends are noted. */
struct earlier {
	struct counted_list counted; /* of sockets that the pass has not told of */
	uint64_t
	    since_ns; /* what was born later has all it moved there, or in this interval (CLOCK_MONOTONIC) */
	uint64_t latest_ns; /* the end of the latest interval */
};

void counted_fini(struct counted_list *list);

/* session_hash without the process, as several may have moved bytes of one. */
uint64_t counted_hash(const struct session *session);

/* One of each key, in order, of any. */
void counted_unite(struct counted_list *list);

/* What is in the list, all zero where nothing is. */
struct counted counted_find(const struct counted_list *list, uint64_t key_hash);

/*
 * Adds those of an interval to those of intervals before, but for bytes of sockets that are told. 0 or -ENOMEM, also where there
 * are too many: then it is empty.
 */
int counted_add(struct counted_list *list, const struct counted_list *interval);

/* Adds up two of one key. */
void counted_join(struct counted *to, const struct counted *from);

#endif
