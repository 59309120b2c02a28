/* SPDX-License-Identifier: Apache-2.0 */
/* The screen without a terminal: keys go to the mode that is on, and come out as lines of text. */
#ifndef TCPTOP_FRAME_H
#define TCPTOP_FRAME_H

#include <stdio.h>

struct input;
struct line_sink;
struct renderer_request;
struct ui;

/* One key (enum key_code or a character). Returns REACTION_ flags. */
unsigned frame_key(struct ui *ui, int code, struct renderer_request *request);

/* A key, pasted text or the mouse. Returns REACTION_ flags. */
unsigned frame_input(struct ui *ui, const struct input *input, struct renderer_request *request);

/* Puts all lines of a screen of width x height. 0 or -ENOMEM. */
int frame_draw(struct ui *ui, unsigned width, unsigned height, const struct line_sink *sink);

/* The table as plain text of at most width columns and height lines; nothing before the first interval. */
void frame_print_final(struct ui *ui, FILE *stream, unsigned width, unsigned height);

#endif
