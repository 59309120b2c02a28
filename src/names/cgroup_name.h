/* SPDX-License-Identifier: Apache-2.0 */
/* From a cgroup's path to the short name of the container, unit or cgroup: text in, text out. */
#ifndef TCPTOP_CGROUP_NAME_H
#define TCPTOP_CGROUP_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "names/container_id.h"

enum { CGROUP_NAME_SIZE = 256 }; /* of buffers for cgroup_name: room for any directory's name */

/*
 * The short name for a cgroup path: "docker:0123456789ab", "cri:0123456789ab", "lxc:web", "nginx.service",
 * "host" for the root.
 * True when it is a container's. The text is as untrusted as the path.
 */
bool cgroup_name(char *buffer, size_t size, const char *path);

/* The unit of systemd's that a path is in, by its whole name, as systemd knows it: "foo\x2dbar@1.service". False, and "": none, or a container. */
bool cgroup_unit(char *buffer, size_t size, const char *path);

/*
 * The container's id, of 64 hexadecimal digits, and the UID of the pod, with dashes, that the path of a container has; the
 * innermost ones, "" for none.
 */
void cgroup_ids(const char *path, char id[CONTAINER_ID_SIZE], char uid[CONTAINER_ID_SIZE]);

/* Is the text, of that length, what a short name of a container has before its colon? */
bool cgroup_name_is_kind(const char *text, size_t length);

/* Is it a unit of systemd's that processes run in: nginx.service? Slices only group units. */
bool cgroup_name_is_unit(const char *name);

#endif
