/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal, through curses. */
#ifndef TCPTOP_CURSES_H
#define TCPTOP_CURSES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "table/line.h"
#include "screen/screen_options.h"

struct decoder;
struct error;

struct curses {
	bool open;
	void *terminal; /* SCREEN */
	int fd;
	bool has_modes; /* takes the sequences of ECMA-48, so those of pasting and of the mouse do no harm */
	bool mouse;
	uint32_t attributes[STYLE_COUNT];
	short pairs[STYLE_COUNT];
};

/* Opens the terminal that `out` writes to; keys come from `in`. 0, or -errno with *error. */
int curses_open(struct curses *curses, FILE *out, FILE *in, enum color_choice color, struct error *error);
void curses_close(struct curses *curses);

void curses_size(const struct curses *curses, unsigned *width, unsigned *height);

/* Adopts the terminal's current size. */
void curses_resize(struct curses *curses);

/* A frame is begin, put for each line, end. Only changes are written. A cursor at -1 is hidden. */
void curses_begin(struct curses *curses);
void curses_put(struct curses *curses, unsigned y, const struct line *line);
void curses_end(struct curses *curses, int cursor_x, int cursor_y);

/* Has the next frame written completely. */
void curses_redraw(struct curses *curses);

/* Tells the decoder what terminfo calls the keys of this terminal. */
void curses_name_keys(const struct curses *curses, struct decoder *decoder);

/* Has the terminal report the mouse instead of selecting text with it. */
void curses_set_mouse(struct curses *curses, bool mouse);

void curses_suspend(struct curses *curses);
void curses_resume(struct curses *curses);

#endif
