/* SPDX-License-Identifier: Apache-2.0 */
#include "table/list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/group.h"
#include "model/traffic.h"
#include "names/names.h"
#include "table/order.h"

#define ITEMS_MIN 256
#define PREFETCH_AHEAD 6

void list_init(struct list *list)
{
	memset(list, 0, sizeof *list);
	rows_init(&list->groups);
	tallies_init(&list->tallies);
}

void list_fini(struct list *list)
{
	rows_fini(&list->groups);
	tallies_fini(&list->tallies);
	free(list->causes);
	free(list->items);
}

/* Idle for long, and nobody has asked for such rows. */
static bool is_hidden(
    const struct list_settings *settings, const struct column_context *context, const struct row *row)
{
	return !context->all && !(context->open && row->session.socket.state) &&
	       !traffic_is_recent(context->traffic, row) &&
	       !(settings->kept && session_compare_key(&row->session, settings->kept) == 0);
}

/* All but the words. */
static bool passes_choices(const struct list_settings *settings, const struct row *row)
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
	return true;
}

bool list_passes(const struct list_settings *settings, const struct column_context *context, struct row *row)
{
	if (!passes_choices(settings, row))
		return false;
	if (!settings->words.word_count)
		return true;
	if (settings->words.of_sockets)
		return match_row(&settings->words, row, context);
	if (row->match_epoch != settings->epoch) {
		bool failed = settings->narrows && row->match_epoch == settings->epoch - 1 && !row->matched;

		row->matched = !failed && match_row(&settings->words, row, context);
		row->match_epoch = settings->epoch;
	}
	return row->matched;
}

bool list_passes_ended(
    const struct list_settings *settings, const struct column_context *context, const struct row *row)
{
	return passes_choices(settings, row) && match_ended(&settings->words, row, context);
}

enum answer list_passes_gone(
    const struct list_settings *settings, const struct column_context *context, const struct row *row)
{
	const struct session *session = &row->session;
	bool one_user = settings->one_user;

	if (settings->family && session->family != settings->family)
		return ANSWER_NO;
	if (one_user && session->uid != settings->uid && session->uid != UINT32_MAX)
		return ANSWER_NO;
	enum answer answer = match_gone(&settings->words, row, context);
	bool untold = one_user && session->uid != settings->uid;

	if (settings->opened) {
		struct session key = group_key(settings->grouping, row);

		untold |= session_compare_key(&key, &settings->opened_key) != 0;
	}
	return untold && answer == ANSWER_YES ? ANSWER_UNKNOWN : answer;
}

bool list_is_narrowed(const struct list_settings *settings)
{
	return settings->opened || settings->words.word_count || settings->one_user || settings->family;
}

/* The number of the sum among the tallies: none of a group. */
#define SUM_NUMBER (UINT32_MAX / TALLY_COUNT - 1)

static int add_to_sum(
    struct list *list, const struct list_settings *settings, const struct row *row, uint32_t members)
{
	struct row *sum = &list->sum;

	if (!list_is_narrowed(settings))
		return 0;
	int err = group_count(sum, SUM_NUMBER, row, &list->tallies);

	group_add(sum, row, !list->summed);
	sum->members += members;
	list->summed = true;
	return err;
}

/* Waits add up beside the rows, as shares in percent cannot. 0 or -ENOMEM. */
static int add_cause(struct list *list, size_t index, const struct row *row)
{
	if (row->session.socket.cause == CAUSE_NONE)
		return 0;
	if (index >= list->cause_count) {
		size_t count = list->groups.capacity;
		struct cause_sum *causes = reallocarray(list->causes, count, sizeof *causes);

		if (!causes)
			return -ENOMEM;
		memset(causes + list->cause_count, 0, (count - list->cause_count) * sizeof *causes);
		list->causes = causes;
		list->cause_count = count;
	}
	cause_add(&list->causes[index], &row->session.socket);
	return 0;
}

static int add_to_groups(
    struct list *list, const struct list_settings *settings, const struct row *row, uint32_t members)
{
	struct session key = group_key(settings->grouping, row);
	bool added;
	size_t index = rows_find_or_add(&list->groups, &key, &added);

	if (index == ROW_NONE)
		return -ENOMEM;
	struct row *group = &list->groups.rows[index];
	int err = group_count(group, (uint32_t)index, row, &list->tallies);

	group_add(group, row, added);
	group->members += members;
	group->closed_members += members && row->closed.clock_ns;
	err = err ?: add_cause(list, index, row);
	return err ?: add_to_sum(list, settings, row, members);
}

static int build_groups(
    struct list *list, const struct list_settings *settings, const struct column_context *context)
{
	const struct rows *rows = &context->traffic->rows;
	const struct rows *gone = &context->traffic->gone[settings->grouping].groups;

