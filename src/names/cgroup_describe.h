/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is told of a cgroup: the one place where a new source of names fills members of struct cgroup_told. Whoever writes
 * them, JSON, CSV, metrics, goes through it.
 */
#ifndef TCPTOP_CGROUP_DESCRIBE_H
#define TCPTOP_CGROUP_DESCRIBE_H

#include <stdbool.h>

#include "model/cgroup_told.h"

enum { CGROUP_ID_DIGITS = 64, CGROUP_WORD_SIZE = 256 /* NAME_MAX, and a NUL */ };

struct cgroup_description {
	struct cgroup_told facts; /* its texts are borrowed from the names, or are these: */
	char container_id[CGROUP_ID_DIGITS + 1];
	char container[CGROUP_WORD_SIZE];
};

/*
 * Fills the description of a cgroup from its path and short name, which are borrowed. is_container: the name is a
 * container's, "KIND:NAME".
 */
void cgroup_describe(
    struct cgroup_description *description, const char *path, const char *name, bool is_container);

#endif
