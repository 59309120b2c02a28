/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/compiled.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "loader/bcc.h"

static int take_name(char to[COMPILED_NAME_SIZE], const char *name)
{
	return snprintf(to, COMPILED_NAME_SIZE, "%s", name) < COMPILED_NAME_SIZE ? 0 : -E2BIG;
}

int compiled_take(struct compiled *compiled, const struct bcc *bcc, struct error *error)
{
	int err = 0;

	*compiled =
	    (struct compiled){ .map_count = bcc_table_count(bcc), .function_count = bcc_function_count(bcc) };
	if (compiled->map_count > COMPILED_MAPS_MAX || compiled->function_count > COMPILED_FUNCTIONS_MAX)
		err = -E2BIG;
	for (size_t i = 0; i < compiled->map_count && !err; i++) {
		err = take_name(compiled->maps[i].name, bcc_table_name(bcc, i));
		compiled->maps[i].fd = bcc_table_fd(bcc, i);
	}
	for (size_t i = 0; i < compiled->function_count && !err; i++) {
		struct compiled_function *function = &compiled->functions[i];

		err = take_name(function->name, bcc_function_name(bcc, i));
		function->instructions = bcc_function(bcc, i, &function->count);
	}
	if (!err)
		return 0;
	*compiled = (struct compiled){ 0 };
	return error_set(error, EXIT_CODE_RUNTIME, err, "libbcc gave more than there is room for");
}

void compiled_fini(struct compiled *compiled)
{
	for (size_t i = 0; i < compiled->map_count && compiled->owned; i++)
		if (compiled->maps[i].fd >= 0)
			close(compiled->maps[i].fd);
	free(compiled->owned);
	*compiled = (struct compiled){ 0 };
}

int compiled_map(const struct compiled *compiled, const char *name)
{
	for (size_t i = 0; i < compiled->map_count; i++)
		if (strcmp(compiled->maps[i].name, name) == 0)
			return compiled->maps[i].fd;
	return -1;
}

const struct compiled_function *compiled_function(const struct compiled *compiled, const char *name)
{
	for (size_t i = 0; i < compiled->function_count; i++)
		if (strcmp(compiled->functions[i].name, name) == 0)
			return &compiled->functions[i];
	return NULL;
}
