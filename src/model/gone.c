/* SPDX-License-Identifier: Apache-2.0 */
#include "model/gone.h"

#include <string.h>

/* Going in batches of a quarter makes the search for the oldest cheap. */
#define GONE_MAX (GONE_KEPT + GONE_KEPT / 3)

void gone_init(struct gone *gone)
{
	memset(gone, 0, sizeof *gone);
	rows_init(&gone->groups);
}

void gone_fini(struct gone *gone)
{
	rows_fini(&gone->groups);
}

void gone_reset(struct gone *gone)
{
	gone_fini(gone);
	gone_init(gone);
}

static void add_left(struct gone *gone, const struct row *row)
{
	gone->left_groups++;
	gone->left_rx_bytes += row->rx_total_bytes;
	gone->left_tx_bytes += row->tx_total_bytes;
}

static struct session gone_key(enum grouping grouping, const struct row *row)
{
	struct session key = group_key(grouping, row);

	key.family = row->session.family;
	return key;
}

void gone_add(struct gone *gone, enum grouping grouping, const struct row *row, uint32_t tick)
{
	struct session key = gone_key(grouping, row);
	bool added;

	if (!row->rx_total_bytes && !row->tx_total_bytes)
		return; /* since the totals were reset */
	size_t index = rows_find_or_add(&gone->groups, &key, &added);

	if (index == ROW_NONE) {
		add_left(gone, row);
		return;
	}
	group_add(&gone->groups.rows[index], row, added);
	gone->added_tick = tick;
	gone->has_averages = true;
}

static void leave(void *gone, const struct row *row)
{
	add_left(gone, row);
}

int gone_trim(struct gone *gone, enum grouping grouping, const struct rows *rows, uint32_t tick)
{
	struct rows *groups = &gone->groups;

	if (groups->count <= GONE_MAX || gone->added_tick != tick)
		return 0;
	/* A group is as young as the youngest of its connections that are left. */
	for (size_t i = 0; i < rows->count; i++) {
		const struct row *row = &rows->rows[i];
		struct session key = gone_key(grouping, row);
		size_t index = rows_find(groups, &key);

		if (index != ROW_NONE && groups->rows[index].seen_tick < row->seen_tick)
			groups->rows[index].seen_tick = row->seen_tick;
	}
	const struct rows_eviction eviction = { .keep = GONE_KEPT, .tick = tick, .leave = leave, .to = gone };

	return rows_evict(groups, &eviction);
}

void gone_tick(struct gone *gone, uint32_t tick, const struct average_clock *clock)
{
	bool has_points = tick - gone->added_tick <= ROW_POINTS, has_averages = false;

	if (!has_points && !gone->has_averages)
		return; /* all are zero */
	for (size_t i = 0; i < gone->groups.count; i++) {
		gone->groups.rows[i].points[tick % ROW_POINTS] = 0;
		has_averages |= averages_add(&gone->groups.rows[i].averages, clock, 0, 0);
	}
	gone->has_averages = has_averages;
}
