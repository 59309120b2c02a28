/* SPDX-License-Identifier: Apache-2.0 */
/* What a recording says of cgroups, by key. It is kept to the end; of many more than a host has, the last are not learned. */
#ifndef TCPTOP_LEARNED_H
#define TCPTOP_LEARNED_H

#include <stdint.h>

#include "model/cgroup_told.h"

struct learned {
	struct cgroup_list list;
	uint32_t *slots; /* by key: index in the list + 1, 0 free */
	uint32_t slot_count;
};

/* A zeroed struct is an empty one. */
void learned_fini(struct learned *learned);

/* Takes a copy, in the place of what was known. 0 or -ENOMEM. */
int learned_add(struct learned *learned, const struct cgroup_told *facts);

/* The key of a process in a cgroup: the cgroup's id, or one of its own where something holds for it alone. */
uint64_t learned_key(const struct learned *learned, uint64_t cgroup_id, uint32_t pid);

/* What is known of a key, borrowed until learned_add; NULL: nothing. */
const struct cgroup_told *learned_find(const struct learned *learned, uint64_t key);

#endif
