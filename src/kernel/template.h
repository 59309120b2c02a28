/* SPDX-License-Identifier: Apache-2.0 */
/* Text from templates: "@NAME@" becomes a value. */
#ifndef TCPTOP_TEMPLATE_H
#define TCPTOP_TEMPLATE_H

#include <stddef.h>
#include <stdio.h>

struct slot {
	const char *name;
	const char *value;
};

/*
 * Prints the text with its slots filled; what stands between "@" and is no slot's name stays. A line that holds
 * nothing but a slot leaves no empty line when the value is empty.
 */
void template_fill(FILE *out, const char *text, const struct slot *slots, size_t count);

/* A text in memory under construction: open, print to stream, close; then bytes is the caller's to free. */
struct buffer {
	char *bytes;
	size_t length;
	FILE *stream;
};

/* 0 or -errno. After buffer_open succeeded, bytes is to be freed once buffer_close was called, whatever it said. */
int buffer_open(struct buffer *buffer);
int buffer_close(struct buffer *buffer);

#endif
