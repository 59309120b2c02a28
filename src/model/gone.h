/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What connections moved whose rows had to go, by group: their sums are in a group's as long as the group is kept,
 * then in one remainder. So nothing that was counted is ever missing, and what is kept is bounded.
 */
#ifndef TCPTOP_GONE_H
#define TCPTOP_GONE_H

#include "model/group.h"

/* A group's sums may go once so many newer ones have been kept. */
#define GONE_KEPT 3072

struct gone {
	struct rows groups;     /* by group_key and family, so that IPv4 and IPv6 stay apart */
	uint64_t left_groups;   /* how many of them had to go, too */
	uint64_t left_rx_bytes; /* and what they had moved */
	uint64_t left_tx_bytes;
	uint32_t added_tick; /* when the latest row was added */
	bool has_averages;   /* that are not all zero yet */
};

void gone_init(struct gone *gone);
void gone_fini(struct gone *gone);

/* Forgets all, as the totals start from zero. */
void gone_reset(struct gone *gone);

/* Adds the row of a connection that goes in interval `tick`. When memory is short, its bytes go to the remainder. */
void gone_add(struct gone *gone, enum grouping grouping, const struct row *row, uint32_t tick);

/* To be called after the gone_adds of an interval, with the rows that are left: lets the oldest groups go. 0 or -ENOMEM. */
int gone_trim(struct gone *gone, enum grouping grouping, const struct rows *rows, uint32_t tick);

/* To be called in every interval before gone_add: all histories and averages get an interval without traffic. */
void gone_tick(struct gone *gone, uint32_t tick, const struct average_clock *clock);

#endif
