/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and plain structs as few bytes. */
#ifndef TCPTOP_PACKING_H
#define TCPTOP_PACKING_H

#include <stddef.h>
#include <stdint.h>

enum {
	PACKING_NUMBER_MAX = 10,               /* bytes of a number: seven bits in each */
	PACKING_GROUP = 8,                     /* what differs is found by groups of bytes, */
	PACKING_SIZE_MAX = 64 * PACKING_GROUP, /* which are bits of a number */
};

/* The bytes that a struct of this size takes at most. */
#define PACKING_DIFFERENCES_MAX(size) (PACKING_NUMBER_MAX + (size) / PACKING_GROUP * (PACKING_GROUP + 1))

/* Each of these takes or gives bytes at *at, which it moves on. The caller has made room. */
void packing_put_number(unsigned char **at, uint64_t number);
uint64_t packing_get_number(const unsigned char **at);

/*
 * A struct as what differs from another one: which groups of eight bytes do, and after a mask of eight bits those of a group. The
 * size is a whole number of groups, PACKING_SIZE_MAX at most. To get it *bytes has to be what it was packed `from`.
 */
void packing_put_differences(unsigned char **at, const void *bytes, const void *from, size_t size);
void packing_get_differences(const unsigned char **at, void *bytes);

#endif
