/* SPDX-License-Identifier: Apache-2.0 */
/* Host names for addresses, asked for by a few threads of its own, so that nobody waits for a name server. */
#ifndef TCPTOP_RESOLVER_H
#define TCPTOP_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>

struct resolver;

/* Starts no thread yet: the first question does. NULL when out of memory. */
struct resolver *resolver_open(void);

/* Does not wait for questions under way: their threads end by themselves, and free what is left. */
void resolver_close(struct resolver *resolver);

/* The name, borrowed until resolver_close; NULL when there is none or not yet. ask: do so when it is new. */
const char *resolver_find(struct resolver *resolver, uint8_t family, const uint8_t address[16], bool ask);

bool resolver_pending(struct resolver *resolver);

/* An answer came since the last call. */
bool resolver_changed(struct resolver *resolver);

#endif
