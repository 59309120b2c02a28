/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/template.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static const char *slot_value(const struct slot *slots, size_t count, const char *name, size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(slots[i].name) == length && memcmp(slots[i].name, name, length) == 0)
			return slots[i].value;
	return NULL;
}

void template_fill(FILE *out, const char *text, const struct slot *slots, size_t count)
{
	while (*text) {
		const char *start = strchr(text, '@');
		const char *end = start ? strchr(start + 1, '@') : NULL;
		const char *value = end ? slot_value(slots, count, start + 1, end - start - 1) : NULL;

		if (!value) {
			size_t length = end ? (size_t)(end - text) : strlen(text);

			fwrite(text, 1, length, out);
			text += length;
			continue;
		}
		fwrite(text, 1, start - text, out);
		fputs(value, out);
		bool whole_line = (start == text || start[-1] == '\n') && end[1] == '\n';

		text = end + 1 + (whole_line ? 1 : 0);
	}
}

int buffer_open(struct buffer *buffer)
{
	buffer->bytes = NULL;
	buffer->stream = open_memstream(&buffer->bytes, &buffer->length);
	return buffer->stream ? 0 : -ENOMEM;
}

int buffer_close(struct buffer *buffer)
{
	return fclose(buffer->stream) == 0 ? 0 : -ENOMEM;
}
