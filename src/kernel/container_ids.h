/* SPDX-License-Identifier: Apache-2.0 */
/* From the name of a container or a pod to the ids that cgroups have in their paths, as root sees them at the start. */
#ifndef TCPTOP_CONTAINER_IDS_H
#define TCPTOP_CONTAINER_IDS_H

#include <stddef.h>

struct container_id {
	char text[65]; /* 64 hexadecimal digits, or a pod's UID */
};

struct container_ids {
	struct container_id *items;
	size_t count;
};

void container_ids_fini(struct container_ids *ids);

/*
 * Adds the ids of containers of this name, also as "docker:NAME" and "podman:NAME". Asked are: the kubelet's links in
 * /var/log/containers (POD_NAMESPACE_CONTAINER-ID.log), root's Podman by its list in /var/lib/containers, Docker's engine by its
 * socket, which may be silent for a second at most. 0 or -ENOMEM.
 */
int container_ids_of_name(struct container_ids *ids, const char *name);

/*
 * Adds the UIDs of pods: the text itself, if it is one, and those of [NAMESPACE/]NAME by the kubelet's directories in
 * /var/log/pods (NAMESPACE_NAME_UID). 0 or -ENOMEM.
 */
int container_ids_of_pod(struct container_ids *ids, const char *text);

#endif
