/* SPDX-License-Identifier: Apache-2.0 */
/* What the two ends of a connection within the host have in common, and may have in common with those of another one. */
#ifndef TCPTOP_MIRROR_H
#define TCPTOP_MIRROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

/* Of a connection's addresses and ports: the same for both ends. */
uint32_t mirror_hash(const struct session *session);

/* Whether both have the same addresses and ports. */
bool mirror_is_same(const struct session *a, const struct session *b);

/*
 * Whether the addresses and ports of one are those of the other, mirrored. Of another namespace only where the way may lead
 * there: not what is on a loopback interface, nor from an address to itself.
 */
bool mirror_may_be_other(const struct session *a, const struct session *b);

/* 2: the same network namespace and link, 1: the same namespace, 0: two. */
enum { MIRROR_APART, MIRROR_SAME_NETNS, MIRROR_SAME_PLACE };
int mirror_nearness(const struct session *a, const struct session *b);

/* Hashes, as bits: most of what has none of them is left out at once. */
struct marks {
	uint64_t *bits;
	uint32_t mask; /* of a hash */
};

/* Empty, with room for so many hashes, for marks_fini. 0 or -ENOMEM. */
int marks_init(struct marks *marks, size_t count);
void marks_fini(struct marks *marks);

void marks_add(const struct marks *marks, uint32_t hash);

/* false: it has not been added. */
bool marks_may_have(const struct marks *marks, uint32_t hash);

#endif
