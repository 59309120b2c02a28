/* SPDX-License-Identifier: Apache-2.0 */
/* FNV-1a of 64 bits, for tables, names and sums: against mistakes, not against who wants two things to be alike. */
#ifndef TCPTOP_HASH_H
#define TCPTOP_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_BASIS UINT64_C(14695981039346656037)

/* The hash of what went before, HASH_BASIS at first, and of these bytes. */
static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
	for (const unsigned char *at = bytes; length; length--)
		hash = (hash ^ *at++) * UINT64_C(1099511628211);
	return hash;
}

#endif
