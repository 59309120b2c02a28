/* SPDX-License-Identifier: Apache-2.0 */
#include "model/mirror.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"

static uint64_t half_hash(const uint8_t address[16], uint16_t port)
{
	uint64_t low, high;

	memcpy(&low, address, sizeof low);
	memcpy(&high, address + sizeof low, sizeof high);
	uint64_t hash = (low ^ high * 0x9e3779b97f4a7c15u ^ (uint64_t)port << 32) * 0xff51afd7ed558ccdu;

	return hash ^ hash >> 32;
}

uint32_t mirror_hash(const struct session *session)
{
	uint64_t hash = half_hash(session->laddr, session->lport) + half_hash(session->raddr, session->rport);

	hash *= 0xc4ceb9fe1a85ec53u;
	return (uint32_t)(hash >> 32);
}

bool mirror_is_same(const struct session *a, const struct session *b)
{
	return a->lport == b->lport && a->rport == b->rport && a->family == b->family &&
	       memcmp(a->laddr, b->laddr, sizeof a->laddr) == 0 &&
	       memcmp(a->raddr, b->raddr, sizeof a->raddr) == 0;
}

int mirror_nearness(const struct session *a, const struct session *b)
{
	if (a->netns != b->netns)
		return MIRROR_APART;
	return a->ifindex == b->ifindex ? MIRROR_SAME_PLACE : MIRROR_SAME_NETNS;
}

/* A loopback interface, and an address's way to itself, never leave their namespace. */
static bool may_cross(const struct session *session)
{
	return !address_is_loopback(session->family, session->laddr) &&
	       !address_is_loopback(session->family, session->raddr) &&
	       memcmp(session->laddr, session->raddr, sizeof session->laddr) != 0;
}

bool mirror_may_be_other(const struct session *a, const struct session *b)
{
	return a->lport == b->rport && a->rport == b->lport && a->family == b->family &&
	       memcmp(a->laddr, b->raddr, sizeof a->laddr) == 0 &&
	       memcmp(a->raddr, b->laddr, sizeof a->raddr) == 0 && (a->netns == b->netns || may_cross(a));
}

int marks_init(struct marks *marks, size_t count)
{
	size_t bits = 1024;

	while (bits < count * 16 && bits < UINT32_C(1) << 30)
		bits *= 2;
	marks->mask = (uint32_t)bits - 1;
	marks->bits = calloc(bits / 64, sizeof *marks->bits);
	return marks->bits ? 0 : -ENOMEM;
}

void marks_fini(struct marks *marks)
{
	free(marks->bits);
	*marks = (struct marks){ 0 };
}

void marks_add(const struct marks *marks, uint32_t hash)
{
	uint32_t bit = hash & marks->mask;

	marks->bits[bit / 64] |= UINT64_C(1) << bit % 64;
}

bool marks_may_have(const struct marks *marks, uint32_t hash)
{
	uint32_t bit = hash & marks->mask;

	return marks->bits[bit / 64] >> bit % 64 & 1;
}
