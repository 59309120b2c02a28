/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in front of the sessions' tables (model/session.h), summed over programs and CPUs for who drains these. */
#ifndef TCPTOP_FRONTS_H
#define TCPTOP_FRONTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct front_sum;
struct tracing;

struct fronts {
	const struct tracing *tracing; /* borrowed */
	void *values;                  /* one program's, of all CPUs */
	struct front_sum *sums;        /* a hash table: of sessions that a front had bytes of */
	size_t capacity;               /* a power of two, or 0 */
	size_t count;
};

/* 0 or -ENOMEM; fronts_fini frees in any case. */
int fronts_init(struct fronts *fronts, const struct tracing *tracing);
void fronts_fini(struct fronts *fronts);

/* Takes the fronts of a generation that nobody writes, and empties them. What was there before is forgotten. 0 or -errno. */
int fronts_drain(struct fronts *fronts, bool odd);

/* Adds a session's bytes, by its key as the tables have it: session_key4 or session_key6, as its size tells. */
void fronts_take(
    const struct fronts *fronts, const void *key, size_t key_size, uint64_t *rx_bytes, uint64_t *tx_bytes);

#endif
