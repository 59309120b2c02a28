/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which addresses are of this host, in which network namespace, and who listens on them: as far as the sockets that are told of
 * show it.
 */
#ifndef TCPTOP_LOCAL_H
#define TCPTOP_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/rows.h"

struct local_place;

struct local {
	const struct rows *rows; /* borrowed: they must not change */
	struct local_place *places;
	size_t place_count;
	uint32_t *listeners; /* indexes of rows, by namespace and port */
	size_t listener_count;
};

/* Zeroes *local, which the caller owns, and fills it; local_fini frees it in any case. 0 or -ENOMEM. */
int local_find(struct local *local, const struct rows *rows);
void local_fini(struct local *local);

/* Whether somebody listens on the session's own port. */
bool local_serves(const struct local *local, const struct session *session);

/*
 * The namespace that has the session's remote address: its own, or the only other one; 0: it is of another host, link-local, or
 * it cannot be told.
 */
uint32_t local_netns(const struct local *local, const struct session *session);

/* Who listens on the session's remote address and port, of several one whose queue is full; NULL: nobody that is known. */
const struct row *local_listener(const struct local *local, const struct session *session);

/* The same of one session, from all rows as they are: what is built for many takes longer than that. */
const struct row *local_look_up_listener(const struct rows *rows, const struct session *session);

#endif
