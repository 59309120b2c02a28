/* SPDX-License-Identifier: Apache-2.0 */
#include "options_table.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

#define USAGE_COLUMNS 98
#define HELP_COLUMN 24
#define WRAP_COLUMNS 66

/* The same two columns serve the other lists of the help. */
struct help_row {
	const char *left;
	const char *right;
};

static const struct help_row positional_rows[] = {
	{ "interval", "seconds between outputs, 0.01 to 31536000, fractions such as\n0.5 too (default 1)" },
	{ "count", "outputs until it ends (default: until it is stopped)" },
};

static const struct help_row exit_rows[] = {
	{ "0", "done: stopped, count reached, or the reader of a pipe gone" },
	{ "1", "failed while running" },
	{ "2", "wrong options or arguments" },
	{ "3", "not permitted: root or capabilities missing, kernel lockdown" },
	{ "4", "the kernel or host lacks something that is needed" },
	{ "5", "the output could not be written" },
	{ "6", "--check found a wrong number" },
	{ "7", "it costs more than --max-overhead allows" },
};

static const struct help_row example_rows[] = {
	{ TCPTOP_NAME, "TCP traffic by process and connection, every second" },
	{ TCPTOP_NAME " -C 1 10", "ten outputs of classic text, one a second" },
	{ TCPTOP_NAME " --diagnose", "what connections wait for, in a few sentences" },
	{ TCPTOP_NAME " -p 181,1042", "only the processes 181 and 1042" },
	{ TCPTOP_NAME " -4 0.5", "only IPv4, two outputs a second" },
	{ TCPTOP_NAME " --filter !local", "leave out what stays on this host" },
	{ TCPTOP_NAME " -o json 1 60 > minute.jsonl", "record a minute with exact bytes" },
	{ TCPTOP_NAME " --cgroupmap /sys/fs/bpf/cgroups", "only the cgroups in this pinned map" },
	{ TCPTOP_NAME " --mntnsmap /sys/fs/bpf/mntns", "only the mount namespaces in this pinned map" },
	{ TCPTOP_NAME " --probe kprobe --ebpf", "see the program that is run by kprobes" },
};

/* One bracket of the usage, wrapped. Returns the column after it. */
static int print_usage_item(FILE *stream, int column, const char *item)
{
	int length = strlen(item), indent = strlen("usage: " TCPTOP_NAME);

	if (column + 1 + length > USAGE_COLUMNS) {
		column = fprintf(stream, "\n%*s", indent, "") - 1;
	}
	fprintf(stream, " %s", item);
	return column + 1 + length;
}

static void print_usage(FILE *stream)
{
	int column = fprintf(stream, "usage: " TCPTOP_NAME);
	char item[128] = "";

	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_rows[i];
		char letter[] = { '-', row->letter, '\0' }, buffer[VALUE_SIZE];
		const char *value = option_value(row, buffer, sizeof buffer);
		size_t used = strlen(item);

		snprintf(item + used, sizeof item - used, "%s%s%s%s%s%s", used ? "" : "[",
		    row->letter ? letter : "--", row->letter ? "" : row->name, value ? " " : "",
		    value ? value : "", row->excludes_next ? " | " : "]");
		if (row->excludes_next)
			continue;
		column = print_usage_item(stream, column, item);
		item[0] = '\0';
	}
	column = print_usage_item(stream, column, "[interval]");
	print_usage_item(stream, column, "[count]");
	fprintf(stream, "\n");
}

/* What is too long for the left column gets a separate line. */
static void print_help_row(FILE *stream, const char *left, const char *right)
{
	int column = fprintf(stream, "  %s", left);

	if (column + 2 > HELP_COLUMN) {
		fprintf(stream, "\n");
		column = 0;
	}
	for (const char *text = right; *text != '\0'; column = 0) {
		int length = strcspn(text, "\n");

		fprintf(stream, "%*s%.*s\n", HELP_COLUMN - column, "", length, text);
		text += length + (text[length] == '\n');
	}
}

/* Words with spaces between them, in the right column. */
static void print_wrapped(FILE *stream, size_t (*list)(char *buffer, size_t size, const char *separator))
{
	char words[512], *rest = words;
	int column = 0;

	list(words, sizeof words, ", ");
	for (char *word; (word = strsep(&rest, " ")) != NULL;) {
		int length = strlen(word);

		if (column && column + 1 + length > WRAP_COLUMNS) {
			fputc('\n', stream);
			column = 0;
		}
		column += column ? fprintf(stream, " %s", word)
		                 : fprintf(stream, "%*s%s", HELP_COLUMN, "", word) - HELP_COLUMN;
	}
	fputc('\n', stream);
}

static void print_help_rows(FILE *stream, const char *title, const struct help_row *rows, size_t count)
{
	fprintf(stream, "\n%s:\n", title);
	for (size_t i = 0; i < count; i++)
		print_help_row(stream, rows[i].left, rows[i].right);
}

void options_print_help(FILE *stream)
{
	print_usage(stream);
	fprintf(stream,
	    "\nShow how many bytes each process sends and receives over each of its TCP connections.\n");
	print_help_rows(stream, "arguments", positional_rows, COUNT_OF(positional_rows));
	fprintf(stream, "\noptions:\n");
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_rows[i];
		char left[128], buffer[VALUE_SIZE];
		const char *value = option_value(row, buffer, sizeof buffer);

		snprintf(left, sizeof left, "%c%c%s--%s%s%s", row->letter ? '-' : ' ',
		    row->letter ? row->letter : ' ', row->letter ? ", " : "  ", row->name, value ? " " : "",
		    value ? value : "");
		print_help_row(stream, left, row->help);
		if (row->more_help)
			print_wrapped(stream, row->more_help);
	}
	fprintf(stream,
	    "\nA connection must pass all of the filters that are given. An option that would have "
	    "no\n"
	    "effect on what is shown is refused.\n");
	print_help_rows(stream, "exit status", exit_rows, COUNT_OF(exit_rows));
	fprintf(stream, "\nexamples:\n");
	for (size_t i = 0; i < COUNT_OF(example_rows); i++)
		fprintf(stream, "  %-40s # %s\n", example_rows[i].left, example_rows[i].right);
}
