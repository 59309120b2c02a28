/* SPDX-License-Identifier: Apache-2.0 */
#include "names/learned.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 64
#define OF_PROCESS (1ull << 63) /* marks a key that is no cgroup's id */

void learned_fini(struct learned *learned)
{
	cgroup_list_fini(&learned->list);
	free(learned->slots);
	*learned = (struct learned){ 0 };
}

static uint64_t mix(uint64_t number)
{
	number = (number ^ number >> 32) * 0x9e3779b97f4a7c15u;
	return number ^ number >> 32;
}

static uint64_t key_of(uint64_t cgroup_id, uint32_t pid)
{
	return pid ? mix(mix(cgroup_id) + pid) | OF_PROCESS : cgroup_id;
}

static uint32_t *slot_of(const struct learned *learned, uint64_t key)
{
	uint32_t mask = learned->slot_count - 1, slot = (uint32_t)mix(key) & mask;

	for (; learned->slots[slot]; slot = (slot + 1) & mask) {
		const struct cgroup_told *facts = learned->list.items[learned->slots[slot] - 1];

		if (key_of(facts->id, facts->pid) == key)
			break;
	}
	return &learned->slots[slot];
}

static int grow(struct learned *learned)
{
	uint32_t count = learned->slot_count ? learned->slot_count * 2 : SLOTS_MIN;
	uint32_t *slots = calloc(count, sizeof *slots);

	if (!slots)
		return -ENOMEM;
	free(learned->slots);
	learned->slots = slots;
	learned->slot_count = count;
	for (size_t i = 0; i < learned->list.count; i++) {
		const struct cgroup_told *facts = learned->list.items[i];

		*slot_of(learned, key_of(facts->id, facts->pid)) = (uint32_t)i + 1;
	}
	return 0;
}

int learned_add(struct learned *learned, const struct cgroup_told *facts)
{
	if (learned->list.bytes > CGROUP_LIST_BYTES_MAX)
		return 0;
	if (learned->list.count * 2 >= learned->slot_count && grow(learned) < 0)
		return -ENOMEM;
	uint32_t *slot = slot_of(learned, key_of(facts->id, facts->pid));

	if (*slot) {
		struct cgroup_told *copy = cgroup_told_copy(facts);

		if (!copy)
			return -ENOMEM;
		learned->list.bytes +=
		    cgroup_told_size(copy) - cgroup_told_size(learned->list.items[*slot - 1]);
		free(learned->list.items[*slot - 1]);
		learned->list.items[*slot - 1] = copy;
		return 0;
	}
	if (cgroup_list_add(&learned->list, facts) < 0)
		return -ENOMEM;
	*slot = (uint32_t)learned->list.count;
	return 0;
}

uint64_t learned_key(const struct learned *learned, uint64_t cgroup_id, uint32_t pid)
{
	uint64_t key = key_of(cgroup_id, pid);

	return learned_find(learned, key) ? key : cgroup_id;
}

const struct cgroup_told *learned_find(const struct learned *learned, uint64_t key)
{
	uint32_t slot = learned->slot_count ? *slot_of(learned, key) : 0;

	return slot ? learned->list.items[slot - 1] : NULL;
}
