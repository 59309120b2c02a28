/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges begin and end at a few values. If anything passes, then one of these does: where a range begins that must hold, or one has
 * ended that must not. So it is enough to try them.
 */
#include "kernel/condition_left.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/escape.h"
#include "base/util.h"
#include "kernel/condition.h"
#include "kernel/condition_range.h"

enum { SHOWN_COLUMNS = 60, SHOWN_SIZE = 96 };

/* The options are conditions, too: all addresses of a family. */
static const struct condition_kind ipv4 = { .option = "ipv4", .cover = cover_network };
static const struct condition_kind ipv6 = { .option = "ipv6", .cover = cover_network };
static const struct condition families[] = {
	{ .kind = &ipv4, .text = "", .network = { .family = AF_INET } },
	{ .kind = &ipv6, .text = "", .network = { .family = AF_INET6 } },
};

struct tests {
	const struct condition **items;
	size_t count;
};

static bool holds(const struct condition *condition, enum place place, const struct bound *value)
{
	struct range range;

	return condition->kind->cover(condition, &range) & 1U << place && range_has(&range, value);
}

/* Where those of a kind look that must hold: at more than one place, one of them has to. 0: there are none. */
static unsigned wanted_places(const struct tests *tests, const struct condition_kind *kind)
{
	struct range range;
	unsigned places = 0;

	for (size_t i = 0; i < tests->count; i++)
		if (tests->items[i]->kind == kind && !tests->items[i]->excludes)
			places |= kind->cover(tests->items[i], &range);
	return places;
}

static bool any_wants(
    const struct tests *tests, const struct condition_kind *kind, enum place place, const struct bound *value)
{
	for (size_t i = 0; i < tests->count; i++)
		if (tests->items[i]->kind == kind && !tests->items[i]->excludes &&
		    holds(tests->items[i], place, value))
			return true;
	return false;
}

/*
 * What keeps a value from passing at this place; NULL: it passes. also: a kind that looks at other places, too, and has to hold at
 * this one; NULL: none.
 */
static const struct condition *find_refusal(
    const struct tests *tests, const struct condition_kind *also, enum place place, const struct bound *value)
{
	const struct condition_kind *seen = NULL;

	for (size_t i = 0; i < tests->count; i++) {
		const struct condition *test = tests->items[i];

		if (test->excludes && holds(test, place, value))
			return test;
		if (test->excludes || test->kind == seen)
			continue; /* values of a kind mostly stand one after the other */
		seen = test->kind;
		if ((test->kind == also || wanted_places(tests, test->kind) == 1U << place) &&
		    !any_wants(tests, test->kind, place, value))
			return test;
	}
	return NULL;
}

static bool exists(enum place place, const struct bound *value)
{
	struct range all[2];
	size_t count;

	range_of_place(all, &count, place);
	return range_has(&all[0], value) || (count > 1 && range_has(&all[1], value));
}

static bool can_pass(const struct tests *tests, const struct condition_kind *also, enum place place)
{
	struct range range, all[2];
	size_t count;

	range_of_place(all, &count, place);
	for (size_t i = 0; i < count; i++)
		if (!find_refusal(tests, also, place, &all[i].first))
			return true;
	for (size_t i = 0; i < tests->count; i++) {
		const struct condition *test = tests->items[i];
		const struct bound *value = test->excludes ? &range.end : &range.first;

		if (test->kind->cover(test, &range) & 1U << place && exists(place, value) &&
		    !find_refusal(tests, also, place, value))
			return true;
	}
	return false;
}

/* A place at which nothing can pass, and the kind of which one has to hold there, or NULL. False: something can. */
static bool find_dead_end(const struct tests *tests, enum place *place, const struct condition_kind **also)
{
	*also = NULL;
	for (*place = 0; *place < PLACE_COUNT; ++*place)
		if (!can_pass(tests, NULL, *place))
			return true;
	for (size_t i = 0; i < tests->count; i++) {
		unsigned places = wanted_places(tests, tests->items[i]->kind);
		bool passes = !(places & (places - 1));

		if (tests->items[i]->kind == *also)
			continue;
		*also = tests->items[i]->kind;
		for (enum place at = 0; at < PLACE_COUNT && !passes; at++) {
			*place = places & 1U << at ? at : *place;
			passes = places & 1U << at && can_pass(tests, *also, at);
		}
		if (!passes)
			return true;
	}
	return false;
}

