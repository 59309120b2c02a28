/* SPDX-License-Identifier: Apache-2.0 */
/* Whose sessions are, beyond their numbers: the names of cgroups for JSON, CSV and metrics. */
#ifndef TCPTOP_OWNERS_H
#define TCPTOP_OWNERS_H

#include <stdbool.h>
#include <stdint.h>

#include "names/cgroup_facts.h"

struct names;
struct run;
struct session;
struct snapshot;

/* The names are borrowed from the run. */
struct owners {
	struct names *names;
	bool names_kept;
};

void owners_init(struct owners *owners, const struct run *run);

/* Before the sessions of an interval are asked for: takes what is new in it. 0 or -ENOMEM. */
int owners_begin(struct owners *owners, const struct snapshot *snapshot);

/*
 * What is known of the session's cgroup; seen_s: the interval's end (wall clock). Texts are borrowed until the next call, and
 * untrusted. False: nothing but its id.
 */
bool owners_find(struct owners *owners, const struct session *session, int64_t seen_s,
    struct cgroup_description *description);

#endif
