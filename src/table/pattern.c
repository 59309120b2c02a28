/* SPDX-License-Identifier: Apache-2.0 */
#include "table/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>

#include "base/address.h"
#include "base/decimal.h"

#define DIGITS "0123456789"
#define HEX_DIGITS "0123456789abcdef"
#define NUMBER_DIGITS 10 /* of the largest uid */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
}

/* ---- reading ---- */

/* One to four numbers with dots between and maybe one behind; bits: of those that are there. */
static bool read_ipv4(struct network *network, const char *text)
{
	unsigned count = 0;

	for (; *text; count++) {
		size_t length = strspn(text, DIGITS);
		uint64_t number;

		if (count == 4 || !decimal_read(text, length, 255, &number) ||
		    (text[length] && text[length] != '.') || (count == 3 && text[length]))
			return false;
		network->address[count] = (uint8_t)number;
		text += length + (text[length] == '.');
	}
	network->family = 4;
	network->bits = (uint8_t)(8 * count);
	return count > 0;
}

/* Hexadecimal groups with colons between; what lacks the rest is a beginning. */
static bool read_ipv6(struct network *network, const char *text)
{
	char completed[ADDRESS_SIZE + 3];
	size_t length = strlen(text), groups = 0;

	if (length >= ADDRESS_SIZE || text[strspn(text, HEX_DIGITS ":.")] || !strchr(text, ':'))
		return false;
	for (const char *at = text; *at; groups++) {
		at += strcspn(at, ":");
		at += *at == ':';
	}
	bool open = length > 2 && strcmp(text + length - 2, "::") == 0;
	bool partial = !strstr(text, "::") && groups < 8 && !strchr(text, '.');

	snprintf(completed, sizeof completed, "%s%s", text,
	    !partial                  ? ""
	    : text[length - 1] == ':' ? ":"
	                              : "::");
	/* Seven groups and "::" are one too many for some readers: zero is written out. */
	if (partial && groups == 7)
		snprintf(completed, sizeof completed, "%s%s", text, text[length - 1] == ':' ? "0" : ":0");
	if (inet_pton(AF_INET6, completed, network->address) != 1)
		return false;
	network->family = 6;
	network->bits = 128;
	if (partial)
		network->bits = (uint8_t)(16 * groups);
	else if (open && strstr(text, "::") == text + length - 2)
		network->bits = (uint8_t)(16 * (groups - 1));
	return true;
}

/*
 * "address", "address%zone", "address/bits" of that length, as an address or the beginning of one. The zone
 * is borrowed from text.
 */
static bool read_network(struct network *network, const char *text, size_t length)
{
	char copy[ADDRESS_SIZE + ADDRESS_ZONE_SIZE];

	memset(network, 0, sizeof *network);
	if (!length || length >= sizeof copy)
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	char *slash = strchr(copy, '/'), *percent = strchr(copy, '%');

	if (slash)
		*slash++ = '\0';
	else if (percent)
		*percent = '\0';
	if (!read_ipv4(network, copy) && !read_ipv6(network, copy)) {
		network->family = 0;
		return false;
	}
	if (!slash && percent) {
		network->zone = text + (percent + 1 - copy);
		network->zone_length = length - (size_t)(percent + 1 - copy);
	}
	uint64_t bits = network->bits;

	if (slash && !decimal_read(slash, strlen(slash), network->family == 4 ? 32 : 128, &bits))
		network->family = 0;
	network->bits = (uint8_t)bits;
	if (network->family == 6 && address_unmap(network->address, &network->bits))
		network->family = 4;
	return network->family != 0;
}

static bool is_whole(const struct network *network)
{
	return network->bits == (network->family == 4 ? 32 : 128);
}

/* Up to the last colon: "192.0.2.1:443", "2001:db8::1:443" as the text prints it, "fe80::1%eth0:443". */
static bool read_with_port(struct network *network, const char *text)
{
	const char *colon = strrchr(text, ':');

	if (!colon || !colon[1] || !read_network(network, text, (size_t)(colon - text)) ||
	    !is_whole(network) || (network->zone && strchr(text, '%') > colon)) {
		network->family = 0;
		return false;
	}
	network->port = colon + 1;
	return true;
}

/* "[address", "[address]", "[address]:", "[address]:port" */
static void read_bracketed(struct pattern *pattern, const char *text)
{
	struct network *network = &pattern->networks[0];
	size_t length = strcspn(text, "]");
	const char *rest = text + length + (text[length] == ']');

	if (!read_network(network, text, length) || (*rest && *rest != ':')) {
		network->family = 0;
		return;
	}
	if (*rest && rest[1])
		network->port = rest + 1;
}

static void read_networks(struct pattern *pattern, bool is_host)
{
	struct network *networks = pattern->networks;
	const char *text = pattern->text;

	if (pattern->is_number && !is_host)
		return;
	if (text[0] == '[') {
		read_bracketed(pattern, text + 1);
		return;
	}
	bool is_read = read_network(&networks[0], text, pattern->length);

	read_with_port(&networks[is_read], text);
}

void pattern_set(struct pattern *pattern, const char *text, bool is_host)
{
	memset(pattern, 0, sizeof *pattern);
	pattern->text = text;
	pattern->length = strlen(text);
	pattern->caseless = !text[strcspn(text, "abcdefghijklmnopqrstuvwxyz")];
	pattern->is_number =
	    pattern->length && pattern->length <= NUMBER_DIGITS && !text[strspn(text, DIGITS)];
	if (pattern->is_number)
		pattern->number = strtoull(text, NULL, 10);
	read_networks(pattern, is_host);
	pattern->whole = pattern->is_number || pattern->networks[0].family;
}

/* ---- comparing ---- */

static char folded(char c, bool dash)
{
	return dash && c == '_' ? '-' : lower(c);
}

static bool stands_alone(const char *start, const char *at, size_t length)
{
	return !(at > start && is_alphanumeric(at[-1])) && !is_alphanumeric(at[length]);
}

bool pattern_in(const struct pattern *pattern, const char *text, bool dash)
{
	char first = folded(pattern->text[0], dash);

	if (!pattern->length)
		return true;
	if (pattern->caseless && !pattern->whole && !dash)
		return strstr(text, pattern->text) != NULL;
	for (const char *at = text; *at; at++) {
		size_t i = 1;

		if (folded(*at, dash) != first)
			continue;
		while (i < pattern->length && folded(at[i], dash) == folded(pattern->text[i], dash))
			i++;
		if (i == pattern->length && (!pattern->whole || stands_alone(text, at, i)))
			return true;
	}
	return false;
}

bool pattern_is(const char *lower_text, const char *text)
{
	while (*lower_text && *lower_text == lower(*text)) {
		lower_text++;
		text++;
	}
	return *lower_text == *text;
}

static bool has_zone(const struct network *network, const uint8_t *address, struct zone zone)
{
	char text[ADDRESS_ZONE_SIZE];
	size_t length = address_format_zone(text, network->family, address, zone);

	if (length != network->zone_length + 1)
		return false;
	for (size_t i = 0; i < network->zone_length; i++)
		if (lower(text[1 + i]) != network->zone[i])
			return false;
	return true;
}

bool network_has(const struct network *network, uint8_t family, const uint8_t *address, struct zone zone)
{
	unsigned bytes = network->bits / 8, rest = network->bits % 8;

	if (network->family != family || memcmp(network->address, address, bytes) != 0)
		return false;
	if (rest && (network->address[bytes] ^ address[bytes]) >> (8 - rest))
		return false;
	return !network->zone || has_zone(network, address, zone);
}