	for (size_t i = 0; i < rows->count; i++) {
		struct row *row = &rows->rows[i];
		bool hidden = is_hidden(settings, context, row);

		list->unfiltered += !hidden;
		if (list_passes(settings, context, row) && add_to_groups(list, settings, row, !hidden) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < gone->count; i++) {
		enum answer passes = list_passes_gone(settings, context, &gone->rows[i]);

		list->untold |= passes == ANSWER_UNKNOWN;
		if (passes == ANSWER_YES && add_to_groups(list, settings, &gone->rows[i], 0) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < list->groups.count && i < list->cause_count; i++)
		cause_take(&list->groups.rows[i].session.socket, &list->causes[i]);
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

static void name_containers(const struct column_context *context, const struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		struct row *row = &rows->rows[i];

		if (!row->container && row->session.cgroup_id)
			row->container = names_container(
			    context->names, row->session.cgroup_id, row->member_pid, row_process_s(row));
	}
}

int list_build(struct list *list, const struct list_settings *settings, const struct column_context *context,
    const struct column *column)
{
	bool grouped = context->grouping != GROUPING_NONE;

	name_containers(context, &context->traffic->rows);
	if (grouped)
		name_containers(context, &context->traffic->gone[context->grouping].groups);
	rows_clear(&list->groups);
	tallies_clear(&list->tallies);
	free(list->causes);
	list->causes = NULL;
	list->cause_count = 0;
	list->sum = (struct row){ 0 };
	list->summed = list->untold = false;
	list->count = list->unfiltered = 0;
	if (grouped && build_groups(list, settings, context) < 0)
		return -ENOMEM;
	const struct rows *rows = list_rows(list, context);

	if (reserve_items(list, rows->count) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < rows->count; i++) {
		/* Three cache lines of each row are read, and the rows do not fit into the cache. */
		for (size_t ahead = 0; i + PREFETCH_AHEAD < rows->count && ahead < 3 * 64; ahead += 64)
			__builtin_prefetch((const char *)&rows->rows[i + PREFETCH_AHEAD] + ahead);
		if (!grouped && is_hidden(settings, context, &rows->rows[i]))
			continue;
		list->unfiltered += !grouped;
		if (!grouped && !list_passes(settings, context, &rows->rows[i]))
			continue;
		if (!grouped && add_to_sum(list, settings, &rows->rows[i], 1) < 0)
			return -ENOMEM;
		list->items[list->count++] = (struct view_item){
			.rank = column->rank(context, &rows->rows[i]),
			.row = (uint32_t)i,
		};
	}
	return 0;
}

/* What has come since stands at the end, by when it came. */
static uint64_t rank_held(const struct column_context *context, const struct row *row)
{
	(void)context;
	return row->held ? row->held : (1ull << 32) + row->first_tick;
}

const struct column list_held_column = { .id = "held", .groupings = UINT16_MAX, .rank = rank_held };

static void hold_members(const struct list *list, enum grouping grouping, const struct rows *members)
{
	for (size_t i = 0; i < members->count; i++) {
		struct session key = group_key(grouping, &members->rows[i]);
		size_t group = rows_find(&list->groups, &key);

		members->rows[i].held = group == ROW_NONE ? 0 : list->groups.rows[group].held;
	}
}

void list_hold(struct list *list, const struct column_context *context)
{
	const struct rows *rows = list_rows(list, context);

	for (size_t i = 0; i < rows->count; i++)
		rows->rows[i].held = 0;
	for (size_t i = 0; i < list->count; i++)
		rows->rows[list->items[i].row].held = (uint32_t)i + 1;
	if (context->grouping == GROUPING_NONE)
		return;
	hold_members(list, context->grouping, &context->traffic->rows);
	hold_members(list, context->grouping, &context->traffic->gone[context->grouping].groups);
}

int list_take_apart(struct rows *rows, struct row *kept, const struct list_settings *settings,
    const struct column_context *context, const struct session *group, enum grouping by)
{
	const struct rows *all = &context->traffic->rows;

	*kept = (struct row){ 0 };
	for (size_t i = 0; i < all->count; i++) {
		struct row *row = &all->rows[i];
		struct session key = group_key(context->grouping, row);
		bool added;

		if (session_compare_key(&key, group) != 0 || !list_passes(settings, context, row))
			continue;
		key = group_key(by, row);
		size_t index = rows_find_or_add(rows, &key, &added);

		if (index == ROW_NONE)
			return -ENOMEM;
		group_add(&rows->rows[index], row, added);
		rows->rows[index].members++;
		group_add(kept, row, !kept->members++);
	}
	return 0;
}

size_t list_group_count(const struct list *list, const struct column_context *context)
{
	const struct rows *rows = list_rows(list, context);
	size_t count = list->count;

	if (context->grouping == GROUPING_SERVICE)
		for (size_t i = 0; i < list->count; i++)
			count -= rows->rows[list->items[i].row].session.accepted != ANSWER_YES;
	return count;
}
