/* SPDX-License-Identifier: Apache-2.0 */
/* Curses, as far as the screen needs it. */
#ifndef TCPTOP_CURSES_H
#define TCPTOP_CURSES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "table/line.h"
#include "screen/screen_options.h"

struct error;

struct curses {
	bool open;
	void *terminal; /* SCREEN */
	int fd;
	uint32_t attributes[STYLE_COUNT];
	short pairs[STYLE_COUNT];
};

/* Takes the terminal behind out; keys come from in. 0, or -errno with *error naming what is wrong with it. */
int curses_open(struct curses *curses, FILE *out, FILE *in, enum color_choice color, struct error *error);
void curses_close(struct curses *curses);

void curses_size(const struct curses *curses, unsigned *width, unsigned *height);

/* Takes over the terminal's present size. */
void curses_resize(struct curses *curses);

/* One frame: begin, lines, end. Only what changed is written. A cursor at -1 is hidden. */
void curses_begin(struct curses *curses);
void curses_put(struct curses *curses, unsigned y, const struct line *line);
void curses_end(struct curses *curses, int cursor_x, int cursor_y);

/* The next frame is written whole. */
void curses_redraw(struct curses *curses);

/* The next key (keys.h), 0 for one that means nothing, -1 when none is waiting. */
int curses_key(struct curses *curses);

void curses_suspend(struct curses *curses);
void curses_resume(struct curses *curses);

#endif
