/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's maps: which generation is written, and draining the other. Every bpf(2) call after the start is made here. */
#ifndef TCPTOP_MAPS_H
#define TCPTOP_MAPS_H

#include <stdint.h>

#include "model/session.h"
#include "trace/fronts.h"

struct error;
struct snapshot;
struct tracing;

struct maps {
	const struct tracing *tracing; /* borrowed */
	uint32_t generation;           /* 0 or 1: the one that programs write */
	uint32_t batch_count;          /* sessions that a batch takes; grows when a bucket does not fit */
	void *keys;
	void *values;
	struct fronts fronts;
	struct session_other other; /* as last read: they only grow */
	uint64_t missed_runs;       /* the same */
	uint64_t endings_lost;      /* the same */
	uint64_t connections_lost;  /* the same */
	uint64_t swapped_ns;        /* CLOCK_MONOTONIC at the latest swap */
};

/* 0 or -ENOMEM; maps_fini frees. */
int maps_init(struct maps *maps, const struct tracing *tracing);
void maps_fini(struct maps *maps);

/* Checks that bpf(2) still works after dropping privileges: neither waits nor swaps. 0 or -errno. */
int maps_try(const struct tracing *tracing);

/*
 * Switches programs to the other generation. On return (after an RCU grace period: 8 to 24 ms) nobody writes
 * the previous one any more, so that draining it loses nothing. *time_ns: the moment, on the monotonic clock.
 * 0 or -errno.
 */
int maps_swap(struct maps *maps, uint64_t *time_ns, struct error *error);

/* Waits until every program that is running now has returned. 0 or -errno. */
int maps_wait(const struct maps *maps);

/*
 * Moves the idle generation's sessions into *snapshot (reset by the caller), with what "other sessions"
 * and the skipped runs grew by since the last call, and totals. 0 or -errno.
 */
int maps_drain(struct maps *maps, struct snapshot *snapshot, struct error *error);

#endif
