/* SPDX-License-Identifier: Apache-2.0 */
/* A walk through the whole v2 hierarchy, some directories at a time, so that no key waits for it. */
#ifndef TCPTOP_CGROUP_WALK_H
#define TCPTOP_CGROUP_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: none has begun, and there is no hierarchy. */
struct cgroup_walk {
	int root_fd;     /* the hierarchy's root; 0: there is none to walk */
	uint32_t number; /* of the walk that is under way, else of the last one; 0: none has begun */
	bool is_wanted;  /* begin another one when it is time */
	char **paths;    /* still to be looked at, below the root */
	size_t count;
	size_t capacity;
	unsigned directories;
	uint64_t spent_ns;
	uint64_t next_ns; /* when the next one may begin, on the monotonic clock */
};

/* path: where the hierarchy is mounted. It stays in reach also for who may not pass the directories above it later. */
void cgroup_walk_open(struct cgroup_walk *walk, const char *path);
void cgroup_walk_close(struct cgroup_walk *walk);

static inline bool cgroup_walk_is_on(const struct cgroup_walk *walk)
{
	return walk->count;
}

/*
 * Goes on for about the time, or begins if a walk is wanted and the pause after the last one is over (now: in any case).
 * Tells each cgroup to found: its id and its path, "/" for the root. True: a walk has come to its end.
 */
bool cgroup_walk_go(struct cgroup_walk *walk, uint64_t time_ns, bool now,
    void (*found)(void *to, uint64_t cgroup_id, const char *path), void *to);

#endif
