/* SPDX-License-Identifier: Apache-2.0 */
#include "table/endpoint.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"

/* A host cut to fewer columns tells nothing, so then the port is dropped. */
#define HOST_MIN 5

/* What a listener has for a remote end, and for an address that it is not bound to. */
static bool is_any(const struct endpoint *endpoint)
{
	static const uint8_t zero[16];

	return memcmp(endpoint->address, zero, endpoint->family == 4 ? 4 : 16) == 0;
}

/* ASCII (as DNS names are), so that bytes are columns and the middle can be cut anywhere. */
static size_t host_text(char *buffer, size_t size, const struct endpoint *endpoint)
{
	size_t length;

	if (endpoint->host_name)
		length = escape_text(buffer, size - ADDRESS_ZONE_SIZE, endpoint->host_name,
		    strlen(endpoint->host_name), size - ADDRESS_ZONE_SIZE - 1, false);
	else if (is_any(endpoint))
		return (size_t)snprintf(buffer, size, "*");
	else
		length = address_format(buffer, endpoint->family, endpoint->address);
	return length +
	       address_format_zone(buffer + length, endpoint->family, endpoint->address, endpoint->zone);
}

static size_t port_text(char *buffer, size_t size, const struct endpoint *endpoint)
{
	if (!endpoint->has_port)
		return 0;
	if (!endpoint->port && is_any(endpoint))
		return (size_t)snprintf(buffer, size, ":*");
	buffer[0] = ':';
	if (endpoint->port_name)
		return 1 + escape_text(buffer + 1, size - 1, endpoint->port_name, strlen(endpoint->port_name),
		               size - 2, false);
	return (size_t)snprintf(buffer, size, ":%u", endpoint->port);
}

unsigned endpoint_format(
    char *buffer, size_t size, const struct endpoint *endpoint, unsigned width, bool utf8)
{
	char host[ENDPOINT_HOST_SIZE] = "", port[32] = "";
	size_t host_length = host_text(host, sizeof host, endpoint);
	size_t port_length = port_text(port, sizeof port, endpoint);
	bool brackets =
	    endpoint->has_port && endpoint->family == 6 && !endpoint->host_name && !is_any(endpoint);
	size_t around = port_length + (brackets ? 2 : 0);

	if (around + HOST_MIN > width && around + host_length > width) {
		port[0] = '\0';
		around = brackets ? 2 : 0;
	}
	if (width <= around) {
		buffer[0] = '\0';
		return 0;
	}
	size_t room = width - around;
	size_t head = host_length, tail = 0;
	const char *mark = "";

	if (host_length > room) {
		mark = utf8 ? "…" : "~";
		head = room / 2;
		tail = room - head - 1;
	}
	int written = snprintf(buffer, size, "%s%.*s%s%s%s%s", brackets ? "[" : "", (int)head, host, mark,
	    host + host_length - tail, brackets ? "]" : "", port);

	if (written < 0 || (size_t)written >= size) {
		buffer[0] = '\0';
		return 0;
	}
	return (unsigned)(around + (host_length > room ? room : host_length));
}

unsigned endpoint_columns(const struct endpoint *endpoint)
{
	char text[ENDPOINT_SIZE];

	return endpoint_format(text, sizeof text, endpoint, sizeof text - 1, false);
}
