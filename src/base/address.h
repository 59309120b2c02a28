/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as text, in the form of inet_ntop. */
#ifndef TCPTOP_ADDRESS_H
#define TCPTOP_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ADDRESS_SIZE = 46, /* the longest address with its NUL */
	ADDRESS_ZONE_SIZE =
	    66, /* "%" and the longest name of an interface, each byte escaped, with their NUL */
	ADDRESS_PORT_SIZE = ADDRESS_SIZE + ADDRESS_ZONE_SIZE + 6, /* with the zone and ":65535" */
};

/* The link that link-local addresses belong to: the zone of RFC 4007. */
struct zone {
	uint32_t ifindex; /* 0: none */
	const char *name; /* the interface's, untrusted; "": not known */
};

/*
 * Writes an address and a NUL into buffer, which holds at least ADDRESS_SIZE bytes. family: 4 or 6;
 * address: 4 or 16 bytes in network order. Returns the length.
 */
size_t address_format(char *buffer, uint8_t family, const uint8_t *address);

/*
 * "::ffff:192.0.2.1" and its networks are IPv4, as their connections are: makes the IPv6 address, of which the first *bits count,
 * its IPv4 address with zeros behind it, and takes the bits in front off. False: it is none, and stays.
 */
bool address_unmap(uint8_t address[16], uint8_t *bits);

/* In 127.0.0.0/8, also as mapped to IPv6, or ::1. */
bool address_is_loopback(uint8_t family, const uint8_t *address);

/* In fe80::/10: the same address may be there on every link. */
bool address_is_link_local(uint8_t family, const uint8_t *address);

/*
 * Writes what follows a link-local address, and a NUL into buffer,
 * which holds at least ADDRESS_ZONE_SIZE bytes: "%eth0", or "%7" where the name is not known. In ASCII: a
 * column a byte, and escaped. "" for other addresses and without an interface. Returns the length.
 */
size_t address_format_zone(char *buffer, uint8_t family, const uint8_t *address, struct zone zone);

/*
 * Writes "address:port", with the zone as "address%zone:port", and a NUL into buffer, which holds at least ADDRESS_PORT_SIZE bytes; port in host order.
 * IPv6 addresses have no brackets, as in bcc's tcptop: the port is what follows the last colon. Returns the length.
 */
size_t address_format_port(
    char *buffer, uint8_t family, const uint8_t *address, struct zone zone, uint16_t port);

#endif
