/* SPDX-License-Identifier: Apache-2.0 */
/* The audit of connections that have ended, where these are noted: the one moment at which all that they moved is known. */
#ifndef TCPTOP_ENDED_H
#define TCPTOP_ENDED_H

#include <stddef.h>

struct snapshot;
struct sockets;

/* Judges those of the interval before, and takes in those of this one, whose pass has told of count sockets. 0 or -ENOMEM. */
int ended_audit(struct sockets *sockets, const struct snapshot *snapshot, size_t count);

/* An interval without a pass: its ends are not judged. */
void ended_skip(struct sockets *sockets, const struct snapshot *snapshot);

#endif
