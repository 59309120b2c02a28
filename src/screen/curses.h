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

struct screen_curses {
	bool open;
	void *terminal; /* SCREEN */
	int fd;
	uint32_t attributes[STYLE_COUNT];
	short pairs[STYLE_COUNT];
};

/* Takes the terminal behind out; keys come from in. 0, or -errno with *error naming what is wrong with it. */
int screen_curses_open(
    struct screen_curses *curses, FILE *out, FILE *in, enum color_choice color, struct error *error);
void screen_curses_close(struct screen_curses *curses);

void screen_curses_size(const struct screen_curses *curses, unsigned *width, unsigned *height);

/* Takes over the terminal's present size. */
void screen_curses_resize(struct screen_curses *curses);

/* One frame: begin, lines, end. Only what changed is written. A cursor at -1 is hidden. */
void screen_curses_begin(struct screen_curses *curses);
void screen_curses_put(struct screen_curses *curses, unsigned y, const struct line *line);
void screen_curses_end(struct screen_curses *curses, int cursor_x, int cursor_y);

/* The next frame is written whole. */
void screen_curses_redraw(struct screen_curses *curses);

/* The next key (keys.h), 0 for one that means nothing, -1 when none is waiting. */
int screen_curses_key(struct screen_curses *curses);

void screen_curses_suspend(struct screen_curses *curses);
void screen_curses_resume(struct screen_curses *curses);

#endif
