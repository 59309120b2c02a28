/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include <netinet/in.h>
#include <string.h>

#include "base/escape.h"
#include "base/format.h"

_Static_assert(ADDRESS_SIZE == INET6_ADDRSTRLEN, "the size that inet_ntop's callers use");

/*
 * Not inet_ntop: glibc's goes through sprintf, which is slow for two addresses a row. The unit test compares the
 * results with inet_ntop's.
 */

static size_t format_ipv4(char *buffer, const uint8_t *address)
{
	size_t length = 0;

	for (int i = 0; i < 4; i++) {
		if (i > 0)
			buffer[length++] = '.';
		length += format_decimal(buffer + length, address[i]);
	}
	buffer[length] = '\0';
	return length;
}

static size_t format_hex(char *buffer, unsigned number)
{
	size_t length = number > 0xFFF ? 4 : number > 0xFF ? 3 : number > 0xF ? 2 : 1;

	for (size_t i = length; i-- > 0; number >>= 4)
		buffer[i] = "0123456789abcdef"[number & 0xF];
	return length;
}

/* Finds the longest run of two or more zero groups, the first of equal ones; first == end: there is none. */
static void find_zeros(const unsigned groups[8], int *first, int *end)
{
	*first = *end = 8;
	for (int i = 0, longest = 1; i < 8; i++) {
		int start = i;

		while (i < 8 && groups[i] == 0)
			i++;
		if (i - start > longest) {
			longest = i - start;
			*first = start;
			*end = i;
		}
	}
}

static size_t format_ipv6(char *buffer, const uint8_t *address)
{
	unsigned groups[8];
	int first, end;
	size_t length = 0;

	for (int i = 0; i < 8; i++)
		groups[i] = address[2 * i] << 8 | address[2 * i + 1];
	find_zeros(groups, &first, &end);
	for (int i = 0; i < 8; i++) {
		if (i == first) {
			buffer[length++] = ':';
			i = end - 1;
			if (end == 8)
				buffer[length++] = ':';
			continue;
		}
		if (i > 0)
			buffer[length++] = ':';
		/* IPv4-compatible and IPv4-mapped addresses show their last four bytes as IPv4. */
		if (i == 6 && first == 0 && (end == 6 || (end == 5 && groups[5] == 0xFFFF)))
			return length + format_ipv4(buffer + length, address + 12);
		length += format_hex(buffer + length, groups[i]);
	}
	buffer[length] = '\0';
	return length;
}

size_t address_format(char *buffer, uint8_t family, const uint8_t *address)
{
	return family == 4 ? format_ipv4(buffer, address) : format_ipv6(buffer, address);
}

/* What is in front of an IPv4 address that is mapped to IPv6. */
static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

bool address_unmap(uint8_t address[16], uint8_t *bits)
{
	if (*bits < 8 * sizeof mapped || memcmp(address, mapped, sizeof mapped) != 0)
		return false;
	memmove(address, address + sizeof mapped, 4);
	memset(address + 4, 0, 12);
	*bits -= 8 * sizeof mapped;
	return true;
}

bool address_is_loopback(uint8_t family, const uint8_t *address)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (family == 6 && memcmp(address, mapped, sizeof mapped) == 0)
		return address[sizeof mapped] == IN_LOOPBACKNET;
	return family == 4 ? address[0] == IN_LOOPBACKNET
	                   : family == 6 && memcmp(address, one, sizeof one) == 0;
}

bool address_is_link_local(uint8_t family, const uint8_t *address)
{
	return family == 6 && address[0] == 0xFE && (address[1] & 0xC0) == 0x80;
}

size_t address_format_zone(char *buffer, uint8_t family, const uint8_t *address, struct zone zone)
{
	size_t length = 0;

	if (zone.ifindex && address_is_link_local(family, address)) {
		buffer[length++] = '%';
		length += *zone.name ? escape_text(buffer + length, ADDRESS_ZONE_SIZE - length, zone.name,
		                           strlen(zone.name), ADDRESS_ZONE_SIZE, false)
		                     : format_decimal(buffer + length, zone.ifindex);
	}
	buffer[length] = '\0';
	return length;
}

size_t address_format_port(
    char *buffer, uint8_t family, const uint8_t *address, struct zone zone, uint16_t port)
{
	size_t length = address_format(buffer, family, address);

	length += address_format_zone(buffer + length, family, address, zone);
	buffer[length++] = ':';
	length += format_decimal(buffer + length, port);
	buffer[length] = '\0';
	return length;
}
