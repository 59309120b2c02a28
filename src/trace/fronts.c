/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/fronts.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "loader/tracing.h"
#include "model/session.h"

#define CAPACITY_MIN 256

struct front_sum {
	union {
		struct session_key4 key4;
		struct session_key6 key6;
	};
	uint64_t rx_bytes;
	uint64_t tx_bytes;
	uint32_t key_size; /* 0: free */
};

/* A slot, of whichever family. */
struct slot {
	const void *key;
	size_t key_size;
	uint64_t bytes;
	bool used;
};

struct family {
	enum map map;
	size_t front_size;
	void (*read)(struct slot *slot, const void *front, size_t index);
};

static void read4(struct slot *slot, const void *front, size_t index)
{
	const struct front_slot4 *from = &((const struct front4 *)front)->slots[index];

	*slot = (struct slot){ &from->key, sizeof from->key, from->bytes, from->key.netns };
}

static void read6(struct slot *slot, const void *front, size_t index)
{
	const struct front_slot6 *from = &((const struct front6 *)front)->slots[index];

	*slot = (struct slot){ &from->key, sizeof from->key, from->bytes, from->key.netns };
}

static const struct family families[] = {
	{ MAP_FRONTS4, sizeof(struct front4), read4 },
	{ MAP_FRONTS6, sizeof(struct front6), read6 },
};

int fronts_init(struct fronts *fronts, const struct tracing *tracing)
{
	*fronts = (struct fronts){ .tracing = tracing };
	if (!tracing->plan.fronts)
		return 0;
	fronts->values = calloc(tracing->cpu_count, sizeof(struct front6));
	return fronts->values ? 0 : -ENOMEM;
}

void fronts_fini(struct fronts *fronts)
{
	free(fronts->values);
	free(fronts->sums);
	fronts->values = NULL;
	fronts->sums = NULL;
	fronts->capacity = fronts->count = 0;
}

static uint64_t hash(const void *key, size_t key_size)
{
	return key_size == sizeof(struct session_key4) ? session_hash4(key) : session_hash6(key);
}

/* The key's sum, or the place where it belongs. There is always a free one. */
static struct front_sum *find(const struct fronts *fronts, const void *key, size_t key_size)
{
	size_t mask = fronts->capacity - 1;
	size_t at = hash(key, key_size) >> 32 & mask;

	while (fronts->sums[at].key_size &&
	       (fronts->sums[at].key_size != key_size || memcmp(&fronts->sums[at].key6, key, key_size) != 0))
		at = (at + 1) & mask;
	return &fronts->sums[at];
}

/* At most half of it is used. */
static int grow(struct fronts *fronts)
{
	struct fronts grown = { .capacity = fronts->capacity ? 2 * fronts->capacity : CAPACITY_MIN };

	if (fronts->count < fronts->capacity / 2)
		return 0;
	grown.sums = calloc(grown.capacity, sizeof *grown.sums);
	if (!grown.sums)
		return -ENOMEM;
	for (size_t i = 0; i < fronts->capacity; i++)
		if (fronts->sums[i].key_size)
			*find(&grown, &fronts->sums[i].key6, fronts->sums[i].key_size) = fronts->sums[i];
	free(fronts->sums);
	fronts->sums = grown.sums;
	fronts->capacity = grown.capacity;
	return 0;
}

static int add(struct fronts *fronts, const struct slot *slot, bool receives)
{
	int err = grow(fronts);

	if (err)
		return err;
	struct front_sum *sum = find(fronts, slot->key, slot->key_size);

	if (!sum->key_size) {
		memcpy(&sum->key6, slot->key, slot->key_size);
		sum->key_size = (uint32_t)slot->key_size;
		fronts->count++;
	}
	*(receives ? &sum->rx_bytes : &sum->tx_bytes) += slot->bytes;
	return 0;
}

/* One program's fronts, on all CPUs. *used: there is something to be emptied. */
static int sum_up(struct fronts *fronts, const struct family *family, bool receives, bool *used)
{
	for (uint32_t cpu = 0; cpu < fronts->tracing->cpu_count; cpu++) {
		const char *front = (const char *)fronts->values + cpu * family->front_size;

		for (size_t i = 0; i < FRONT_SLOTS; i++) {
			struct slot slot;

			family->read(&slot, front, i);
			*used |= slot.used;
			int err = slot.bytes ? add(fronts, &slot, receives) : 0;

			if (err)
				return err;
		}
	}
	return 0;
}

static int drain(struct fronts *fronts, const struct family *family, uint32_t program, bool odd)
{
	uint32_t index = FRONT_INDEX(program, odd);
	int fd = fronts->tracing->maps[family->map];
	bool used = false;

	if (bpf_map_lookup_elem(fd, &index, fronts->values) != 0)
		return -errno;
	int err = sum_up(fronts, family, program % 2, &used);

	if (err || !used)
		return err;
	memset(fronts->values, 0, fronts->tracing->cpu_count * family->front_size);
	return bpf_map_update_elem(fd, &index, fronts->values, BPF_ANY) == 0 ? 0 : -errno;
}

int fronts_drain(struct fronts *fronts, bool odd)
{
	if (fronts->count)
		memset(fronts->sums, 0, fronts->capacity * sizeof *fronts->sums);
	fronts->count = 0;
	for (size_t i = 0; i < COUNT_OF(families); i++) {
		for (uint32_t program = 0; program < fronts->tracing->plan.fronts; program++) {
			int err = fronts->tracing->maps[families[i].map] >= 0
			              ? drain(fronts, &families[i], program, odd)
			              : 0;

			if (err)
				return err;
		}
	}
	return 0;
}

void fronts_take(
    const struct fronts *fronts, const void *key, size_t key_size, uint64_t *rx_bytes, uint64_t *tx_bytes)
{
	if (!fronts->count)
		return;
	const struct front_sum *sum = find(fronts, key, key_size);

	*rx_bytes += sum->rx_bytes;
	*tx_bytes += sum->tx_bytes;
}
