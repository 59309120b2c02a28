/* SPDX-License-Identifier: Apache-2.0 */
/* The table of options: what options.c parses by and options_help.c prints. For these alone, and their tests. */
#ifndef TCPTOP_OPTIONS_TABLE_H
#define TCPTOP_OPTIONS_TABLE_H

#include "options.h"

enum {
	VALUE_SIZE = 128,
	OPTIONS_MAX = 48,   /* for arrays beside option_rows[] */
	QUOTE_COLUMNS = 60, /* of a wrong value, in an error */
	QUOTE_SIZE = QUOTE_COLUMNS + 1,
};

struct command_line {
	struct options *options;
	struct error *error;
	bool noclear;
	bool given[OPTIONS_MAX]; /* beside option_rows[] */
};

struct option_row {
	const char *name;
	const char *value; /* what the help calls it; NULL: takes none */
	const char *help;  /* a newline begins a new line in the help's column */
	int (*apply)(struct command_line *line, const struct option_row *row, const char *value);
	const char *(*choice)(size_t index); /* names that it takes; NULL past the last one */
	size_t (*more_help)(char *buffer, size_t size,
	    const char *separator); /* a list that follows the help, from its own table */
	size_t offset; /* of the member of struct options that apply sets, where it asks for it */
	int number;    /* what apply_action and apply_family set */
	/* Where it takes effect: bits 1 << enum action, and in which forms of output; none named: in all. */
	unsigned actions;
	const struct renderer *outputs[4];
	/* What is given asks for values that JSON and the program text then have, too; NULL: never. */
	bool (*measures)(const struct options *options);
	char letter;        /* 0: no short form */
	bool excludes_next; /* how the usage shows two that exclude each other */
};

extern const struct option_row option_rows[];
extern const size_t option_count;

/* The row's value as the usage names it, written into buffer, which is returned; NULL: it takes none. */
const char *option_value(const struct option_row *row, char *buffer, size_t size);

/* Untrusted text for an error, written into buffer, which is returned. */
const char *options_quote(char buffer[QUOTE_SIZE], const char *text, size_t length);

/* Fills *error (usage) and returns -EINVAL. What stands in quotes in the text has been through options_quote(). */
__attribute__((format(printf, 2, 3))) int options_refuse(struct error *error, const char *format, ...);

#endif
