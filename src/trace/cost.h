/* SPDX-License-Identifier: Apache-2.0 */
/* What tracing costs: the runs of programs, and the processor time of this process and its children. */
#ifndef TCPTOP_TRACE_COST_H
#define TCPTOP_TRACE_COST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "model/cost.h"
#include "model/session.h"

struct tracing;

enum { COST_CHILDREN_MAX = 4 };

/* A process. */
struct cost_clock {
	clockid_t clock;
	uint64_t cpu_ns; /* as last read */
};

struct cost_meter {
	const struct tracing *tracing; /* borrowed */
	uint64_t *counts;              /* of each processor */
	uint64_t *began;               /* RUN_BEGINS of each, as last read */
	uint64_t runs[RUN_KINDS];      /* as last read: they only grow */
	struct cost_clock clocks[1 + COST_CHILDREN_MAX];
	size_t clock_count;
};

/*
 * Counts runs from the start of tracing on, and this process and its children from now on: up to COST_CHILDREN_MAX, 0 is
 * none. 0 or -ENOMEM; cost_fini frees.
 */
int cost_init(
    struct cost_meter *meter, const struct tracing *tracing, const pid_t children[COST_CHILDREN_MAX]);
void cost_fini(struct cost_meter *meter);

/* What came to be since the last call, within so much time. */
void cost_read(struct cost_meter *meter, uint64_t span_ns, struct own_cost *cost);

#endif
