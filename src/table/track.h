/* SPDX-License-Identifier: Apache-2.0 */
/* Which connection the cursor is on, also when another one has taken its addresses and ports, and with them its key. */
#ifndef TCPTOP_TRACK_H
#define TCPTOP_TRACK_H

#include "model/rows.h"

struct track {
	struct session key;
	uint32_t
	    first_tick; /* when the connection with this key was first seen; 0: it is none, or not known */
};

/* Notes when the selected connection was first seen, unless that is known. To be called before the rows change. */
void track_note(struct track *track, const struct rows *rows, const struct session *selected);

/* After the rows have changed: gives *selected the life that its connection has now. */
void track_resolve(struct track *track, const struct rows *rows, struct session *selected);

#endif
