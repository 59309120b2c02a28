/* SPDX-License-Identifier: Apache-2.0 */
#include "model/cgroup_told.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"

#define CAPACITY_MIN 16

static size_t text_length(const char *text)
{
	return text ? strnlen(text, CGROUP_TOLD_TEXT_MAX) : 0;
}

size_t cgroup_told_size(const struct cgroup_told *facts)
{
	size_t size = sizeof *facts;

	for (size_t i = 0; i < CGROUP_TEXTS; i++)
		size += text_length(facts->texts[i]) + 1;
	return size;
}

struct cgroup_told *cgroup_told_copy(const struct cgroup_told *facts)
{
	struct cgroup_told *copy = malloc(cgroup_told_size(facts));

	if (!copy)
		return NULL;
	char *at = (char *)(copy + 1);

	*copy = *facts;
	for (size_t i = 0; i < CGROUP_TEXTS; i++) {
		size_t length = text_length(facts->texts[i]);

		if (!facts->texts[i])
			continue;
		memcpy(at, facts->texts[i], length);
		at[length] = '\0';
		copy->texts[i] = at;
		at += length + 1;
	}
	return copy;
}

uint64_t cgroup_told_hash(const struct cgroup_told *facts)
{
	uint64_t hash = hash_bytes(HASH_BASIS, &facts->id, sizeof facts->id);

	hash = hash_bytes(hash, &facts->pid, sizeof facts->pid);
	for (size_t i = 0; i < CGROUP_TEXTS; i++) {
		const char *text = facts->texts[i];

		/* With its NUL; one that is not known is told from an empty one. */
		hash = text ? hash_bytes(hash, text, strlen(text) + 1) : hash_bytes(hash, "\1", 1);
	}
	return hash;
}

int cgroup_list_add(struct cgroup_list *list, const struct cgroup_told *facts)
{
	struct cgroup_told **items =
	    array_grow(list->items, list->count, &list->capacity, CAPACITY_MIN, sizeof(*items));

	if (!items)
		return -ENOMEM;
	list->items = items;
	items[list->count] = cgroup_told_copy(facts);
	if (!items[list->count])
		return -ENOMEM;
	list->bytes += cgroup_told_size(facts);
	list->count++;
	return 0;
}

void cgroup_list_fini(struct cgroup_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct cgroup_list){ 0 };
}