static bool is_alternative(const struct condition *test, const struct condition *to)
{
	return to && !test->excludes && !to->excludes && test->kind == to->kind;
}

/* Do these two, with what might hold instead of them, leave something? Drops the other tests. */
static bool others_matter(
    const struct tests *tests, const struct condition *wanted, const struct condition *refusal)
{
	struct tests kept = { tests->items, 0 };
	const struct condition_kind *also;
	enum place place;

	for (size_t i = 0; i < tests->count; i++)
		if (tests->items[i] == refusal || is_alternative(tests->items[i], wanted) ||
		    is_alternative(tests->items[i], refusal))
			kept.items[kept.count++] = tests->items[i];
	return !find_dead_end(&kept, &place, &also);
}

/* As it would be given again, for a shell. */
static void quote(char shown[SHOWN_SIZE], const struct condition *condition)
{
	char text[SHOWN_COLUMNS + 1];
	const char *mark = condition->excludes ? "'" : "";

	escape_text(text, sizeof text, condition->text, strlen(condition->text), SHOWN_COLUMNS, false);
	snprintf(shown, SHOWN_SIZE, "--%s%s%s%s%s%s", condition->kind->option, *text ? " " : "", mark,
	    condition->excludes ? "!" : "", text, mark);
}

/* What leaves nothing of one that must hold, or of everything. */
static int refuse(
    const struct tests *tests, enum place place, const struct condition_kind *also, struct error *error)
{
	const struct condition *wanted = NULL;
	struct range range, all[2];
	char shown[2][SHOWN_SIZE];
	size_t count;

	for (size_t i = 0; i < tests->count && !wanted; i++) {
		const struct condition *test = tests->items[i];
		unsigned places = wanted_places(tests, test->kind);

		if (!test->excludes && test->kind->cover(test, &range) & 1U << place &&
		    (also ? test->kind == also : places == 1U << place))
			wanted = test;
	}
	range_of_place(all, &count, place);
	const struct condition *refusal =
	    find_refusal(tests, also, place, wanted ? &range.first : &all[0].first);
	bool others = others_matter(tests, wanted, refusal);

	quote(shown[0], refusal);
	if (!wanted)
		return error_set(error, EXIT_CODE_USAGE, -EINVAL, "nothing can match: %s%s", shown[0],
		    others ? " and the other filters exclude all" : " excludes all");
	quote(shown[1], wanted);
	return error_set(error, EXIT_CODE_USAGE, -EINVAL, "nothing can match %s and %s at once%s", shown[1],
	    shown[0], others ? ", with the other filters" : "");
}

/* One item more is free in front. */
static int check_tests(struct tests tests, int *family, struct error *error)
{
	const struct condition_kind *also;
	enum place place;
	bool passes[COUNT_OF(families)];

	if (*family) {
		tests.items--;
		tests.count++;
		tests.items[0] = &families[*family == 6];
	}
	if (find_dead_end(&tests, &place, &also))
		return refuse(&tests, place, also, error);
	for (size_t i = 0; i < COUNT_OF(families) && !*family; i++) {
		tests.items[-1] = &families[i];
		passes[i] =
		    can_pass(&(struct tests){ tests.items - 1, tests.count + 1 }, NULL, PLACE_ADDRESS);
	}
	if (!*family && passes[0] != passes[1])
		*family = passes[0] ? 4 : 6;
	return 0;
}

int conditions_check(const struct conditions *conditions, int *family, struct error *error)
{
	const struct condition **items = calloc(conditions->count + 1, sizeof(const struct condition *));

	if (!items)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory: filters");
	for (size_t i = 0; i < conditions->count; i++)
		items[1 + i] = &conditions->items[i];
	int err = check_tests((struct tests){ items + 1, conditions->count }, family, error);

	free(items);
	return err;
}
