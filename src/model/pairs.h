/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two ends of a connection within the host. Each has a row of its own; here they find one another by their addresses, and
 * each learns whose process the other one is.
 */
#ifndef TCPTOP_PAIRS_H
#define TCPTOP_PAIRS_H

#include <stdint.h>

#include "model/rows.h"

/*
 * Gives the rows that were first seen in interval `tick`, and those they are the other end of, their row.peer, which then stays.
 * interval_ns: that interval's length; now_ns: its end, on the clock of struct moment.
 *
 * Ends in one network namespace belong together when the addresses and ports of one are those of the other, mirrored. Ends
 * in two namespaces do when only one namespace has such an end and only one has the end here: networks that use the same
 * addresses are not mixed up, nor are links with the same link-local ones. Loopback, and an address's way to itself, never leave
 * a namespace. A connection whose addresses are translated on its
 * way is not found. Where several processes have an end, it is that of whom is not taken yet, then of whom moved most.
 * 0 or -ENOMEM: then some do not find one another.
 */
int pairs_join(struct rows *rows, uint32_t tick, uint64_t interval_ns, uint64_t now_ns);

/* The row of the other end, borrowed until rows change; NULL: it is not known, or not kept any more. */
const struct row *pairs_other(const struct rows *rows, const struct row *row);

/* The same of all rows at once: beside each the index of its other end + 1, 0: none; for free(). NULL: no memory. */
uint32_t *pairs_others(const struct rows *rows);

#endif
