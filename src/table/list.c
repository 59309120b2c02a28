/* SPDX-License-Identifier: Apache-2.0 */
#include "table/list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/traffic.h"
#include "names/names.h"
#include "table/order.h"

#define ITEMS_MIN 256
#define PREFETCH_AHEAD 6

void list_init(struct list *list)
{
	memset(list, 0, sizeof *list);
	rows_init(&list->groups);
}

void list_fini(struct list *list)
{
	rows_fini(&list->groups);
	free(list->items);
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
		if (address_is_link_local(session->family, session->raddr)) {
			key.ifindex = session->ifindex;
			memcpy(key.ifname, session->ifname, sizeof key.ifname);
		}
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

static bool is_listed(
    const struct list_settings *settings, const struct column_context *context, struct row *row)
{
	const struct session *session = &row->session;

	if (settings->family && session->family != settings->family)
		return false;
	if (settings->one_user && session->uid != settings->uid)
		return false;
	if (settings->opened) {
		struct session key = group_key(settings->grouping, row);

		if (session_compare_key(&key, &settings->opened_key) != 0)
			return false;
	}
	if (!settings->words.word_count)
		return true;
	if (row->match_epoch != settings->epoch) {
		bool failed = settings->narrows && row->match_epoch == settings->epoch - 1 && !row->matched;

		row->matched =
		    !failed && match_row(&settings->words, row, context->names, context->host_names);
		row->match_epoch = settings->epoch;
	}
	return row->matched;
}

static void add_to_group(struct row *group, const struct row *row, bool added)
{
	const struct session *session = &row->session;

	if (added) {
		memcpy(group->session.comm, session->comm, sizeof session->comm);
		group->session.mntns = session->pid; /* the first member's PID: do others differ? */
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

static int build_groups(
    struct list *list, const struct list_settings *settings, const struct column_context *context)
{
	const struct rows *rows = &context->traffic->rows;

	for (size_t i = 0; i < rows->count; i++) {
		struct row *row = &rows->rows[i];
		bool added;

		if (!is_listed(settings, context, row))
			continue;
		struct session key = group_key(settings->grouping, row);
		size_t index = rows_find_or_add(&list->groups, &key, &added);

		if (index == ROW_NONE)
			return -ENOMEM;
		add_to_group(&list->groups.rows[index], row, added);
	}
	return 0;
}

const struct rows *list_rows(const struct list *list, const struct column_context *context)
{
	return context->grouping == GROUPING_NONE ? &context->traffic->rows : &list->groups;
}

static int reserve_items(struct list *list, size_t count)
{
	size_t capacity = list->capacity;

	if (count <= capacity && (capacity <= ITEMS_MIN || count >= capacity / 8))
		return 0;
	capacity = count + count / 4 < ITEMS_MIN ? ITEMS_MIN : count + count / 4;
	struct view_item *items = reallocarray(list->items, capacity, sizeof *items);

	if (!items)
		return -ENOMEM;
	list->items = items;
	list->capacity = capacity;
	return 0;
}

static void name_containers(const struct column_context *context)
{
	const struct rows *rows = &context->traffic->rows;

	for (size_t i = 0; i < rows->count; i++) {
		struct row *row = &rows->rows[i];

		if (!row->container && row->session.cgroup_id)
			row->container = names_container(
			    context->names, row->session.cgroup_id, row->session.pid, row->first_seen_s);
	}
}

int list_build(struct list *list, const struct list_settings *settings, const struct column_context *context,
    const struct column *column)
{
	bool grouped = context->grouping != GROUPING_NONE;

	name_containers(context);
	rows_clear(&list->groups);
	list->count = 0;
	if (grouped && build_groups(list, settings, context) < 0)
		return -ENOMEM;
	const struct rows *rows = list_rows(list, context);

	if (reserve_items(list, rows->count) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < rows->count; i++) {
		/* Three cache lines of each row are read, and the rows do not fit into the cache. */
		for (size_t ahead = 0; i + PREFETCH_AHEAD < rows->count && ahead < 3 * 64; ahead += 64)
			__builtin_prefetch((const char *)&rows->rows[i + PREFETCH_AHEAD] + ahead);
		if (!grouped && !is_listed(settings, context, &rows->rows[i]))
			continue;
		list->items[list->count++] = (struct view_item){
			.rank = column->rank(context, &rows->rows[i]),
			.row = (uint32_t)i,
		};
	}
	return 0;
}
