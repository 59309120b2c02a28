/* SPDX-License-Identifier: Apache-2.0 */
#include "table/column.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/format.h"

static const char *const default_ids[] = {
	"pid",
	"name",
	"user",
	"laddr",
	"raddr",
	"rx",
	"tx",
	"total",
	"history",
	"container",
	"netns",
	"processes",
	"connections",
};

const struct column *column_find(const char *id)
{
	for (size_t i = 0; i < column_count; i++)
		if (strcmp(column_table[i].id, id) == 0)
			return &column_table[i];
	return NULL;
}

void column_list_default(struct column_list *list)
{
	list->count = 0;
	for (size_t i = 0; i < sizeof default_ids / sizeof default_ids[0]; i++) {
		const struct column *column = column_find(default_ids[i]);

		if (column)
			list->indices[list->count++] = (uint8_t)(column - column_table);
	}
}

struct column_sort column_sort_default(void)
{
	return (struct column_sort){ .column = column_find("rate"), .descending = true };
}

bool column_list_has(const struct column_list *list, const struct column *column)
{
	for (size_t i = 0; i < list->count; i++)
		if (&column_table[list->indices[i]] == column)
			return true;
	return false;
}

unsigned column_list_needs(const struct column_list *list)
{
	unsigned needs = COLUMN_NEEDS_NOTHING;

	for (size_t i = 0; i < list->count; i++)
		needs |= column_table[list->indices[i]].needs;
	return needs;
}

size_t column_ids(char *buffer, size_t size, const char *separator)
{
	size_t length = 0;

	for (size_t i = 0; i < column_count; i++)
		length += (size_t)snprintf(length < size ? buffer + length : NULL,
		    length < size ? size - length : 0, "%s%s", i ? separator : "", column_table[i].id);
	return length;
}

static int unknown_column(struct error *error, const char *option, const char *text, size_t length)
{
	char ids[256];

	column_ids(ids, sizeof ids, ",");
	/* A pasted word may have control characters. */
	char word[64];

	line_fit(word, sizeof word, text, length, 32, false);
	return error_set(error, EXIT_CODE_USAGE, -EINVAL, "%s: there is no column \"%s\"; columns are %s",
	    option, word, ids);
}

static const struct column *find_part(const char *text, size_t length)
{
	for (size_t i = 0; i < column_count; i++)
		if (strlen(column_table[i].id) == length && memcmp(column_table[i].id, text, length) == 0)
			return &column_table[i];
	return NULL;
}

int column_parse_list(struct column_list *list, const char *text, struct error *error)
{
	struct column_list parsed = { .count = 0 };

	for (;;) {
		size_t length = strcspn(text, ",");
		const struct column *column = find_part(text, length);

		if (!column)
			return unknown_column(error, "--columns", text, length);
		if (column_list_has(&parsed, column))
			return error_set(
			    error, EXIT_CODE_USAGE, -EINVAL, "--columns: \"%s\" is there twice", column->id);
		if (parsed.count < COLUMNS_MAX)
			parsed.indices[parsed.count++] = (uint8_t)(column - column_table);
		if (!text[length])
			break;
		text += length + 1;
	}
	*list = parsed;
	return 0;
}

int column_parse_sort(struct column_sort *sort, const char *text, struct error *error)
{
	size_t length = strcspn(text, ":");
	const struct column *column = find_part(text, length);

	if (!column)
		return unknown_column(error, "--sort", text, length);
	*sort = (struct column_sort){ .column = column, .descending = column->descending };
	if (!text[length])
		return 0;
	if (strcmp(text + length, ":asc") == 0)
		sort->descending = false;
	else if (strcmp(text + length, ":desc") == 0)
		sort->descending = true;
	else
		return error_set(error, EXIT_CODE_USAGE, -EINVAL,
		    "--sort: after the column only :asc or :desc may stand, as in --sort %s:asc", column->id);
	return 0;
}

const char *column_title(
    const struct column *column, const struct column_context *context, char *buffer, size_t size)
{
	static const char *const ends[AMOUNT_COUNT] = {
		[AMOUNT_RATE] = "/s",
		[AMOUNT_INTERVAL] = "",
		[AMOUNT_TOTAL] = " sum",
	};

	if (column->title)
		snprintf(buffer, size, "%s", column->title);
	else
		snprintf(buffer, size, "%s%s", column->direction, ends[context->amount]);
	return buffer;
}

void column_cell_text(const struct column_context *context, const char *text, struct cell *cell)
{
	cell->columns =
	    line_fit(cell->text, sizeof cell->text, text, strlen(text), cell->width, context->utf8);
}

void column_cell_number(uint64_t number, struct cell *cell)
{
	cell->columns = format_count(cell->text, sizeof cell->text, number, cell->width);
}
