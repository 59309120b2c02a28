/* SPDX-License-Identifier: Apache-2.0 */
/* The user's pinned filter maps (--cgroupmap, --mntnsmap): opened and checked, never created. */
#ifndef TCPTOP_FILTER_MAP_H
#define TCPTOP_FILTER_MAP_H

#include <stdbool.h>

struct error;

/*
 * Opens the BPF hash map (hash or LRU hash, 8-byte keys, values of any size) pinned at path. option is the
 * option's name, for the message. Returns a descriptor that the caller closes, or -errno with *error
 * (usage) telling what was expected and what was found.
 */
int filter_map_open(const char *path, const char *option, struct error *error);

/* The map has no key now. False, too, where it may not be read. */
bool filter_map_is_empty(int fd);

#endif
