/* SPDX-License-Identifier: Apache-2.0 */
/* A connection that has ended: how it began, what it did, and who ended it, and why. */
#ifndef TCPTOP_CONNECTION_H
#define TCPTOP_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "model/how.h"
#include "model/snapshot.h"

/* Was it reset, refused, or did it time out: has it not just been closed? */
bool connection_has_failed(const struct connection *connection);

/*
 * What the kernel told. ended_ns: CLOCK_MONOTONIC, the end of the interval. reasons: of resets, by the kernel's numbers.
 */
void connection_take(struct connection *connection, const struct life_end *end, uint64_t interval_end_ns,
    const char (*reasons)[CONNECTION_REASON_SIZE], uint32_t reason_count);

#endif
