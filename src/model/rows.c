/* SPDX-License-Identifier: Apache-2.0 */
#include "model/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 128

void rows_init(struct rows *rows)
{
	memset(rows, 0, sizeof *rows);
}

void rows_fini(struct rows *rows)
{
	free(rows->rows);
	free(rows->slots);
	rows_init(rows);
}

void rows_clear(struct rows *rows)
{
	rows_fini(rows);
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ (hash >> 32);
}

static uint64_t word_at(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof word);
	return word;
}

static size_t hash_key(const struct session *key)
{
	uint64_t hash = mix(key->family, (uint64_t)key->lport << 16 | key->rport);

	hash = mix(hash, (uint64_t)key->pid << 32 | key->netns);
	hash = mix(hash, word_at(key->raddr));
	hash = mix(hash, word_at(key->laddr));
	if (key->family != 4) {
		hash = mix(hash, word_at(key->raddr + 8));
		hash = mix(hash, word_at(key->laddr + 8));
		hash = mix(hash, key->ifindex);
	}
	return (size_t)hash;
}

static bool key_equal(const struct session *a, const struct session *b)
{
	return a->pid == b->pid && a->lport == b->lport && a->rport == b->rport && a->netns == b->netns &&
	       a->ifindex == b->ifindex && a->family == b->family &&
	       memcmp(a->raddr, b->raddr, sizeof a->raddr) == 0 &&
	       memcmp(a->laddr, b->laddr, sizeof a->laddr) == 0;
}

/* The slot that holds the key, or the free one where it belongs. */
static size_t slot_of(const struct rows *rows, const struct session *key)
{
	size_t mask = rows->slot_count - 1;
	size_t slot = hash_key(key) & mask;

	while (rows->slots[slot] && !key_equal(&rows->rows[rows->slots[slot] - 1].session, key))
		slot = (slot + 1) & mask;
	return slot;
}

size_t rows_find(const struct rows *rows, const struct session *key)
{
	if (!rows->slot_count)
		return ROW_NONE;
	uint32_t index = rows->slots[slot_of(rows, key)];

	return index ? index - 1 : ROW_NONE;
}

static int resize(struct rows *rows, size_t capacity)
{
	struct row *grown = reallocarray(rows->rows, capacity, sizeof *grown);

	if (!grown)
		return -ENOMEM;
	rows->rows = grown;
	uint32_t *slots = calloc(capacity * 2, sizeof *slots);

	if (!slots)
		return -ENOMEM;
	free(rows->slots);
	rows->slots = slots;
	rows->slot_count = capacity * 2;
	rows->capacity = capacity;
	for (size_t i = 0; i < rows->count; i++)
		slots[slot_of(rows, &rows->rows[i].session)] = (uint32_t)i + 1;
	return 0;
}

static int grow(struct rows *rows)
{
	return resize(rows, rows->capacity ? rows->capacity * 2 : CAPACITY_MIN);
}

int rows_reserve(struct rows *rows, size_t count)
{
	size_t capacity = rows->capacity ? rows->capacity : CAPACITY_MIN;

	while (capacity < count)
		capacity *= 2;
	return capacity == rows->capacity ? 0 : resize(rows, capacity);
}

void rows_prefetch_slot(const struct rows *rows, const struct session *key)
{
	if (rows->slot_count)
		__builtin_prefetch(&rows->slots[hash_key(key) & (rows->slot_count - 1)]);
}

/* The three cache lines that merging a known session touches: key, totals and the latest point. */
void rows_prefetch_row(const struct rows *rows, const struct session *key)
{
	if (!rows->slot_count)
		return;
	uint32_t index = rows->slots[hash_key(key) & (rows->slot_count - 1)];

	if (!index)
		return;
	const char *row = (const char *)&rows->rows[index - 1];

	__builtin_prefetch(row, 1);
	__builtin_prefetch(row + 64, 1);
	__builtin_prefetch(row + 128, 1);
}

size_t rows_find_or_add(struct rows *rows, const struct session *key, bool *added)
{
	*added = false;
	if (!rows->slot_count && grow(rows) < 0)
		return ROW_NONE;
	size_t slot = slot_of(rows, key);

	if (rows->slots[slot])
		return rows->slots[slot] - 1;
	if (rows->count == rows->capacity) {
		if (grow(rows) < 0)
			return ROW_NONE;
		slot = slot_of(rows, key);
	}
	struct row *row = &rows->rows[rows->count++];

	memset(row, 0, sizeof *row);
	row->session = *key;
	rows->slots[slot] = (uint32_t)rows->count;
	*added = true;
	return rows->count - 1;
}

/* Linear probing without tombstones: backward-shift deletion. */
static void free_slot(struct rows *rows, size_t hole)
{
	size_t mask = rows->slot_count - 1;
	size_t slot = hole;

	for (;;) {
		slot = (slot + 1) & mask;
		if (!rows->slots[slot])
			break;
		size_t home = hash_key(&rows->rows[rows->slots[slot] - 1].session) & mask;

		if (((slot - home) & mask) < ((slot - hole) & mask))
			continue;
		rows->slots[hole] = rows->slots[slot];
		hole = slot;
	}
	rows->slots[hole] = 0;
}

void rows_remove(struct rows *rows, size_t index)
{
	size_t last = rows->count - 1;

	free_slot(rows, slot_of(rows, &rows->rows[index].session));
	if (index != last) {
		rows->slots[slot_of(rows, &rows->rows[last].session)] = (uint32_t)index + 1;
		rows->rows[index] = rows->rows[last];
	}
	rows->count--;
}

int rows_copy(struct rows *to, const struct rows *from)
{
	rows_fini(to);
	if (!from->capacity)
		return 0;
	to->rows = malloc(from->capacity * sizeof *to->rows);
	to->slots = malloc(from->slot_count * sizeof *to->slots);
	if (!to->rows || !to->slots) {
		rows_fini(to);
		return -ENOMEM;
	}
	memcpy(to->rows, from->rows, from->count * sizeof *to->rows);
	memcpy(to->slots, from->slots, from->slot_count * sizeof *to->slots);
	to->count = from->count;
	to->capacity = from->capacity;
	to->slot_count = from->slot_count;
	return 0;
}
