/* SPDX-License-Identifier: Apache-2.0 */
/* Host names for addresses. A few threads ask, so that the caller never waits for a name server. */
#ifndef TCPTOP_RESOLVER_H
#define TCPTOP_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>

struct resolver;

/* Starts no thread: the first question does. NULL when out of memory. */
struct resolver *resolver_open(void);

/* Does not wait for questions under way: the last thread to end frees the resolver. */
void resolver_close(struct resolver *resolver);

/* The name, borrowed until resolver_close; NULL when there is none or not yet. ask: resolve it when it is new. */
const char *resolver_find(struct resolver *resolver, uint8_t family, const uint8_t address[16], bool ask);

/* True while questions are under way or resolver_changed has something to tell. */
bool resolver_pending(struct resolver *resolver);

/* True when an answer came since the last call. */
bool resolver_changed(struct resolver *resolver);

#endif
