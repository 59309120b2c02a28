/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a cgroup's id in the v2 hierarchy to its path and short name. Known are all that a walk through the hierarchy has
 * found, at the start and when one is asked for that is not known, and all that cgroups_learn has told since.
 */
#ifndef TCPTOP_CGROUPS_H
#define TCPTOP_CGROUPS_H

#include <stdbool.h>
#include <stdint.h>

struct cgroup_description;
struct cgroups;
struct containers;
struct proc;

/*
 * root: the directory that has this host's files, as hierarchy_find takes it; NULL: no file may be read, cgroups are known
 * by cgroups_learn alone. proc and containers are borrowed until cgroups_close; containers NULL: they are called by their ids.
 */
struct cgroups *cgroups_open(const char *root, const struct proc *proc, struct containers *containers);
void cgroups_close(struct cgroups *cgroups);

/* An interval begins, or what is counted in it is about to be shown: what is not known may be looked for anew. */
void cgroups_begin(struct cgroups *cgroups);

/* The cgroup has, or had, this path. */
void cgroups_learn(struct cgroups *cgroups, uint64_t cgroup_id, const char *path);

/*
 * A number for the cgroup, its own until cgroups_forget; 0 for cgroup_id 0, and while it is not known whether it has
 * a name: ask again later. pid is a process that was in the cgroup at seen_s (wall clock): on a host with v1
 * hierarchies its other cgroups may tell the container. What is not known is searched for in slices, by cgroups_changed.
 */
uint32_t cgroups_find(struct cgroups *cgroups, uint64_t cgroup_id, uint32_t pid, int64_t seen_s);

/* Look for each as soon as it is asked for, however long it takes: for who has no second look. */
void cgroups_want_all(struct cgroups *cgroups);

/* A search is under way, or will be. */
bool cgroups_pending(const struct cgroups *cgroups);
/* Goes on with the search for some 10 ms. True when it has found what was asked for, or ended: texts are others now. */
bool cgroups_changed(struct cgroups *cgroups);

/*
 * So that what is kept is bounded however many cgroups come and go: when they are many, each number that somebody still
 * has is kept, and then those are forgotten that have gone and were neither kept nor found since the last time. A number
 * is never given to another cgroup.
 */
bool cgroups_are_many(const struct cgroups *cgroups);
void cgroups_keep(struct cgroups *cgroups, uint32_t number);
void cgroups_forget(struct cgroups *cgroups);

/* The short name and the path of a number; "-" for 0 and a forgotten one. Borrowed until the next cgroups_find,
 * cgroups_learn, cgroups_changed or cgroups_forget. Untrusted. */
const char *cgroups_text(const struct cgroups *cgroups, uint32_t number);
const char *cgroups_path(const struct cgroups *cgroups, uint32_t number);
/* The same by its path alone, as "docker:0123456789ab" also of what has a name: for a filter. */
const char *cgroups_name(const struct cgroups *cgroups, uint32_t number);

/*
 * All that is known of a number's cgroup, but for the PID and, where it is a v1 hierarchy's, the id. Its texts are borrowed as
 * those of cgroups_text, and until cgroups_begin, and untrusted. False: its path is not known.
 */
bool cgroups_describe(const struct cgroups *cgroups, uint32_t number, struct cgroup_description *description);

/* What cgroups_find was asked for when it gave the number: the id, or, for a container of a v1 hierarchy, another. 0: forgotten. */
uint64_t cgroups_key(const struct cgroups *cgroups, uint32_t number);

#endif
