/* SPDX-License-Identifier: Apache-2.0 */
#include "model/packing.h"

#include <string.h>

void packing_put_number(unsigned char **at, uint64_t number)
{
	for (; number >= 0x80; number >>= 7)
		*(*at)++ = (unsigned char)(number | 0x80);
	*(*at)++ = (unsigned char)number;
}

uint64_t packing_get_number(const unsigned char **at)
{
	uint64_t number = 0;
	unsigned shift = 0;

	for (; **at & 0x80; shift += 7)
		number |= (uint64_t)(*(*at)++ & 0x7f) << shift;
	return number | (uint64_t) * (*at)++ << shift;
}

void packing_put_differences(unsigned char **at, const void *bytes, const void *from, size_t size)
{
	const unsigned char *new = bytes, *old = from;
	uint64_t groups = 0;

	for (size_t i = 0; i < size / PACKING_GROUP; i++)
		if (memcmp(new + i *PACKING_GROUP, old + i * PACKING_GROUP, PACKING_GROUP) != 0)
			groups |= UINT64_C(1) << i;
	packing_put_number(at, groups);
	for (; groups; groups &= groups - 1) {
		size_t first = (size_t)__builtin_ctzll(groups) * PACKING_GROUP;
		unsigned char *mask = (*at)++;

		*mask = 0;
		for (unsigned bit = 0; bit < PACKING_GROUP; bit++) {
			if (new[first + bit] == old[first + bit])
				continue;
			*mask |= (unsigned char)(1u << bit);
			*(*at)++ = new[first + bit];
		}
	}
}

void packing_get_differences(const unsigned char **at, void *bytes)
{
	unsigned char *new = bytes;

	for (uint64_t groups = packing_get_number(at); groups; groups &= groups - 1) {
		size_t first = (size_t)__builtin_ctzll(groups) * PACKING_GROUP;
		unsigned mask = *(*at)++;

		for (unsigned bit = 0; bit < PACKING_GROUP; bit++)
			if (mask & 1u << bit)
				new[first + bit] = *(*at)++;
	}
}
