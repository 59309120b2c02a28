/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which connections have been shown of late, whoever's they were: their hashes alone, and of so many that all of two
 * intervals are among them. What is not asked for again is forgotten in time, so that it stays small.
 */
#ifndef TCPTOP_SEEN_H
#define TCPTOP_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;

/* As many latest ones at least are known. */
#define SEEN_KEPT 65536

/* Memory at most for each connection of an interval: up to four places, and half as many while they become more. */
#define SEEN_BYTES (6 * sizeof(uint64_t))

struct seen_half {
	uint64_t *hashes; /* open addressing, 0 free */
	size_t slot_count;
	size_t count;
};

struct seen {
	struct seen_half young; /* gets new ones; takes the place of old when it is full */
	struct seen_half old;
	size_t kept;
};

/* Zeroes it. */
void seen_init(struct seen *seen);
void seen_fini(struct seen *seen);

/* Adds the connections of an interval's sessions. 0 or -ENOMEM. */
int seen_add(struct seen *seen, const struct session *sessions, size_t count);

/* Adds any hash, say of a line that has been written. 1: it was not known; 0: it was; or -ENOMEM. */
int seen_add_hash(struct seen *seen, uint64_t hash);

/* False for one that was not added, but for one in 2^40; true for those that are still known. */
bool seen_has(const struct seen *seen, const struct session *connection);

#endif
