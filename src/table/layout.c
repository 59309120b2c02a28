/* SPDX-License-Identifier: Apache-2.0 */
#include "table/layout.h"

#include <string.h>

struct candidate {
	const struct column *column;
	unsigned order; /* from the left */
	unsigned priority;
	unsigned min, pref, max;
	unsigned width; /* 0: not taken */
	bool must;      /* it shrinks others below their preferred width */
};

/* Whole numbers of KB or bytes, and bits, need more room than three digits, a letter and a B. */
static unsigned unit_extra(const struct column *column, const struct column_context *context)
{
	static const unsigned extra[UNIT_COUNT] = { [UNIT_KB] = 2, [UNIT_BYTES] = 5, [UNIT_BITS] = 2 };

	return column->is_amount ? extra[context->unit] : 0;
}

/* The title of an amount keeps its width, but on a narrow screen it has to leave room for the other columns. */
#define WIDE 60
#define TITLE_NARROW 8
#define NAMES_WIDE 24
/* What open sockets are asked for: as TOTAL, before HISTORY and CONTAINER. */
#define OPEN_PRIORITY 7

static struct candidate candidate_of(
    const struct column *column, const struct column_context *context, unsigned width)
{
	char title[32];
	unsigned titled =
	    (unsigned)strlen(column_title(column, context, title, sizeof title)) + column->right;
	unsigned extra = unit_extra(column, context);
	struct candidate candidate = {
		.column = column,
		.priority = column->identifies & 1u << context->grouping ? 0 : column->priority + 1u,
		.min = column->width_min,
		.pref = column->width_pref + extra,
		.max = column->width_max + extra,
	};

	/* What tells one group from another is not cut to make room for others, but for addresses, which are long. */
	if (candidate.priority == 0 && !column->is_address && candidate.max <= NAMES_WIDE)
		candidate.pref = candidate.max;
	/* A listener is told by its local end, and of open sockets more is asked than what they move. */
	if (context->open && column->is_address)
		candidate.priority = column->essential ? 2 : 3;
	if (context->open && column->fits_open && candidate.priority > OPEN_PRIORITY)
		candidate.priority = OPEN_PRIORITY;
	/* An order that cannot be seen is hard to believe: others make room for it. */
	if (column == context->sorted)
		candidate.priority = 0;
	candidate.must = column == context->sorted ||
	                 (context->open && (column->is_address || column->with_open)) ||
	                 (context->all && column->is_address);
	/* An address column gets no more than its addresses need, */
	if (column->is_address && candidate.max > context->address_columns)
		candidate.max = context->address_columns;
	/* and where LAST stands beside both, LOCAL does not wait for longer ones. */
	if (column->is_address && context->all && !column->essential && candidate.pref > candidate.max)
		candidate.pref = candidate.max > candidate.min ? candidate.max : candidate.min;
	if (candidate.pref < titled)
		candidate.pref = titled;
	if (width < WIDE && titled > TITLE_NARROW)
		titled = TITLE_NARROW;
	if (column->direction && candidate.min < titled)
		candidate.min = titled;
	if (candidate.max < candidate.pref)
		candidate.max = candidate.pref;
	return candidate;
}

/* On a screen this wide the addresses would stand between a name and its numbers. */
#define NUMBERS_FIRST 160

/* Where a column stands, from the left: the one that leads, the others as listed, on a wide screen numbers after NAME. */
static unsigned order_of(const struct column *column, const struct column_list *list, unsigned at,
    const struct column_context *context, unsigned width)
{
	if (column->leads & 1u << context->grouping)
		return 0;
	for (unsigned i = 0; i < at && column->is_amount && width >= NUMBERS_FIRST; i++)
		if (&column_table[list->indices[i]] == column_find("name"))
			return i + 1;
	return at + 1;
}

