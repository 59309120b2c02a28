/* SPDX-License-Identifier: Apache-2.0 */
/* The table of options: what options.c parses by and options_help.c prints. For these two alone. */
#ifndef TCPTOP_OPTIONS_TABLE_H
#define TCPTOP_OPTIONS_TABLE_H

#include "options.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof *(array))

enum { OPTION_ROWS = 20 };

struct command_line {
	struct options *options;
	struct error *error;
	bool noclear;
};

struct choice {
	const char *name;
	int value;
};

struct option_row {
	const char *name;
	const char *value; /* what the help calls it; NULL: takes none */
	const char *help;  /* a newline begins a new line in the help's column */
	int (*apply)(struct command_line *line, const struct option_row *row, const char *value);
	const struct choice *choices; /* of apply_choice; ends with a NULL name */
	size_t offset;      /* of the member of struct options that apply sets, where it asks for it */
	int number;         /* what apply_number sets */
	char letter;        /* 0: no short form */
	bool excludes_next; /* how the usage shows two that exclude each other */
};

extern const struct option_row option_rows[OPTION_ROWS];

#endif
