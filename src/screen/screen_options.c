/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/screen_options.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"

void screen_options_init(struct screen_options *options)
{
	memset(options, 0, sizeof *options);
	column_list_default(&options->columns);
	options->sort = column_sort_default();
}

unsigned screen_options_needs(const struct screen_options *options)
{
	unsigned needs = column_list_needs(&options->columns);

	return options->sort.column ? needs | options->sort.column->needs : needs;
}

int color_parse(enum color_choice *choice, const char *text, struct error *error)
{
	static const char *const names[] = {
		[COLOR_AUTO] = "auto",
		[COLOR_ALWAYS] = "always",
		[COLOR_NEVER] = "never",
	};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*choice = (enum color_choice)i;
			return 0;
		}
	}
	return error_set(error, EXIT_CODE_USAGE, -EINVAL, "--color takes auto, always or never");
}
