/* SPDX-License-Identifier: Apache-2.0 */
#include "output/json_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* jansson's allocator gets no context: what it could not give this thread is noted here. */
static _Thread_local bool ran_out;

static void *allocate(size_t size)
{
	void *memory = malloc(size);

	ran_out |= !memory;
	return memory;
}

void json_text_prepare(void)
{
	json_set_alloc_funcs(allocate, free);
}

/* Its scanner goes on without the bytes of a number or a name that it had no room for (2.14, lex_save): nothing of that is taken. */
json_t *json_text_read(const char *text, size_t length, int *err)
{
	json_error_t unused;

	ran_out = false;
	json_t *value = json_loadb(text, length, 0, &unused);

	if (ran_out) {
		json_decref(value);
		value = NULL;
	}
	*err = value ? 0 : ran_out ? -ENOMEM : -EINVAL;
	return value;
}

int json_text_items(char **text, const json_t *array)
{
	*text = NULL;
	if (!json_array_size(array))
		return 0;
	*text = json_dumps(array, JSON_COMPACT | JSON_ENSURE_ASCII);
	if (!*text)
		return -ENOMEM;
	size_t length = strlen(*text);

	memmove(*text, *text + 1, length - 2);
	(*text)[length - 2] = '\0';
	return 0;
}
