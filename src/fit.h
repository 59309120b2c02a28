/* SPDX-License-Identifier: Apache-2.0 */
/* Maps that fit into the host's memory. */
#ifndef TCPTOP_FIT_H
#define TCPTOP_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/*
 * The kernel takes a map's memory at once, and where there is not enough it ends processes to get it. Over half of
 * what is available, maps of the default size become smaller, and the user is told; a size that was asked for
 * is refused. What is available is less where a limit of this process's cgroup, or of one above it, is near. family: 0 both,
 * 4 or 6. 0 or -errno with *error.
 */
int fit_maps(uint32_t *max_sessions, int family, struct error *error);

/*
 * Memory of its own that tcptop has at most when an interval lists as many connections as the tables have places. It grows with
 * what is listed, and is not taken at the start. shown_bytes: as the renderer has it.
 */
uint64_t fit_own_bytes(uint32_t max_sessions, int family, size_t shown_bytes);

/* Tells how much that is with -v, and where it and the tables do not fit into what is available, although they were asked for. */
void fit_tell_own(uint32_t max_sessions, int family, size_t shown_bytes, bool verbose);

/* Raises how many sockets can be told of to twice those that the host has now. */
void fit_sockets(uint32_t *max_sockets);

#endif
