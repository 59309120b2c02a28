/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers of runtimes that use v1 hierarchies alone: they leave their processes where they are in the v2 one, in its
 * root or in the runtime's service, so that no id tells them apart. The other lines of /proc/PID/cgroup do.
 */
#ifndef TCPTOP_V1_CONTAINERS_H
#define TCPTOP_V1_CONTAINERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proc;
struct v1_containers;

/* proc: borrowed. NULL: no memory. */
struct v1_containers *v1_containers_open(const struct proc *proc);
void v1_containers_close(struct v1_containers *containers);

/*
 * Writes the path of the container that the process is in which had the PID at seen_s (wall clock), "" when it is in none
 * or is not there any more. Only so many processes are looked at in a second, unless all are wanted; false: one of
 * those that are not, ask again later.
 */
bool v1_containers_find(
    struct v1_containers *containers, uint32_t pid, int64_t seen_s, bool want_all, char *path, size_t size);

#endif
