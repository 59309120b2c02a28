/* SPDX-License-Identifier: Apache-2.0 */
#include "model/marks.h"

#include <errno.h>
#include <stdlib.h>

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
