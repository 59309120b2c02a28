/* SPDX-License-Identifier: Apache-2.0 */
/* What changed between two texts, line by line: short enough to be a golden file, stable enough to last. */
#ifndef TCPTOP_TEXT_DIFF_H
#define TCPTOP_TEXT_DIFF_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_DIFF_CONTEXT = 2, TEXT_DIFF_LINES = 2000 };

/* Lines of a text, each with its newline; they point into it. */
struct lines {
	size_t count;
	const char *starts[TEXT_DIFF_LINES];
	size_t lengths[TEXT_DIFF_LINES];
};

static inline void text_split(struct lines *lines, const char *text)
{
	lines->count = 0;
	while (*text) {
		size_t length = strcspn(text, "\n");

		length += text[length] == '\n';
		assert_true(lines->count < TEXT_DIFF_LINES);
		lines->starts[lines->count] = text;
		lines->lengths[lines->count++] = length;
		text += length;
	}
}

static inline bool same_line(const struct lines *a, size_t i, const struct lines *b, size_t j)
{
	return a->lengths[i] == b->lengths[j] && memcmp(a->starts[i], b->starts[j], a->lengths[i]) == 0;
}

/* How many lines a from i on and b from j on have in common, in order, for all i and j. */
static inline uint16_t *common_lines(const struct lines *a, const struct lines *b)
{
	size_t width = b->count + 1;
	uint16_t *common = calloc((a->count + 1) * width, sizeof *common);

	assert_non_null(common);
	for (size_t i = a->count; i-- > 0;) {
		for (size_t j = b->count; j-- > 0;) {
			uint16_t skip_a = common[(i + 1) * width + j], skip_b = common[i * width + j + 1];

			common[i * width + j] = same_line(a, i, b, j) ? common[(i + 1) * width + j + 1] + 1
			                        : skip_a > skip_b     ? skip_a
			                                              : skip_b;
		}
	}
	return common;
}

/* One line of an edit that turns a text into another. */
struct edit {
	char kind; /* ' ', '-' or '+' */
	const char *start;
	size_t length;
};

static inline size_t make_edits(struct edit *edits, const struct lines *a, const struct lines *b)
{
	uint16_t *common = common_lines(a, b);
	size_t width = b->count + 1, count = 0;

	for (size_t i = 0, j = 0; i < a->count || j < b->count; count++) {
		if (i < a->count && j < b->count && same_line(a, i, b, j)) {
			edits[count] = (struct edit){ ' ', a->starts[i], a->lengths[i] };
			i++, j++;
		} else if (j == b->count ||
		           (i < a->count && common[(i + 1) * width + j] >= common[i * width + j + 1])) {
			edits[count] = (struct edit){ '-', a->starts[i], a->lengths[i] };
			i++;
		} else {
			edits[count] = (struct edit){ '+', b->starts[j], b->lengths[j] };
			j++;
		}
	}
	free(common);
	return count;
}

/* What changed, with some lines around it, and no line numbers, which would change too often. For free(). */
static inline char *text_diff(const char *from, const char *to)
{
	static struct lines a, b;
	static struct edit edits[2 * TEXT_DIFF_LINES];
	char *bytes;
	size_t length;
	FILE *out = open_memstream(&bytes, &length);

	assert_non_null(out);
	text_split(&a, from);
	text_split(&b, to);
	size_t count = make_edits(edits, &a, &b);
	bool gap = true;

	for (size_t i = 0; i < count; i++) {
		bool near = false;

		for (size_t j = i < TEXT_DIFF_CONTEXT ? 0 : i - TEXT_DIFF_CONTEXT;
		     j < count && j <= i + TEXT_DIFF_CONTEXT; j++)
			near |= edits[j].kind != ' ';
		if (near)
			fprintf(out, "%s%c%.*s", gap ? "@@\n" : "", edits[i].kind, (int)edits[i].length,
			    edits[i].start);
		gap = !near;
	}
	fclose(out);
	return bytes;
}

#endif
