/* SPDX-License-Identifier: Apache-2.0 */
/* What a recording tells of a cgroup, told to names. */
#ifndef TCPTOP_TELL_NAMES_H
#define TCPTOP_TELL_NAMES_H

#include "model/snapshot.h"
#include "names/names.h"

/* told: NULL tells nothing. */
static inline void tell_names(struct names *names, const struct cgroup_told *told)
{
	struct snapshot snapshot;

	snapshot_init(&snapshot);
	if (told)
		assert_int_equal(cgroup_list_add(&snapshot.told, told), 0);
	assert_int_equal(names_learn(names, &snapshot), 0);
	snapshot_fini(&snapshot);
}

#endif
