/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What conditions hold for, all kinds in one form: of what a place can have, put in an order in which that is one range. A cgroup
 * is its path, whose range begins with it and has all that is below.
 */
#ifndef TCPTOP_CONDITION_RANGE_H
#define TCPTOP_CONDITION_RANGE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct condition;

/* What a test can look at. */
enum place {
	PLACE_CGROUP,
	PLACE_MNTNS,
	PLACE_NETNS,
	PLACE_UID,
	PLACE_COMM,
	PLACE_LOCAL_PORT,
	PLACE_REMOTE_PORT,
	PLACE_ADDRESS, /* both ends': they are of one family, and an exclusion is for either */
	PLACE_COUNT,
};

/* Is less than what begins with it and goes on. */
struct bound {
	size_t length;
	uint8_t bytes[PATH_MAX + 2];
};

/* Has first, and what is before end. */
struct range {
	struct bound first, end;
};

bool range_has(const struct range *range, const struct bound *value);

/* All that there is at a place, in *count ranges of these. */
void range_of_place(struct range ranges[2], size_t *count, enum place place);

/* condition_kind.cover of each kind. */
unsigned cover_cgroup(const struct condition *condition, struct range *range);
unsigned cover_uid(const struct condition *condition, struct range *range);
unsigned cover_comm(const struct condition *condition, struct range *range);
unsigned cover_port(const struct condition *condition, struct range *range);
unsigned cover_local_port(const struct condition *condition, struct range *range);
unsigned cover_remote_port(const struct condition *condition, struct range *range);
unsigned cover_network(const struct condition *condition, struct range *range);
unsigned cover_netns(const struct condition *condition, struct range *range);
unsigned cover_mntns(const struct condition *condition, struct range *range);

#endif
