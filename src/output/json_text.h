/* SPDX-License-Identifier: Apache-2.0 */
/* JSON read from text by jansson, which does not always tell wrong text from want of memory. */
#ifndef TCPTOP_JSON_TEXT_H
#define TCPTOP_JSON_TEXT_H

#include <stddef.h>

#include <jansson.h>

/* To be called before json_text_read, while one thread alone uses jansson. */
void json_text_prepare(void);

/* The value, the caller's. NULL: *err is -EINVAL, this is no JSON; or -ENOMEM, which says nothing of the text. */
json_t *json_text_read(const char *text, size_t length, int *err);

/* What an array has, with commas, for free(); NULL: nothing, or it is no array. 0 or -ENOMEM. */
int json_text_items(char **text, const json_t *array);

#endif
