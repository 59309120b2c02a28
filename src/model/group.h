/* SPDX-License-Identifier: Apache-2.0 */
/* Groupings of connections: what tells one group from another, and how connections add up to a group. */
#ifndef TCPTOP_GROUP_H
#define TCPTOP_GROUP_H

#include <stdbool.h>

#include "model/grouping.h"
#include "model/rows.h"

struct tallies;

/* "process", or "processes" when many. Not for GROUPING_NONE. */
const char *grouping_name(enum grouping grouping, bool many);

/*
 * The key of the group that a row belongs to, for struct rows: what all connections of the group have in common,
 * the rest zero. The row of a smaller group belongs to it, too, if that has the same in common.
 */
struct session group_key(enum grouping grouping, const struct row *row);

/*
 * Adds a row, a connection or a smaller group, to a group, which is new if `added`: bytes, totals, history, times.
 * What differs between the two is not known of the group; its name is that of whoever was seen last. Leaves alone
 * what struct rows finds the group by, and the number of members.
 */
void group_add(struct row *group, const struct row *row, bool added);

/*
 * To be called before group_add: counts what the row has of what a group may have several, in the group's counts.
 * `number` is the group's among those of the tallies. 0 or -ENOMEM.
 */
int group_count(struct row *group, uint32_t number, const struct row *row, struct tallies *tallies);

#endif
