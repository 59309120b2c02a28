/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/told.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/snapshot.h"
#include "model/socket.h"

int told_index(struct told *told, const struct socket_facts *facts, size_t count)
{
	size_t slot_count = 64;

	while (slot_count < 2 * count)
		slot_count *= 2;
	if (slot_count != told->slot_count) {
		told_fini(told);
		told->slots = malloc(slot_count * sizeof *told->slots);
		if (!told->slots)
			return -ENOMEM;
		told->slot_count = slot_count;
	}
	told->facts = facts;
	told->count = count;
	memset(told->slots, 0, slot_count * sizeof *told->slots);
	for (size_t i = 0; i < count; i++) {
		struct session key;

		session_take_socket_key(&key, &facts[i].key);
		size_t slot = session_hash(&key) & (slot_count - 1);

		while (told->slots[slot])
			slot = (slot + 1) & (slot_count - 1);
		told->slots[slot] = (uint32_t)i + 1;
	}
	return 0;
}

void told_fini(struct told *told)
{
	free(told->slots);
	*told = (struct told){ 0 };
}

size_t told_find(const struct told *told, const struct session *session)
{
	struct session wanted = *session, key;
	size_t mask = told->slot_count - 1;

	wanted.pid = 0;
	wanted.life = 0;
	for (size_t slot = session_hash(&wanted) & mask; told->count && told->slots[slot];
	     slot = (slot + 1) & mask) {
		size_t place = told->slots[slot] - 1;

		session_take_socket_key(&key, &told->facts[place].key);
		if (session_compare_key(&key, &wanted) == 0)
			return place;
	}
	return told->count;
}

bool told_has_key(const struct told *told, uint64_t key_hash)
{
	size_t mask = told->slot_count - 1;
	struct session key;

	for (size_t slot = key_hash & mask; told->count && told->slots[slot]; slot = (slot + 1) & mask) {
		session_take_socket_key(&key, &told->facts[told->slots[slot] - 1].key);
		if (session_hash(&key) == key_hash)
			return true;
	}
	return false;
}
