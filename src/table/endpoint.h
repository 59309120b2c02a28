/* SPDX-License-Identifier: Apache-2.0 */
/* An address and port, fitted into a column by cutting the middle of the host rather than the port. */
#ifndef TCPTOP_ENDPOINT_H
#define TCPTOP_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

struct endpoint {
	uint8_t family; /* 4 or 6 */
	const uint8_t *address;
	struct zone zone; /* shown where the address is link-local */
	bool has_port;
	uint16_t port;
	const char *host_name; /* NULL: the address in digits; untrusted */
	const char *port_name; /* NULL: the number; untrusted */
};

#define ENDPOINT_HOST_SIZE (256 + ADDRESS_ZONE_SIZE)
#define ENDPOINT_SIZE (ENDPOINT_HOST_SIZE + 64)

/*
 * Writes "192.0.2.1:443", "[2001:db8::1]:443", "[fe80::1%eth0]:443", "[2001:db8…7334]:https" and so on in at most width columns;
 * an IPv6 address without a port has no brackets. Returns the columns.
 */
unsigned endpoint_format(
    char *buffer, size_t size, const struct endpoint *endpoint, unsigned width, bool utf8);

/* The width when nothing is cut. */
unsigned endpoint_columns(const struct endpoint *endpoint);

#endif
