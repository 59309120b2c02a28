/* SPDX-License-Identifier: Apache-2.0 */
/* The audit of connections that have ended, where these are noted: the one moment at which all that they moved is known. */
#ifndef TCPTOP_ENDED_H
#define TCPTOP_ENDED_H

#include <stdint.h>

struct audit;
struct snapshot;
struct told;

/*
 * Judges those of the interval before, and takes in those of this one: told is its pass. told_ns: what was born later, no pass
 * before has seen (CLOCK_MONOTONIC). 0 or -ENOMEM.
 */
int ended_audit(
    struct audit *audit, const struct told *told, const struct snapshot *snapshot, uint64_t told_ns);

/* An interval without a pass: its ends are not judged. */
void ended_skip(struct audit *audit, const struct snapshot *snapshot);

#endif
