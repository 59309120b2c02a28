/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters by a pinned map of the user's: one table that the option, the program text, the loader and the screen
 * read. The text declares a placeholder; the user's map takes its place before the program is loaded, so that its
 * path never enters the text.
 */
#ifndef TCPTOP_FILTERS_H
#define TCPTOP_FILTERS_H

#include <stddef.h>

struct error;

struct filter {
	const char *option;      /* without dashes: "cgroupmap" */
	const char *placeholder; /* the map in the text whose place the user's takes */
	const char *map_text;    /* declares it */
	const char *test_text;   /* in account(): returns when the task does not pass */
	const char *label;       /* on the screen */

	/* Can it be had on this host? 0 or -errno with *error; NULL: always. */
	int (*available)(struct error *error);
};

enum { FILTERS_MAX = 8 }; /* for arrays beside filters[] */

extern const struct filter filters[];
extern const size_t filter_count;

/* The index of the filter with this option; filter_count: there is none. */
size_t filter_find(const char *option);

#endif
