/* SPDX-License-Identifier: Apache-2.0 */
/* How connections ended, by process and what is at their other end: the remote or, of accepted ones, the port that it serves. */
#ifndef TCPTOP_ENDS_H
#define TCPTOP_ENDS_H

#include <stddef.h>
#include <stdint.h>

#include "model/rows.h"

struct end_counts {
	struct session session; /* the latest one's */
	uint32_t ended;
	uint32_t refused;
	uint32_t resets, resets_here; /* by either side, by this one */
	uint32_t shorts,
	    shorts_closed_here; /* of those that it began: lived for less than a second, and were closed */
};

struct ends {
	struct rows rows;
	struct end_counts *counts; /* beside rows */
	size_t capacity;
};

/* Zeroes *ends, which the caller owns; ends_fini frees what it has allocated. */
void ends_init(struct ends *ends);
void ends_fini(struct ends *ends);

/* Adds an interval. 0 or -ENOMEM. */
int ends_add(struct ends *ends, const struct snapshot *snapshot);

#endif
