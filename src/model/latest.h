/* SPDX-License-Identifier: Apache-2.0 */
/* The latest connections that ended, and how many ended how. */
#ifndef TCPTOP_LATEST_H
#define TCPTOP_LATEST_H

#include <stddef.h>
#include <stdint.h>

#include "model/connection.h"

enum { LATEST_MAX = 1000 };

struct latest_item {
	struct connection connection;
	int64_t ended_s; /* wall clock */
	uint64_t tick;   /* its interval's number */
};

struct latest {
	struct latest_item *items; /* a ring of LATEST_MAX, once there is one */
	size_t count;
	size_t next;
	uint64_t ended[END_COUNT];
	uint64_t lost;
	uint32_t error; /* errno: they cannot be noted */
};

void latest_fini(struct latest *latest);

/*
 * Adds the connections of an interval, given by its number; they are in the order of their ends. When it is not later than others, as in
 * a recording that is played again, those are forgotten; a clock that is set back does not do that. 0 or -ENOMEM.
 */
int latest_add(struct latest *latest, const struct snapshot *snapshot, uint64_t tick);

/* The one that ended `age` before the latest; NULL: there is none. */
const struct latest_item *latest_at(const struct latest *latest, size_t age);

#endif
