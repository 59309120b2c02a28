/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as text, in the form of inet_ntop. */
#ifndef TCPTOP_ADDRESS_H
#define TCPTOP_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

enum {
	ADDRESS_SIZE = 46,          /* the longest address with its NUL */
	ADDRESS_PORT_SIZE = 46 + 6, /* with ":65535" */
};

/*
 * Writes an address and a NUL into buffer, which holds at least ADDRESS_SIZE bytes. family: 4 or 6;
 * address: 4 or 16 bytes in network order. Returns the length.
 */
size_t address_format(char *buffer, uint8_t family, const uint8_t *address);

/*
 * Writes "address:port" and a NUL into buffer, which holds at least ADDRESS_PORT_SIZE bytes; port in host order.
 * IPv6 addresses have no brackets, as in bcc's tcptop: the port is what follows the last colon. Returns the length.
 */
size_t address_format_port(char *buffer, uint8_t family, const uint8_t *address, uint16_t port);

#endif
