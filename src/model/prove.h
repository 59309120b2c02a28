/* SPDX-License-Identifier: Apache-2.0 */
/* What one end of a connection within the host proves of the other's cause. */
#ifndef TCPTOP_PROVE_H
#define TCPTOP_PROVE_H

#include "model/snapshot.h"

/*
 * Of sessions that a pass has told of: where the other end waits for this side to read (CAUSE_PEER), it is this side's process that
 * is slow, though the moment of the pass may have found everything read. Not where the path is long: a window that is
 * smaller than what is under way on it closes, too, and nobody is slow.
 *
 * The other end is that of the same namespace and link, whether it waits or not. Where there is none it is that of another
 * place, if only one has such an end, and only one the end here, and not on loopback: as model/pairs.h has it.
 * 0 or -ENOMEM.
 */
int prove_readers(struct snapshot *snapshot);

#endif
