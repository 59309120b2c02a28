/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled programs of earlier starts, in a directory that only root can write: a start that finds its own needs neither
 * libbcc nor LLVM. What differs in its text, headers, kernel or libbcc's release from what would be compiled now is compiled.
 */
#ifndef TCPTOP_CACHE_H
#define TCPTOP_CACHE_H

#include <stddef.h>

struct compiled;

struct cache {
	int directory; /* -1: there is none */
};

/*
 * Opens the directory, and makes it. 0, or -errno, and there is no cache: -EPERM also where this process is not root, or somebody
 * else may write there.
 */
int cache_open(struct cache *cache);
void cache_close(struct cache *cache);

/* Makes the maps of what was compiled for a key, and its instructions: for compiled_fini. 0 or -errno: there is nothing of use. */
int cache_read(const struct cache *cache, const void *key, size_t key_bytes, struct compiled *compiled);

/* Keeps what libbcc has compiled for a key; the oldest go when there are many. 0 or -errno. */
int cache_write(
    const struct cache *cache, const void *key, size_t key_bytes, const struct compiled *compiled);

#endif
