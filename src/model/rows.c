/* SPDX-License-Identifier: Apache-2.0 */
#include "model/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CAPACITY_MIN 128
#define CACHE_LINE 64
#define LARGE_BYTES (32 << 20)
#define MERGED_BYTES (offsetof(struct row, averages)) /* what merging a session touches */

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

static bool key_equal(const struct session *a, const struct session *b)
{
	return a->pid == b->pid && a->lport == b->lport && a->rport == b->rport && a->netns == b->netns &&
	       a->ifindex == b->ifindex && a->family == b->family && a->life == b->life &&
	       memcmp(a->raddr, b->raddr, sizeof a->raddr) == 0 &&
	       memcmp(a->laddr, b->laddr, sizeof a->laddr) == 0;
}

/* The slot that holds the key, or the free one where it belongs. */
static size_t slot_of(const struct rows *rows, const struct session *key)
{
	size_t mask = rows->slot_count - 1;
	size_t slot = session_hash(key) & mask;

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

static void fill_slots(struct rows *rows)
{
	memset(rows->slots, 0, rows->slot_count * sizeof *rows->slots);
	for (size_t i = 0; i < rows->count; i++)
		rows->slots[slot_of(rows, &rows->rows[i].session)] = (uint32_t)i + 1;
}

/* Rows come in another order than they lie in memory: of many, most of what merging takes were misses of the TLB. */
static void ask_for_large_pages(void *memory, size_t size)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t first = ((uintptr_t)memory + page - 1) & ~(page - 1);

	if (size >= LARGE_BYTES)
		(void)madvise((void *)first, size - page, MADV_HUGEPAGE);
}

/* To at least the count. */
static int resize(struct rows *rows, size_t capacity)
{
	uint32_t *slots = reallocarray(NULL, capacity * 2, sizeof *slots);
	struct row *resized = slots ? reallocarray(rows->rows, capacity, sizeof *resized) : NULL;

	if (!resized) {
		free(slots);
		return -ENOMEM;
	}
	rows->rows = resized;
	ask_for_large_pages(resized, capacity * sizeof *resized);
	free(rows->slots);
	rows->slots = slots;
	rows->slot_count = capacity * 2;
	rows->capacity = capacity;
	fill_slots(rows);
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

/* The first cache lines of a row, which its key is in. */
static void prefetch_key(const struct row *row)
{
	__builtin_prefetch(row, 1);
	__builtin_prefetch((const char *)row + CACHE_LINE, 1);
}

/* The others that merging a session touches. */
static void prefetch_facts(const struct row *row)
{
	for (size_t at = 2 * CACHE_LINE; at < MERGED_BYTES; at += CACHE_LINE)
		__builtin_prefetch((const char *)row + at, 1);
}

/* Of all rows that a key is compared with. */
static void prefetch_keys(const struct rows *rows, const struct session *key)
{
	size_t mask = rows->slot_count - 1;

	for (size_t slot = session_hash(key) & mask; rows->slots[slot]; slot = (slot + 1) & mask)
		prefetch_key(&rows->rows[rows->slots[slot] - 1]);
}

struct rows_ahead rows_look_ahead(const struct rows *rows, const struct session *keys, size_t count)
{
	return (struct rows_ahead){ .rows = rows, .keys = keys, .count = count };
}

/* Three stages: the slots, then the keys that they lead to, then, as these tell which one it is, the rest of the row. */
size_t rows_ahead_step(struct rows_ahead *ahead, size_t i)
{
	const struct rows *rows = ahead->rows;
	uint32_t *place = &ahead->found[i % ROWS_AHEAD], found = *place;

	*place = 0;
	if (!rows->slot_count)
		return ROW_NONE;
	if (i + 3 * ROWS_AHEAD < ahead->count)
		__builtin_prefetch(
		    &rows->slots[session_hash(&ahead->keys[i + 3 * ROWS_AHEAD]) & (rows->slot_count - 1)]);
	if (i + 2 * ROWS_AHEAD < ahead->count)
		prefetch_keys(rows, &ahead->keys[i + 2 * ROWS_AHEAD]);
	if (i + ROWS_AHEAD < ahead->count)
		*place = rows->slots[slot_of(rows, &ahead->keys[i + ROWS_AHEAD])];
	if (*place)
		prefetch_facts(&rows->rows[*place - 1]);
	return found ? found - 1 : ROW_NONE;
}

size_t rows_found_or_add(struct rows *rows, const struct session *key, size_t found, bool *added)
{
	*added = false;
	if (found < rows->count && key_equal(&rows->rows[found].session, key))
		return found;
	return rows_find_or_add(rows, key, added);
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
		size_t home = session_hash(&rows->rows[rows->slots[slot] - 1].session) & mask;

		if (((slot - home) & mask) < ((slot - hole) & mask))
			continue;
		rows->slots[hole] = rows->slots[slot];
		hole = slot;
	}
	rows->slots[hole] = 0;
}

