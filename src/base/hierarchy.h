/* SPDX-License-Identifier: Apache-2.0 */
/* Where this process sees cgroups. */
#ifndef TCPTOP_HIERARCHY_H
#define TCPTOP_HIERARCHY_H

#include <stdbool.h>

struct hierarchy {
	char
	    path[256]; /* where v2 is mounted, as a whole if it is anywhere; "": nowhere that can be opened */
	int level;     /* of that directory below the hierarchy's root, which is 0; -1: not known */
	bool has_v1;   /* v1 hierarchies are mounted */
};

/*
 * From /proc/self/mountinfo and the process's cgroup namespace. root: the directory that the host's root is mounted at, ""
 * if it is the process's own; what is mounted below it comes first.
 */
void hierarchy_find(struct hierarchy *hierarchy, const char *root);

/* Takes a line of mountinfo's form, if it is of what is below root; initial: the process is in the initial cgroup namespace. */
void hierarchy_take(struct hierarchy *hierarchy, const char *line, const char *root, bool initial);

/* How many names a path below has: "a/b" is two. */
int hierarchy_depth(const char *path);

#endif
