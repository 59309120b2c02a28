/* SPDX-License-Identifier: Apache-2.0 */
/* What an interval's tracing has cost, and what follows where that is limited. Pure: figures in, decisions out. */
#ifndef TCPTOP_COST_H
#define TCPTOP_COST_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: not known. */
struct own_cost {
	uint64_t total_ns; /* processor time: this process's, and */
	uint64_t
	    programs_ns; /* that of the programs in the kernel, by their runs and what a run was measured to take */
	uint64_t runs; /* of them, for calls that may move bytes */
};

/* "0.04%", of one processor. */
#define COST_TEXT_SIZE 32
const char *cost_share(char text[COST_TEXT_SIZE], uint64_t ns, uint64_t interval_ns);

#define COST_PPM_OF_PERCENT 10000

/* Where it is limited. */
struct overhead {
	uint32_t limit_ppm;   /* of one processor; 0: no limit */
	uint64_t interval_ns; /* that is asked for */
	unsigned over;        /* intervals above the limit, one after the other */
	bool can_drop;        /* there are passes that can be done without */
};

enum overhead_action {
	OVERHEAD_DROPS = 1 << 0,    /* passes are to be left out from now on */
	OVERHEAD_INTERVAL = 1 << 1, /* intervals are to take so long: interval_ns */
	OVERHEAD_STOPS = 1 << 2,    /* nothing helps */
};

/* An interval's cost, and what is to be done: bits of enum overhead_action. */
unsigned overhead_judge(struct overhead *overhead, const struct own_cost *cost, uint64_t took_ns);

#endif
