/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What containers and pods are called by those who made them, in both directions: the kubelet's files in /var/log, which
 * everybody may read, and what Docker and Podman say, which root alone may ask. Untrusted, as all names.
 */
#ifndef TCPTOP_CONTAINERS_H
#define TCPTOP_CONTAINERS_H

#include <stdbool.h>
#include <stddef.h>

#include "names/container_id.h"

struct containers;

struct container {
	const char *engine;    /* "docker", "podman"; NULL: it is the kubelet's */
	const char *namespace; /* the kubelet's, as the next one; "" for an engine's container */
	const char *pod;
	const char *name; /* the container's; "" for a pod */
};

struct container_ids {
	char (*items)[CONTAINER_ID_SIZE];
	size_t count;
};

/* root: the directory that has var and run, borrowed; "" is the running system. Knows nothing yet. NULL: no memory. */
struct containers *containers_open(const char *root);
void containers_close(struct containers *containers);

/* For who asks engines, names/engines.h: the directory that has var and run; NULL: they have been asked. */
const char *containers_to_ask(struct containers *containers);

/*
 * What an engine ("docker", "podman": static) says that a container is called; an id that is none is left out. It is found
 * after containers_sort.
 */
void containers_add(struct containers *containers, const char *engine, const char *id, const char *name);
void containers_sort(struct containers *containers);

/*
 * Reads the kubelet's /var/log/containers (POD_NAMESPACE_CONTAINER-ID.log) and /var/log/pods (NAMESPACE_POD_UID), each if
 * it has changed since it was read: two calls of stat(2) when not. What was known stays known. True: there is more.
 */
bool containers_refresh(struct containers *containers);

/* The container or pod of an id; false: not known. Borrowed until the next call of another function. */
bool containers_find(const struct containers *containers, const char *id, struct container *container);

void container_ids_fini(struct container_ids *ids);

/* containers: NULL knows none. Adds the ids of containers of this name: as it is, "docker:NAME", "podman:NAME", "NAMESPACE/POD/NAME". 0 or -ENOMEM. */
int containers_ids_of_name(const struct containers *containers, const char *name, struct container_ids *ids);

/* Adds the UIDs of pods: the text itself, if it is one, and those of [NAMESPACE/]POD. 0 or -ENOMEM. */
int containers_ids_of_pod(const struct containers *containers, const char *text, struct container_ids *ids);

#endif
