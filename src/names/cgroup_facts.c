/* SPDX-License-Identifier: Apache-2.0 */
#include "names/cgroup_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

void cgroup_facts_find(struct cgroup_facts *facts, const char *path, const struct containers *containers)
{
	struct container container;

	*facts =
	    (struct cgroup_facts){ .path = path, .engine = "", .namespace = "", .pod = "", .container = "" };
	facts->is_container = cgroup_name(facts->name, sizeof facts->name, path);
	cgroup_unit(facts->unit, sizeof facts->unit, path);
	if (!facts->is_container)
		return;
	cgroup_ids(path, facts->id, facts->pod_uid);
	if (!containers || (!containers_find(containers, facts->id, &container) &&
	                       !containers_find(containers, facts->pod_uid, &container)))
		return;
	facts->engine = container.engine ? container.engine : "";
	facts->namespace = container.namespace;
	facts->pod = container.pod;
	facts->container = container.name;
}

char *cgroup_facts_text(const struct cgroup_facts *facts)
{
	const char *colon = strchr(facts->name, ':');
	char *text = NULL;
	int length;

	if (*facts->engine)
		length = asprintf(&text, "%s:%s", facts->engine, facts->container);
	else if (*facts->pod)
		length = asprintf(&text, "%s/%s/%s", facts->namespace, facts->pod,
		    *facts->container ? facts->container
		    : colon           ? colon + 1
		                      : facts->name);
	else
		length = asprintf(&text, "%s", facts->name);
	return length < 0 ? NULL : text;
}

bool cgroup_facts_may_come(const struct cgroup_facts *facts)
{
	return !*facts->container && (*facts->id || *facts->pod_uid);
}

bool cgroup_facts_has_engine(const struct cgroup_facts *facts)
{
	static const char *const kinds[] = { "docker:", "podman:", "container:" };
	bool found = false;

	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		found |= strncmp(facts->name, kinds[i], strlen(kinds[i])) == 0;
	return found && *facts->id && !*facts->container;
}

/* What is not known is no text. */
static const char *known(const char *text)
{
	return *text ? text : NULL;
}

void cgroup_describe(struct cgroup_description *description, const char *path, const char *text,
    const struct containers *containers)
{
	struct cgroup_facts *facts = &description->known;

	cgroup_facts_find(facts, path, containers);
	const char *colon = facts->is_container && !*facts->id ? strchr(facts->name, ':') : NULL;
	const char *container = colon ? colon + 1 : facts->container;

	description->facts = (struct cgroup_told){ .texts = {
		                                       [CGROUP_NAME] = text,
		                                       [CGROUP_PATH] = path,
		                                       [CGROUP_CONTAINER] = known(container),
		                                       [CGROUP_CONTAINER_ID] = known(facts->id),
		                                       [CGROUP_POD] = known(facts->pod),
		                                       [CGROUP_NAMESPACE] = known(facts->namespace),
		                                       [CGROUP_UNIT] = known(facts->unit),
		                                   } };
}
