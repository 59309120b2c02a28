/* SPDX-License-Identifier: Apache-2.0 */
/* From a cgroup's id in the v2 hierarchy to its path, and from the path to a container's short name. */
#ifndef TCPTOP_CGROUPS_H
#define TCPTOP_CGROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The short name for a cgroup path: "docker:0123456789ab", "cri:0123456789ab", "lxc:web", "nginx.service", "/".
 * True when it is a container's. The text is as untrusted as the path.
 */
bool container_shorten(char *buffer, size_t size, const char *path);

struct container_cache;

/* live: this host's files may be asked; else every cgroup is known by its number alone. */
struct container_cache *container_cache_open(bool live);
void container_cache_close(struct container_cache *cache);

/* As names_container, names_container_text and names_container_path say. */
uint32_t container_find(struct container_cache *cache, uint64_t cgroup_id, uint32_t pid);
const char *container_text(const struct container_cache *cache, uint32_t container);
const char *container_path(const struct container_cache *cache, uint32_t container);

#endif
