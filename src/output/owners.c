/* SPDX-License-Identifier: Apache-2.0 */
#include "output/owners.h"

#include <errno.h>

#include "model/snapshot.h"
#include "names/names.h"
#include "output/renderer.h"

int owners_open(struct owners *owners, const struct run *run)
{
	owners->is_lent = run->names != NULL;
	owners->names = run->names ?: names_open(run->live);
	if (!owners->names)
		return -ENOMEM;
	/* What is written is written once. */
	if (!owners->is_lent)
		names_want_all(owners->names);
	return 0;
}

void owners_close(struct owners *owners)
{
	if (!owners->is_lent)
		names_close(owners->names);
	owners->names = NULL;
}

int owners_begin(struct owners *owners, const struct snapshot *snapshot)
{
	if (owners->is_lent)
		return 0;
	/* No number outlives its interval. */
	if (names_are_many(owners->names))
		names_forget(owners->names);
	for (size_t i = 0; i < snapshot->told.count; i++)
		if (names_container_learn(owners->names, snapshot->told.items[i]) < 0)
			return -ENOMEM;
	return 0;
}

bool owners_find(struct owners *owners, const struct session *session, int64_t seen_s,
    struct cgroup_description *description)
{
	uint32_t number = names_container(owners->names, session->cgroup_id, session->pid, seen_s);

	return names_container_describe(owners->names, number, session->cgroup_id, session->pid, description);
}