static unsigned gather(struct candidate *candidates, const struct column_list *list,
    const struct column_context *context, unsigned width)
{
	unsigned grouping = 1u << context->grouping;
	unsigned count = 0;

	for (unsigned i = 0; i < list->count; i++) {
		const struct column *column = &column_table[list->indices[i]];

		if (!(column->groupings & grouping))
			continue;
		candidates[count] = candidate_of(column, context, width);
		candidates[count++].order = order_of(column, list, i, context, width);
	}
	for (size_t i = 0; i < column_count; i++) {
		const struct column *column = &column_table[i];
		bool leads = column->leads & grouping;
		bool wanted = (column->with_all && context->all) || column == context->sorted ||
		              ((column->with_open || column->fits_open) && context->open);

		if (!(leads || (wanted && (column->groupings & grouping))) || column_list_has(list, column) ||
		    count == COLUMNS_MAX)
			continue;
		candidates[count] = candidate_of(column, context, width);
		candidates[count++].order = leads ? 0 : list->count + 1u;
	}
	return count;
}

/* Candidates are sorted by priority here. */
static void take(struct candidate *candidates, unsigned count, unsigned width)
{
	unsigned min_sum = 0, pref_sum = 0;

	for (unsigned i = 0; i < count; i++) {
		struct candidate *candidate = &candidates[i];
		bool must = candidate->must || candidate->column->essential || candidate->priority == 0;
		unsigned before = must ? min_sum : pref_sum;

		/* The first one is always taken, cut to the width. */
		if (i && before + candidate->min > width)
			continue;
		candidate->width = candidate->min < width ? candidate->min : width;
		min_sum += candidate->min + LAYOUT_GAP;
		pref_sum += candidate->pref + LAYOUT_GAP;
	}
}

static void spread(struct candidate *candidates, unsigned count, unsigned *left, bool addresses, bool to_max)
{
	for (unsigned i = 0; i < count && *left; i++) {
		struct candidate *candidate = &candidates[i];
		unsigned goal = to_max ? candidate->max : candidate->pref;

		if (!candidate->width || goal <= candidate->width ||
		    candidate->column->is_address != addresses)
			continue;
		unsigned more = goal - candidate->width < *left ? goal - candidate->width : *left;

		candidate->width += more;
		*left -= more;
	}
}

static void sort_candidates(struct candidate *candidates, unsigned count, bool by_order)
{
	for (unsigned i = 1; i < count; i++) {
		struct candidate moved = candidates[i];
		unsigned j = i;

		while (j > 0 && (by_order ? candidates[j - 1].order > moved.order
		                          : candidates[j - 1].priority > moved.priority)) {
			candidates[j] = candidates[j - 1];
			j--;
		}
		candidates[j] = moved;
	}
}

void layout_fit(struct layout *layout, const struct column_list *list, const struct column_context *context,
    unsigned width)
{
	struct candidate candidates[COLUMNS_MAX];
	unsigned count = gather(candidates, list, context, width);
	unsigned used = 0, taken = 0;

	sort_candidates(candidates, count, false);
	take(candidates, count, width);
	for (unsigned i = 0; i < count; i++) {
		used += candidates[i].width;
		taken += candidates[i].width > 0;
	}
	if (taken)
		used += (taken - 1) * LAYOUT_GAP;
	unsigned left = width > used ? width - used : 0;

	/* Addresses first: a shortened address tells less than a shortened name. */
	spread(candidates, count, &left, true, false);
	spread(candidates, count, &left, false, false);
	spread(candidates, count, &left, true, true);
	spread(candidates, count, &left, false, true);
	sort_candidates(candidates, count, true);
	layout->count = 0;
	for (unsigned i = 0; i < count; i++)
		if (candidates[i].width)
			layout->columns[layout->count++] = (struct layout_column){
				.column = candidates[i].column,
				.width = candidates[i].width,
			};
}

struct layout_lines layout_lines(unsigned width, unsigned height)
{
	struct layout_lines lines = { .graph = 1 };

	if (height < 14 || width < 44)
		lines.graph = 0;
	else if (height >= 44)
		lines.graph = 3;
	else if (height >= 32)
		lines.graph = 2;
	/* Title, totals, status. */
	lines.header = 1 + (lines.graph ? 2 * lines.graph : 1) + 1;
	/* Column titles and footer. */
	lines.table = height > lines.header + 2 ? height - lines.header - 2 : 0;
	return lines;
}
