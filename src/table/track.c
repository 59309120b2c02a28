/* SPDX-License-Identifier: Apache-2.0 */
#include "table/track.h"

/* No row has it. */
#define LIFE_GONE UINT32_MAX

void track_note(struct track *track, const struct rows *rows, const struct session *selected)
{
	if (session_compare_key(&track->key, selected) == 0)
		return;
	size_t index = rows_find(rows, selected);

	track->key = *selected;
	track->first_tick = index == ROW_NONE ? 0 : rows->rows[index].first_tick;
}

void track_resolve(struct track *track, const struct rows *rows, struct session *selected)
{
	size_t index = rows_find(rows, selected);

	if (!track->first_tick || session_compare_key(&track->key, selected) != 0 ||
	    (index != ROW_NONE && rows->rows[index].first_tick == track->first_tick))
		return;
	for (size_t i = 0; i < rows->count; i++) {
		if (rows->rows[i].first_tick != track->first_tick)
			continue;
		struct session key = *selected;

		key.life = rows->rows[i].session.life;
		if (session_compare_key(&key, &rows->rows[i].session) == 0) {
			track->key = *selected = key;
			return;
		}
	}
	/* Another one has its key, and its own row is gone. */
	if (index != ROW_NONE)
		track->key.life = selected->life = LIFE_GONE;
}
