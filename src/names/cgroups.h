/* SPDX-License-Identifier: Apache-2.0 */
/* From a cgroup's id in the v2 hierarchy to its path and short name, by looking into /proc and the hierarchy. */
#ifndef TCPTOP_CGROUPS_H
#define TCPTOP_CGROUPS_H

#include <stdint.h>

struct cgroups;
struct proc;

/* proc: this host's, borrowed until cgroups_close; NULL: no file may be read, every cgroup is known by its id alone. */
struct cgroups *cgroups_open(const struct proc *proc);
void cgroups_close(struct cgroups *cgroups);

/*
 * A small number for the cgroup, stable until cgroups_close; 0 for cgroup_id 0, and when too many are new
 * to look them all up: ask again later. pid is a process that was in the cgroup at seen_s (wall clock), the
 * first place to look for its path. Reads a few files for an id that is new.
 */
uint32_t cgroups_find(struct cgroups *cgroups, uint64_t cgroup_id, uint32_t pid, int64_t seen_s);

/* Look for each as soon as it is asked for, however long it takes: for who has no second look. */
void cgroups_want_all(struct cgroups *cgroups);

/* The short name and the path of a number; "-" for 0. Borrowed until cgroups_close. Untrusted. */
const char *cgroups_text(const struct cgroups *cgroups, uint32_t number);
const char *cgroups_path(const struct cgroups *cgroups, uint32_t number);

#endif
