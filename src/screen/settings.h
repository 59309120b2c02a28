/* SPDX-License-Identifier: Apache-2.0 */
/* What a user keeps for the next start: lines "columns=pid,name,...", "sort=tx:desc", "units=bits". Nothing else is read. */
#ifndef TCPTOP_SETTINGS_H
#define TCPTOP_SETTINGS_H

#include <stddef.h>

#include "table/column.h"

struct settings {
	struct column_list columns;
	struct column_sort sort;
	enum unit unit;
};

/* The text of a file; its length. */
size_t settings_format(char *buffer, size_t size, const struct settings *settings);

/*
 * Takes what the text says into *settings; what is wrong leaves it as it is. The text, up to its NUL, is not trusted and is changed.
 * Returns the number of the first bad line, 0: none is.
 */
unsigned settings_parse(char *text, struct settings *settings);

#endif
