/* SPDX-License-Identifier: Apache-2.0 */
#include "model/packed_traffic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/packing.h"

#define ROW_MAX PACKING_DIFFERENCES_MAX(sizeof(struct row))

_Static_assert(sizeof(struct row) % PACKING_GROUP == 0, "a row is a whole number of groups");
_Static_assert(sizeof(struct row) <= PACKING_SIZE_MAX, "its groups are bits of a number");

void packed_traffic_init(struct packed_traffic *packed)
{
	memset(packed, 0, sizeof *packed);
	traffic_init(&packed->facts);
}

void packed_traffic_fini(struct packed_traffic *packed)
{
	traffic_fini(&packed->facts);
	free(packed->rows.bytes);
	for (int grouping = 0; grouping < GROUPING_COUNT; grouping++)
		free(packed->gone[grouping].bytes);
	packed_traffic_init(packed);
}

/* Each row by what differs from the one before, over what was packed before: that is about as large. */
static int pack_rows(struct packed_rows *packed, const struct rows *rows)
{
	struct row before = { 0 };
	size_t capacity = packed->size;

	packed->size = packed->count = 0;
	for (size_t i = 0; i < rows->count; i++) {
		if (capacity - packed->size < ROW_MAX) {
			capacity += capacity / 2 + 64 * ROW_MAX;
			unsigned char *bytes = realloc(packed->bytes, capacity);

			if (!bytes)
				return -ENOMEM;
			packed->bytes = bytes;
		}
		unsigned char *at = packed->bytes + packed->size;

		packing_put_differences(&at, &rows->rows[i], &before, sizeof before);
		before = rows->rows[i];
		packed->size = (size_t)(at - packed->bytes);
	}
	packed->count = rows->count;
	unsigned char *fitting = packed->size ? realloc(packed->bytes, packed->size) : NULL;

	packed->bytes = fitting ? fitting : packed->bytes;
	return 0;
}

static void each_row(
    const struct packed_rows *packed, void (*visit)(void *to, const struct row *row), void *to)
{
	const unsigned char *at = packed->bytes;
	struct row row = { 0 };

	for (size_t i = 0; i < packed->count; i++) {
		packing_get_differences(&at, &row);
		visit(to, &row);
	}
}

/* There is room. */
static void add_row(void *to, const struct row *row)
{
	struct rows *rows = to;
	bool added;
	size_t index = rows_find_or_add(rows, &row->session, &added);

	rows->rows[index] = *row;
}

static int unpack_rows(struct rows *rows, const struct packed_rows *packed)
{
	rows_clear(rows);
	if (packed->count && rows_reserve(rows, packed->count) < 0)
		return -ENOMEM;
	each_row(packed, add_row, rows);
	return 0;
}

int traffic_pack(struct packed_traffic *to, const struct traffic *from)
{
	int err = traffic_copy_facts(&to->facts, from);

	err = err ?: pack_rows(&to->rows, &from->rows);
	for (int grouping = 0; grouping < GROUPING_COUNT && !err; grouping++)
		err = pack_rows(&to->gone[grouping], &from->gone[grouping].groups);
	return err;
}

int traffic_unpack(struct traffic *to, const struct packed_traffic *from)
{
	int err = traffic_copy_facts(to, &from->facts);

	err = err ?: unpack_rows(&to->rows, &from->rows);
	for (int grouping = 0; grouping < GROUPING_COUNT && !err; grouping++)
		err = unpack_rows(&to->gone[grouping].groups, &from->gone[grouping]);
	return err;
}

size_t packed_traffic_bytes(const struct packed_traffic *packed)
{
	size_t bytes = packed->rows.size;

	for (int grouping = 0; grouping < GROUPING_COUNT; grouping++)
		bytes += packed->gone[grouping].size;
	return bytes;
}

void packed_traffic_each(
    const struct packed_traffic *packed, void (*visit)(void *to, const struct row *row), void *to)
{
	each_row(&packed->rows, visit, to);
	for (int grouping = 0; grouping < GROUPING_COUNT; grouping++)
		each_row(&packed->gone[grouping], visit, to);
}
