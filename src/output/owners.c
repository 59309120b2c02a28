/* SPDX-License-Identifier: Apache-2.0 */
#include "output/owners.h"

#include "model/snapshot.h"
#include "names/names.h"
#include "output/renderer.h"

void owners_init(struct owners *owners, const struct run *run)
{
	*owners = (struct owners){ run->names, run->names_kept };
}

int owners_begin(struct owners *owners, const struct snapshot *snapshot)
{
	if (!owners->names || owners->names_kept)
		return 0;
	/* No number outlives its interval. */
	if (names_are_many(owners->names))
		names_forget(owners->names);
	return names_learn(owners->names, snapshot);
}

bool owners_find(struct owners *owners, const struct session *session, int64_t seen_s,
    struct cgroup_description *description)
{
	uint32_t number = names_container(owners->names, session->cgroup_id, session->pid, seen_s);

	return names_container_describe(owners->names, number, session->cgroup_id, session->pid, description);
}
