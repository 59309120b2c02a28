/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines for tests. Needs <cmocka.h> before it. */
#ifndef TCPTOP_PARSE_OPTIONS_H
#define TCPTOP_PARSE_OPTIONS_H

#include <string.h>

#include "base/error.h"
#include "options.h"

#define ARGUMENTS_MAX 8

/* arguments: those after the program's name, up to the first NULL. */
static inline int parse_list(
    struct options *options, const char *const *arguments, bool terminal, struct error *error)
{
	char *argv[ARGUMENTS_MAX + 2] = { "tcptop" };
	int argc = 1, err;

	for (; argc <= ARGUMENTS_MAX && arguments[argc - 1]; argc++)
		argv[argc] = (char *)arguments[argc - 1];
	memset(error, 0, sizeof *error);
	err = options_parse(options, argc, argv, terminal, error);
	return err;
}

/* With stdout on a terminal; they must be right. For options_fini. */
#define PARSE(options, ...) parse_right(options, (const char *const[]){ __VA_ARGS__, NULL })

static inline void parse_right(struct options *options, const char *const *arguments)
{
	struct error error;

	if (parse_list(options, arguments, true, &error) != 0)
		fail_msg("%s: %s", arguments[0], error.text);
}

#endif
