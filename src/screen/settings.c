/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/settings.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/format.h"
#include "base/util.h"

/* ---- one setting each: its text, and what a text says ---- */

static void print_columns(FILE *stream, const struct settings *settings)
{
	for (unsigned i = 0; i < settings->columns.count; i++)
		fprintf(stream, "%s%s", i ? "," : "", column_table[settings->columns.indices[i]].id);
}

static bool take_columns(struct settings *settings, const char *text)
{
	struct column_list list;
	struct error error;

	if (column_parse_list(&list, text, &error) < 0)
		return false;
	settings->columns = list;
	return true;
}

static void print_sort(FILE *stream, const struct settings *settings)
{
	fprintf(stream, "%s:%s", settings->sort.column->id, settings->sort.descending ? "desc" : "asc");
}

static bool take_sort(struct settings *settings, const char *text)
{
	struct column_sort sort;
	struct error error;

	if (column_parse_sort(&sort, text, &error) < 0)
		return false;
	settings->sort = sort;
	return true;
}

static void print_units(FILE *stream, const struct settings *settings)
{
	fputs(unit_name(settings->unit), stream);
}

static bool take_units(struct settings *settings, const char *text)
{
	for (int unit = 0; unit < UNIT_COUNT; unit++) {
		if (strcmp(text, unit_name((enum unit)unit)) == 0) {
			settings->unit = (enum unit)unit;
			return true;
		}
	}
	return false;
}

static const struct {
	const char *key;
	void (*print)(FILE *stream, const struct settings *settings);
	bool (*take)(struct settings *settings, const char *text);
} rows[] = {
	{ "columns", print_columns, take_columns },
	{ "sort", print_sort, take_sort },
	{ "units", print_units, take_units },
};

/* ---- the file ---- */

size_t settings_format(char *buffer, size_t size, const struct settings *settings)
{
	FILE *stream = fmemopen(buffer, size, "w");
	long length = 0;

	if (!stream)
		return 0;
	fprintf(
	    stream, "# Settings of tcptop; options on its command line come first. The key W writes them.\n");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		fprintf(stream, "%s=", rows[i].key);
		rows[i].print(stream, settings);
		fputc('\n', stream);
	}
	fflush(stream);
	length = ftell(stream);
	fclose(stream);
	return length > 0 ? (size_t)length : 0;
}

static bool take_line(struct settings *settings, char *line)
{
	char *value = strchr(line, '=');

	if (!*line || *line == '#')
		return true;
	if (!value)
		return false;
	*value++ = '\0';
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (strcmp(line, rows[i].key) == 0)
			return rows[i].take(settings, value);
	return false;
}

unsigned settings_parse(char *text, struct settings *settings)
{
	unsigned number = 0, bad = 0;

	for (char *line; (line = strsep(&text, "\n")) != NULL;) {
		number++;
		if (!take_line(settings, line) && !bad)
			bad = number;
	}
	return bad;
}