void rows_set_life(struct rows *rows, size_t index, uint32_t life)
{
	struct session *key = &rows->rows[index].session;

	free_slot(rows, slot_of(rows, key));
	key->life = life;
	rows->slots[slot_of(rows, key)] = (uint32_t)index + 1;
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

/* ---- eviction ---- */

/* By when a row was seen; the hash decides among equals, as neither rows' order nor their keys' is by age. */
static uint64_t age_rank(const struct row *row)
{
	return (uint64_t)row->seen_tick << 32 | (uint32_t)session_hash(&row->session);
}

/* The n-th smallest rank (quickselect). The ranks change places. */
static uint64_t nth_rank(uint64_t *ranks, size_t count, size_t n)
{
	size_t low = 0, high = count - 1;

	while (low < high) {
		uint64_t pivot = ranks[low + (high - low) / 2];
		size_t left = low, right = high;

		for (;;) {
			while (ranks[left] < pivot)
				left++;
			while (pivot < ranks[right])
				right--;
			if (left >= right)
				break;
			uint64_t rank = ranks[left];

			ranks[left++] = ranks[right];
			ranks[right--] = rank;
		}
		/* Of equal ranks both parts may have some. */
		if (left == right)
			right = left == low ? left : left - 1;
		if (n <= right)
			high = right;
		else
			low = right + 1;
	}
	return ranks[n];
}

static bool may_leave(const struct rows_eviction *eviction, const struct row *row)
{
	return row->seen_tick != eviction->tick && !(eviction->keeps_open && row->session.socket.state);
}

static bool leaves(const struct rows_eviction *eviction, const struct row *row, uint64_t limit)
{
	return may_leave(eviction, row) && age_rank(row) <= limit &&
	       !(eviction->kept && session_compare_key(&row->session, eviction->kept) == 0);
}

/* One by one: each removal looks up two rows, and moves one. */
static void evict_some(
    struct rows *rows, const struct rows_eviction *eviction, size_t leaving, uint64_t limit)
{
	size_t index = 0;

	while (leaving && index < rows->count) {
		if (!leaves(eviction, &rows->rows[index], limit)) {
			index++;
			continue;
		}
		eviction->leave(eviction->to, &rows->rows[index]);
		rows_remove(rows, index);
		leaving--;
	}
}

/* Most of them at once: what stays moves together, and the table is made anew. */
static void evict_many(
    struct rows *rows, const struct rows_eviction *eviction, size_t leaving, uint64_t limit)
{
	size_t stay = 0;

	for (size_t i = 0; i < rows->count; i++) {
		if (leaving && leaves(eviction, &rows->rows[i], limit)) {
			eviction->leave(eviction->to, &rows->rows[i]);
			leaving--;
		} else {
			rows->rows[stay++] = rows->rows[i];
		}
	}
	rows->count = stay;
	fill_slots(rows);
}

static void shrink(struct rows *rows)
{
	size_t capacity = rows->capacity;

	while (capacity > CAPACITY_MIN && rows->count < capacity / 4)
		capacity /= 2;
	/* Without the memory for it, it stays as it is. */
	if (capacity != rows->capacity)
		(void)resize(rows, capacity);
}

int rows_evict(struct rows *rows, const struct rows_eviction *eviction)
{
	uint64_t *ranks = reallocarray(NULL, rows->count + 1, sizeof *ranks);
	size_t count = 0;

	if (!ranks)
		return -ENOMEM;
	for (size_t i = 0; i < rows->count; i++)
		if (may_leave(eviction, &rows->rows[i]))
			ranks[count++] = age_rank(&rows->rows[i]);
	size_t leaving = count > eviction->keep ? count - eviction->keep : 0;
	uint64_t limit = leaving ? nth_rank(ranks, count, leaving - 1) : 0;

	free(ranks);
	if (leaving > rows->count / 4)
		evict_many(rows, eviction, leaving, limit);
	else
		evict_some(rows, eviction, leaving, limit);
	shrink(rows);
	return 0;
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
