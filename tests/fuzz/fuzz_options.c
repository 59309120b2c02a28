/* SPDX-License-Identifier: Apache-2.0 */
/* A command line, an argument a line. What a recording tells of one is read as the same. */
#include "base/error.h"
#include "base/util.h"
#include "fuzz.h"
#include "options.h"
#include "output/renderer.h"

enum { ARGUMENTS_MAX = 64 };

static void check_right(const struct options *options)
{
	/* Nothing else is read then. */
	if (options->action == ACTION_HELP || options->action == ACTION_VERSION)
		return;
	HOLDS(options->renderer);
	HOLDS(options->family == 0 || options->family == 4 || options->family == 6);
	HOLDS(options->interval_ns > 0);
	for (size_t i = 1; i < options->pid_count; i++)
		HOLDS(options->pids[i - 1] < options->pids[i]);
	options_tell_sockets(options);
	options_need_names(options);
}

static void check_refused(const struct error *error)
{
	const char *newline = strchr(error->text, '\n');

	HOLDS(error->exit_code > EXIT_CODE_OK && error->exit_code <= EXIT_CODE_WRONG_COUNT);
	HOLDS(error->text[0] && (!newline || !strchr(newline + 1, '\n')));
}

/* The options that choose what is counted, given again. */
static void check_filters(const struct options *options)
{
	size_t count, again_count;
	char **texts = options_filters(options, &count), **again;
	char **argv = calloc(count + 2, sizeof *argv);
	struct options given;
	struct error error;

	HOLDS(argv);
	argv[0] = "tcptop";
	for (size_t i = 0; i < count; i++)
		argv[i + 1] = texts[i];
	HOLDS(options_parse(&given, (int)count + 1, argv, true, &error) == 0);
	again = options_filters(&given, &again_count);
	HOLDS(count == again_count);
	for (size_t i = 0; i < count; i++) {
		HOLDS(strcmp(argv[i + 1], again[i]) == 0);
		free(again[i]);
	}
	free(again);
	options_fini(&given);
	/* getopt_long orders argv, not the texts. */
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
	free(argv);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = fuzz_text(bytes, size), *rest = text, *argv[ARGUMENTS_MAX + 2] = { "tcptop" };
	struct options options;
	struct error error = { 0 };
	int argc = 1;

	while (rest && argc <= ARGUMENTS_MAX)
		argv[argc++] = strsep(&rest, "\n");
	argv[argc] = NULL;
	if (options_parse(&options, argc, argv, size % 2, &error) < 0) {
		check_refused(&error);
	} else {
		check_right(&options);
		if (options.action == ACTION_RUN)
			check_filters(&options);
	}
	options_fini(&options);
	free(text);
	return 0;
}
