/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line says about the screen. */
#ifndef TCPTOP_SCREEN_OPTIONS_H
#define TCPTOP_SCREEN_OPTIONS_H

#include <stdbool.h>

#include "table/column.h"

struct error;

enum color_choice {
	COLOR_AUTO, /* unless NO_COLOR is set or the terminal has none */
	COLOR_ALWAYS,
	COLOR_NEVER,
};

struct screen_options {
	struct column_list columns;
	struct column_sort sort;
	bool columns_given; /* on the command line, which settings do not change */
	bool sort_given;
	enum unit unit;
	enum color_choice color;
	bool mouse;    /* reported from the start */
	bool no_final; /* leave nothing in the scroll-back at the end */
};

/* The defaults. */
void screen_options_init(struct screen_options *options);

/* What the columns shown and the order need: enum column_need. */
unsigned screen_options_needs(const struct screen_options *options);

/* "auto", "always", "never" for --color. 0, or -EINVAL with *error (usage). */
int color_parse(enum color_choice *choice, const char *text, struct error *error);

#endif
