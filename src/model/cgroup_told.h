/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a cgroup beside its id: names, of any bytes. Plain data. */
#ifndef TCPTOP_CGROUP_TOLD_H
#define TCPTOP_CGROUP_TOLD_H

#include <stddef.h>
#include <stdint.h>

enum cgroup_text {
	CGROUP_NAME,         /* short, as the column CONTAINER has it */
	CGROUP_PATH,         /* below the root of its hierarchy */
	CGROUP_CONTAINER,    /* the container's name, in a pod its name there */
	CGROUP_CONTAINER_ID, /* as the runtime writes it, whole */
	CGROUP_POD,
	CGROUP_NAMESPACE, /* of Kubernetes */
	CGROUP_UNIT,      /* of systemd, where it is no container */
	CGROUP_TEXTS
};

struct cgroup_told {
	uint64_t id; /* in the v2 hierarchy */
	uint32_t
	    pid; /* 0: of every process in it; else of this one alone, whose container v1 hierarchies name */
	const char *texts[CGROUP_TEXTS]; /* NULL: not known, or it has none */
};

/* A copy in one block, for free(), of at most CGROUP_TOLD_TEXT_MAX bytes of each text. NULL: out of memory. */
#define CGROUP_TOLD_TEXT_MAX 4095
struct cgroup_told *cgroup_told_copy(const struct cgroup_told *facts);

/* Of all that is known: equal for equal facts. */
uint64_t cgroup_told_hash(const struct cgroup_told *facts);

/* How many bytes a copy takes. */
size_t cgroup_told_size(const struct cgroup_told *facts);

struct cgroup_list {
	struct cgroup_told **items; /* owned */
	size_t count;
	size_t capacity;
	size_t bytes; /* of the items */
};

/* What a list may grow to, whatever a recording says. */
#define CGROUP_LIST_BYTES_MAX (64u << 20)

/* Adds a copy. 0 or -ENOMEM. */
int cgroup_list_add(struct cgroup_list *list, const struct cgroup_told *facts);
/* Empties it, and frees all of it. A zeroed list is an empty one. */
void cgroup_list_fini(struct cgroup_list *list);

#endif
