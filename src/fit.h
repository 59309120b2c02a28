/* SPDX-License-Identifier: Apache-2.0 */
/* Maps that fit into the host's memory. */
#ifndef TCPTOP_FIT_H
#define TCPTOP_FIT_H

#include <stdint.h>

struct error;

/*
 * The kernel takes a map's memory at once, and where there is not enough it ends processes to get it. Over half of
 * what is available, maps of the default size become smaller, and the user is told; a size that was asked for
 * is refused. family: 0 both, 4 or 6. 0 or -errno with *error.
 */
int fit_maps(uint32_t *max_sessions, int family, struct error *error);

/* Raises how many sockets can be told of to twice those that the host has now. */
void fit_sockets(uint32_t *max_sockets);

#endif
