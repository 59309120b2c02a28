/* SPDX-License-Identifier: Apache-2.0 */
/* Which hashes there are, as bits: for a pass over many things of which few are looked for. */
#ifndef TCPTOP_MARKS_H
#define TCPTOP_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
