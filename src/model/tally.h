/* SPDX-License-Identifier: Apache-2.0 */
/* How many different processes, containers and users a group has: what its rows do not have in common is counted. */
#ifndef TCPTOP_TALLY_H
#define TCPTOP_TALLY_H

#include <stddef.h>
#include <stdint.h>

/* Of what a group may have several. To add one: how a row tells it in group.c, and where it is shown. */
enum tally {
	TALLY_PROCESSES,
	TALLY_CONTAINERS,
	TALLY_USERS,
	TALLY_COUNT,
};

/* Beside them in a row's `several`: not all that was added up has its name. Names are not counted. */
#define SEVERAL_NAMES (1 << TALLY_COUNT)

struct tally_entry {
	uint64_t value;
	uint32_t owner; /* group and tally; 0: free */
};

/* What has been counted, so that it is counted once. */
struct tallies {
	struct tally_entry *entries; /* open addressing */
	size_t entry_count;          /* a power of two, at least twice the count; or 0 */
	size_t count;
};

/* Zeroes *tallies, which the caller owns. */
void tallies_init(struct tallies *tallies);
void tallies_fini(struct tallies *tallies);

/* Forgets all, but keeps the memory, unless little of it was used. */
void tallies_clear(struct tallies *tallies);

/* Whether the value is new to a group, given by its number: 1, or 0 when it was counted before; -ENOMEM. */
int tallies_add(struct tallies *tallies, uint32_t group, enum tally tally, uint64_t value);

#endif
