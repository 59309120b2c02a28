/* SPDX-License-Identifier: Apache-2.0 */
/* What a cgroup's path and those who know containers tell of it, and what it is called by that. */
#ifndef TCPTOP_CGROUP_FACTS_H
#define TCPTOP_CGROUP_FACTS_H

#include <stdbool.h>

#include "model/cgroup_told.h"
#include "names/cgroup_name.h"
#include "names/containers.h"

/* All that is not known is "". Untrusted. */
struct cgroup_facts {
	const char *path;            /* borrowed, as it was given */
	char name[CGROUP_NAME_SIZE]; /* by the path alone, as cgroup_name tells it */
	char unit[CGROUP_NAME_SIZE]; /* of systemd's; a container has none */
	bool is_container;
	char id[CONTAINER_ID_SIZE]; /* of the container, 64 digits */
	char pod_uid[CONTAINER_ID_SIZE];
	const char *
	    engine; /* that gave the container its name: "docker", "podman"; borrowed from containers, as what follows */
	const char *namespace; /* of Kubernetes */
	const char *pod;
	const char *container; /* its name in the pod, or the engine's */
};

/* path: "" when it is not known. containers: NULL knows none. */
void cgroup_facts_find(struct cgroup_facts *facts, const char *path, const struct containers *containers);

/*
 * What it is called: "NAMESPACE/POD/CONTAINER", or "NAMESPACE/POD/ID" of a container that only its pod is known of;
 * "docker:NAME"; else the name by the path. For free(); NULL: no memory.
 */
char *cgroup_facts_text(const struct cgroup_facts *facts);

/* Its name may become known later: it is a container that has an id, and no name yet. */
bool cgroup_facts_may_come(const struct cgroup_facts *facts);

/* It is a container of Docker's or Podman's, as far as the path tells, and these have not been asked, or did not know. */
bool cgroup_facts_has_engine(const struct cgroup_facts *facts);

struct cgroup_description {
	struct cgroup_told facts;  /* its texts are borrowed from the names, or are in: */
	struct cgroup_facts known; /* not filled for what a recording told */
};

/*
 * Fills the description of a cgroup from its path and what it is called, which are borrowed: the one place where a new source of
 * names fills members of struct cgroup_told. containers: NULL knows none.
 */
void cgroup_describe(struct cgroup_description *description, const char *path, const char *text,
    const struct containers *containers);

#endif
