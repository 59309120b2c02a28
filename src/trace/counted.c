/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/counted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "model/snapshot.h"

/* Of so many keys it is known at most what was counted since a pass. */
#define KEYS_MAX 65536

void counted_fini(struct counted_list *list)
{
	free(list->all);
	*list = (struct counted_list){ 0 };
}

uint64_t counted_hash(const struct session *session)
{
	struct session key = *session;

	key.pid = 0;
	key.life = 0;
	return session_hash(&key);
}

static int compare(const void *a, const void *b)
{
	const struct counted *left = a, *right = b;

	return COMPARE(left->key_hash, right->key_hash);
}

void counted_join(struct counted *to, const struct counted *from)
{
	to->tx_bytes += from->tx_bytes;
	to->rx_bytes += from->rx_bytes;
	to->ends += from->ends;
	to->by_others |= from->by_others || (to->pid && from->pid && to->pid != from->pid);
	to->is_told |= from->is_told;
	to->pid = to->pid ?: from->pid;
	to->row = to->row ?: from->row;
}

void counted_unite(struct counted_list *list)
{
	size_t count = 0;

	qsort(list->all, list->count, sizeof *list->all, compare);
	for (size_t i = 0; i < list->count; i++) {
		struct counted *last = count ? &list->all[count - 1] : NULL;

		if (last && last->key_hash == list->all[i].key_hash)
			counted_join(last, &list->all[i]);
		else
			list->all[count++] = list->all[i];
	}
	list->count = count;
}

struct counted counted_find(const struct counted_list *list, uint64_t key_hash)
{
	const struct counted wanted = { .key_hash = key_hash };
	const struct counted *found =
	    list->count ? bsearch(&wanted, list->all, list->count, sizeof wanted, compare) : NULL;

	return found ? *found : wanted;
}

int counted_add(struct counted_list *list, const struct counted_list *interval)
{
	size_t count = list->count + interval->count;
	struct counted *all = count <= KEYS_MAX ? reallocarray(list->all, count + 1, sizeof *all) : NULL;

	if (!all) {
		counted_fini(list);
		return -ENOMEM;
	}
	list->all = all;
	for (size_t i = 0; i < interval->count; i++) {
		struct counted *added = &all[list->count++];

		*added = interval->all[i];
		added->row = 0; /* of another snapshot */
		if (added->is_told)
			*added = (struct counted){
				.key_hash = added->key_hash, .ends = added->ends, .is_told = true
			};
	}
	counted_unite(list);
	return 0;
}
