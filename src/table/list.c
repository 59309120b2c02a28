/* SPDX-License-Identifier: Apache-2.0 */
#include "table/list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "names/names.h"
#include "table/view.h"

#define ITEMS_MIN 256
#define PREFETCH_AHEAD 6

static struct traffic *shown(struct view *view)
{
	return view->is_frozen ? &view->frozen : &view->live;
}

/* The key of the group that a session belongs to, in the fields that its row shows. */
static struct session group_key(enum grouping grouping, const struct row *row)
{
	const struct session *session = &row->session;
	struct session key = { .uid = session->uid };

	switch (grouping) {
	case GROUPING_PROCESS:
		key.pid = session->pid;
		key.netns = session->netns;
		break;
	case GROUPING_REMOTE:
		key.family = session->family;
		memcpy(key.raddr, session->raddr, sizeof key.raddr);
		break;
	case GROUPING_CONTAINER:
		key.netns = row->container; /* not shown there: any field of the key serves */
		break;
	case GROUPING_NONE:
	case GROUPING_COUNT:
		break;
	}
	return key;
}

static bool is_listed(struct view *view, struct row *row)
{
	const struct session *session = &row->session;

	if (view->family && session->family != view->family)
		return false;
	if (view->one_user && session->uid != view->uid)
		return false;
	if (view->opened) {
		struct session key = group_key(view->grouping, row);

		if (session_compare_key(&key, &view->opened_key) != 0)
			return false;
	}
	if (!view->filter.word_count)
		return true;
	if (row->match_epoch != view->epoch) {
		bool hopeless = view->narrows && row->match_epoch == view->epoch - 1 && !row->matched;

		row->matched =
		    !hopeless && match_row(&view->filter, row, view->context.names, view->context.host_names);
		row->match_epoch = view->epoch;
	}
	return row->matched;
}

static void add_to_group(struct row *group, const struct row *row, bool added)
{
	const struct session *session = &row->session;

	if (added) {
		memcpy(group->session.comm, session->comm, sizeof session->comm);
		group->session.mntns = session->pid; /* of the first member: to see whether others differ */
		group->session.cgroup_id = session->cgroup_id;
		group->container = row->container;
		group->first_tick = row->first_tick;
		group->first_seen_s = row->first_seen_s;
	}
	group->members++;
	group->mixed |= group->session.mntns != session->pid;
	if (group->session.uid != session->uid)
		group->session.uid = UINT32_MAX;
	if (group->container != row->container)
		group->container = 0;
	group->session.rx_bytes += session->rx_bytes;
	group->session.tx_bytes += session->tx_bytes;
	group->rx_total_bytes += row->rx_total_bytes;
	group->tx_total_bytes += row->tx_total_bytes;
	if (row->seen_tick > group->seen_tick)
		group->seen_tick = row->seen_tick;
	if (row->first_tick < group->first_tick) {
		group->first_tick = row->first_tick;
		group->first_seen_s = row->first_seen_s;
	}
	for (unsigned i = 0; i < ROW_POINTS; i++) {
		uint32_t sum = group->points[i] + row->points[i];

		group->points[i] = sum < row->points[i] ? UINT32_MAX : sum;
	}
}

static int build_groups(struct view *view)
{
	struct rows *rows = &shown(view)->rows;

	rows_clear(&view->groups);
	for (size_t i = 0; i < rows->count; i++) {
		struct row *row = &rows->rows[i];
		bool added;

		if (!is_listed(view, row))
			continue;
		struct session key = group_key(view->grouping, row);
		size_t index = rows_find_or_add(&view->groups, &key, &added);

		if (index == ROW_NONE)
			return -ENOMEM;
		add_to_group(&view->groups.rows[index], row, added);
	}
	return 0;
}

struct rows *view_list_rows(struct view *view)
{
	return view->context.grouping == GROUPING_NONE ? &shown(view)->rows : &view->groups;
}

static int reserve_items(struct view *view, size_t count)
{
	size_t capacity = view->capacity;

	if (count <= capacity && (capacity <= ITEMS_MIN || count >= capacity / 8))
		return 0;
	capacity = count + count / 4 < ITEMS_MIN ? ITEMS_MIN : count + count / 4;
	struct view_item *items = reallocarray(view->items, capacity, sizeof *items);

	if (!items)
		return -ENOMEM;
	view->items = items;
	view->capacity = capacity;
	return 0;
}

static void name_containers(struct view *view, struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		struct row *row = &rows->rows[i];

		if (!row->container && row->session.cgroup_id)
			row->container =
			    names_container(view->context.names, row->session.cgroup_id, row->session.pid);
	}
}

int view_list_build(struct view *view)
{
	bool grouped = view->grouping != GROUPING_NONE && !view->opened;

	view->context.traffic = shown(view);
	view->context.grouping = grouped ? view->grouping : GROUPING_NONE;
	if (!(view->sort.column->groupings & 1 << view->context.grouping))
		view->sort = column_sort_default();
	name_containers(view, &shown(view)->rows);
	rows_clear(&view->groups);
	view->count = 0;
	if (grouped && build_groups(view) < 0)
		return -ENOMEM;
	struct rows *rows = view_list_rows(view);

	if (reserve_items(view, rows->count) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < rows->count; i++) {
		/* Of each row three cache lines are read, and the rows are far too many for the cache. */
		for (size_t ahead = 0; i + PREFETCH_AHEAD < rows->count && ahead < 3 * 64; ahead += 64)
			__builtin_prefetch((const char *)&rows->rows[i + PREFETCH_AHEAD] + ahead);
		if (!grouped && !is_listed(view, &rows->rows[i]))
			continue;
		view->items[view->count++] = (struct view_item){
			.rank = view->sort.column->rank(&view->context, &rows->rows[i]),
			.row = (uint32_t)i,
		};
	}
	view->sorted_from = view->sorted_to = 0;
	view->stale = false;
	return 0;
}
