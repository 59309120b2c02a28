/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/spots.h"

#include <stddef.h>

void spots_add(struct spots *spots, const struct spot *spot)
{
	if (spots->count < SPOTS_MAX && spot->x < spot->end_x && spot->y < spot->end_y)
		spots->spots[spots->count++] = *spot;
}

const struct spot *spots_at(const struct spots *spots, unsigned x, unsigned y)
{
	for (unsigned i = 0; i < spots->count; i++) {
		const struct spot *spot = &spots->spots[i];

		if (x >= spot->x && x < spot->end_x && y >= spot->y && y < spot->end_y)
			return spot;
	}
	return NULL;
}
