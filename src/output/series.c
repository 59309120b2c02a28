/* SPDX-License-Identifier: Apache-2.0 */
#include "output/series.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/util.h"

#define CAPACITY_MIN 64

void series_init(struct series_set *set, size_t places, uint64_t threshold_bytes)
{
	*set = (struct series_set){ .places = places, .threshold_bytes = threshold_bytes };
}

static void keep(void *series)
{
	(void)series; /* the list's */
}

static void list_clear(struct series_list *list)
{
	tdestroy(list->tree, keep);
	list->tree = NULL;
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i]->labels);
		free(list->items[i]);
	}
	list->count = 0;
}

void series_fini(struct series_set *set)
{
	list_clear(&set->admitted);
	list_clear(&set->waiting);
	free(set->admitted.items);
	free(set->waiting.items);
}

static int compare_labels(const void *a, const void *b)
{
	return strcmp(((const struct one_series *)a)->labels, ((const struct one_series *)b)->labels);
}

static struct one_series *find(const struct series_list *list, char *labels)
{
	struct one_series key = { .labels = labels };
	struct one_series **found = tfind(&key, (void *const *)&list->tree, compare_labels);

	return found ? *found : NULL;
}

/* Takes the series. 0 or -ENOMEM, and it is the caller's. */
static int list_add(struct series_list *list, struct one_series *series)
{
	struct one_series **items =
	    array_grow(list->items, list->count, &list->capacity, CAPACITY_MIN, sizeof(*items));

	if (!items)
		return -ENOMEM;
	list->items = items;
	if (!tsearch(series, &list->tree, compare_labels))
		return -ENOMEM;
	items[list->count++] = series;
	return 0;
}

static struct one_series *wait_new(struct series_set *set, const char *labels)
{
	struct one_series *series = calloc(1, sizeof *series);

	if (!series)
		return NULL;
	series->labels = strdup(labels);
	if (series->labels && list_add(&set->waiting, series) == 0)
		return series;
	free(series->labels);
	free(series);
	return NULL;
}

int series_add(struct series_set *set, const char *labels, uint64_t rx_bytes, uint64_t tx_bytes)
{
	char *key = (char *)(uintptr_t)labels;
	struct one_series *series = find(&set->admitted, key) ?: find(&set->waiting, key) ?: wait_new(set, labels);

	if (!series)
		return -ENOMEM;
	series->rx_bytes += rx_bytes;
	series->tx_bytes += tx_bytes;
	return 0;
}

static uint64_t total(const struct one_series *series)
{
	return series->rx_bytes + series->tx_bytes;
}

static int compare_totals(const void *a, const void *b)
{
	const struct one_series *left = *(struct one_series *const *)a,
	                        *right = *(struct one_series *const *)b;

	if (total(left) != total(right))
		return total(left) < total(right) ? 1 : -1;
	return strcmp(left->labels, right->labels);
}

int series_end_interval(struct series_set *set)
{
	struct series_list *waiting = &set->waiting;
	size_t admitted = 0;
	int err = 0;

	if (waiting->count)
		qsort(waiting->items, waiting->count, sizeof(*waiting->items), compare_totals);
	while (admitted < waiting->count && set->admitted.count < set->places &&
	       total(waiting->items[admitted]) >= set->threshold_bytes) {
		if (list_add(&set->admitted, waiting->items[admitted]) < 0) {
			err = -ENOMEM;
			break; /* it is in one list only */
		}
		admitted++;
	}
	set->folded = waiting->count - admitted;
	tdestroy(waiting->tree, keep);
	waiting->tree = NULL;
	waiting->count = set->folded;
	if (waiting->count)
		memmove(waiting->items, waiting->items + admitted, waiting->count * sizeof(*waiting->items));
	for (size_t i = 0; i < waiting->count; i++) {
		set->folded_rx_bytes += waiting->items[i]->rx_bytes;
		set->folded_tx_bytes += waiting->items[i]->tx_bytes;
	}
	list_clear(waiting);
	return err;
}
