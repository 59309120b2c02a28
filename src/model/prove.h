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
 * The other end is that of the same namespace and link or, where there is none, the only one that has its addresses and ports.
 * 0 or -ENOMEM.
 */
int prove_readers(struct snapshot *snapshot);

#endif
