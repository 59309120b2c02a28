/* SPDX-License-Identifier: Apache-2.0 */
#include "names/services.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define SERVICES_MAX 65536

static int compare_services(const void *a, const void *b)
{
	const struct service *left = a, *right = b;

	return COMPARE(left->port, right->port);
}

/* "name port/tcp alias ... # comment" */
static bool read_line(struct service *service, const char *line)
{
	unsigned port;
	char protocol[8];

	if (line[0] == '#' || sscanf(line, "%21s %5u/%7[a-z0-9]", service->name, &port, protocol) != 3)
		return false;
	service->port = (uint16_t)port;
	return port > 0 && port <= UINT16_MAX && strcmp(protocol, "tcp") == 0;
}

struct service *services_read(FILE *file, size_t *count)
{
	static const size_t step = 256;
	bool *is_known = calloc(SERVICES_MAX, sizeof *is_known);
	struct service *services = NULL, service;
	char *line = NULL;
	size_t capacity = 0;

	*count = 0;
	while (is_known && getline(&line, &capacity, file) > 0) {
		if (!read_line(&service, line) || is_known[service.port])
			continue;
		if (*count % step == 0) {
			struct service *grown = reallocarray(services, *count + step, sizeof *grown);

			if (!grown)
				break;
			services = grown;
		}
		is_known[service.port] = true;
		services[(*count)++] = service;
	}
	free(line);
	free(is_known);
	if (*count)
		qsort(services, *count, sizeof *services, compare_services);
	return services;
}
