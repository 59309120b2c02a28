/* SPDX-License-Identifier: Apache-2.0 */
/* The audit of connections that have ended, where these are noted: the one moment at which all that they moved is known. */
#ifndef TCPTOP_ENDED_H
#define TCPTOP_ENDED_H

struct audit;
struct earlier;
struct snapshot;
struct told;

/*
 * Judges those of intervals before, and takes in those of this one. told: the latest pass, of this interval or, where that has none
 * (snapshot->sockets.cpu_ns), one before. What skipped runs had not counted of them is added to the snapshot. 0 or -ENOMEM.
 */
int ended_audit(
    struct audit *audit, struct earlier *earlier, const struct told *told, struct snapshot *snapshot);

#endif
