/* SPDX-License-Identifier: Apache-2.0 */
/* What tracing costs: the runs of programs, and the processor time of this process. */
#ifndef TCPTOP_TRACE_COST_H
#define TCPTOP_TRACE_COST_H

#include <stdint.h>

#include "model/cost.h"
#include "model/session.h"

struct tracing;

struct cost_meter {
	const struct tracing *tracing; /* borrowed */
	uint64_t *counts;              /* of each processor */
	uint64_t runs[RUN_KINDS];      /* as last read: they only grow */
	uint64_t cpu_ns;               /* the same */
};

/* Counts runs from the start of tracing on, and this process from now on. 0 or -ENOMEM; cost_fini frees. */
int cost_init(struct cost_meter *meter, const struct tracing *tracing);
void cost_fini(struct cost_meter *meter);

/* What came to be since the last call. */
void cost_read(struct cost_meter *meter, struct own_cost *cost);

#endif
