/* SPDX-License-Identifier: Apache-2.0 */
/* A line of text that is being typed. */
#ifndef TCPTOP_EDIT_H
#define TCPTOP_EDIT_H

#include <stddef.h>

/* A character is appended; Backspace, Ctrl-W and Ctrl-U delete. text is UTF-8 in a buffer of `size` bytes. */
void edit_key(char *text, size_t size, int code);

/* Appends as much of the line as there is room for. */
void edit_paste(char *text, size_t size, const char *line);

#endif
