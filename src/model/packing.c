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

/* A group of which all bytes differ, as those of histories do, is mostly foreseen by the processor. */
#define ALL 0xff

static uint64_t group_at(const void *bytes, size_t i)
{
	uint64_t group;

	memcpy(&group, (const unsigned char *)bytes + i * PACKING_GROUP, PACKING_GROUP);
	return group;
}

/* Which bytes are not zero, as bits: the lowest bit of each byte, brought together by a multiplication. */
static unsigned bytes_of(uint64_t group)
{
	group |= group >> 4;
	group |= group >> 2;
	group |= group >> 1;
	return (unsigned)((group & 0x0101010101010101u) * 0x0102040810204080u >> 56);
}

static unsigned char *put_bytes(unsigned char *to, uint64_t group, unsigned which)
{
	if (which == ALL)
		return (unsigned char *)memcpy(to, &group, PACKING_GROUP) + PACKING_GROUP;
	for (; which; which &= which - 1)
		*to++ = (unsigned char)(group >> 8 * __builtin_ctz(which));
	return to;
}

static const unsigned char *get_bytes(const unsigned char *from, uint64_t *group, unsigned which)
{
	if (which == ALL) {
		memcpy(group, from, PACKING_GROUP);
		return from + PACKING_GROUP;
	}
	for (; which; which &= which - 1) {
		unsigned shift = 8 * (unsigned)__builtin_ctz(which);

		*group = (*group & ~(UINT64_C(0xff) << shift)) | (uint64_t)*from++ << shift;
	}
	return from;
}

void packing_put_differences(unsigned char **at, const void *bytes, const void *from, size_t size)
{
	uint64_t groups = 0;

	for (size_t i = 0; i < size / PACKING_GROUP; i++)
		groups |= (uint64_t)(group_at(bytes, i) != group_at(from, i)) << i;
	packing_put_number(at, groups);
	for (; groups; groups &= groups - 1) {
		size_t i = (size_t)__builtin_ctzll(groups);
		unsigned which = bytes_of(group_at(bytes, i) ^ group_at(from, i));

		*(*at)++ = (unsigned char)which;
		*at = put_bytes(*at, group_at(bytes, i), which);
	}
}

void packing_get_differences(const unsigned char **at, void *bytes)
{
	for (uint64_t groups = packing_get_number(at); groups; groups &= groups - 1) {
		size_t i = (size_t)__builtin_ctzll(groups);
		uint64_t group = group_at(bytes, i);
		unsigned which = *(*at)++;

		*at = get_bytes(*at, &group, which);
		memcpy((unsigned char *)bytes + i * PACKING_GROUP, &group, PACKING_GROUP);
	}
}
