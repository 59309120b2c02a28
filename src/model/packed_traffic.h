/* SPDX-License-Identifier: Apache-2.0 */
/* A traffic that is to be kept, not looked at: less than half as large, as rows are mostly like the one before. */
#ifndef TCPTOP_PACKED_TRAFFIC_H
#define TCPTOP_PACKED_TRAFFIC_H

#include <stddef.h>

#include "model/traffic.h"

struct packed_rows {
	unsigned char *bytes;
	size_t size;
	size_t count;
};

struct packed_traffic {
	struct traffic facts; /* all but its rows: it has none */
	struct packed_rows rows;
	struct packed_rows gone[GROUPING_COUNT];
};

void packed_traffic_init(struct packed_traffic *packed);
void packed_traffic_fini(struct packed_traffic *packed);

/* Makes *to, an initialised struct, a copy. 0 or -ENOMEM: then it is of no use but for packed_traffic_fini. */
int traffic_pack(struct packed_traffic *to, const struct traffic *from);

/* Makes *to, an initialised struct, what was packed. 0 or -ENOMEM: then it is of no use but for traffic_fini. */
int traffic_unpack(struct traffic *to, const struct packed_traffic *from);

/* What its rows take. */
size_t packed_traffic_bytes(const struct packed_traffic *packed);

/* Calls visit with every row, also of what is gone; it is lent. */
void packed_traffic_each(
    const struct packed_traffic *packed, void (*visit)(void *to, const struct row *row), void *to);

#endif
