/* SPDX-License-Identifier: Apache-2.0 */
/* From the command line to an exit status. The only printer of errors. */
#include <errno.h>
#include <locale.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/descriptors.h"
#include "base/error.h"
#include "base/util.h"
#include "loader/privilege.h"
#include "options.h"
#include "run.h"
#include "signals.h"

/* Less than the compiler takes, whatever the limit; what it takes by little. */
enum { STACK_LEAST = 128 * 1024, STACK_WANTED = 1024 * 1024 };

static int fail(const struct error *error)
{
	fprintf(stderr, "tcptop: %s\n", error->text);
	return error->exit_code;
}

/* Threads' stacks are as large as the limit was when the program began. */
static int raise_stack_limit(struct error *error)
{
	struct rlimit limit;
	pthread_attr_t attributes;

	if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= STACK_WANTED)
		return 0;
	const struct rlimit wanted = { STACK_WANTED,
		limit.rlim_max < STACK_WANTED ? STACK_WANTED : limit.rlim_max };

	if (setrlimit(RLIMIT_STACK, &wanted) == 0) {
		pthread_attr_init(&attributes);
		pthread_attr_setstacksize(&attributes, STACK_WANTED);
		pthread_setattr_default_np(&attributes);
		return 0;
	}
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_STACK, &limit);
	return limit.rlim_cur >= STACK_LEAST
	           ? 0
	           : error_set(error, EXIT_CODE_RUNTIME, -EPERM,
	                 "the limit on the stack is too small\nraise it (ulimit -s 1024)");
}

/* The terminal has gone, or the pipe's reader: the end that SIGHUP and EPIPE are, and no failure to write. */
static bool output_has_gone(void)
{
	struct pollfd output = { .fd = STDOUT_FILENO };

	return poll(&output, 1, 0) == 1 && (output.revents & (POLLHUP | POLLERR));
}

static int finish_output(struct error *error)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return error_set_output(error);
}

static int show_help(struct options *options, struct error *error)
{
	(void)options, (void)error;
	options_print_help(stdout);
	return 0;
}

static int show_version(struct options *options, struct error *error)
{
	(void)options, (void)error;
	printf("tcptop %s\n", TCPTOP_VERSION);
	return 0;
}

static int (*const actions[])(struct options *options, struct error *error) = {
	[ACTION_RUN] = run_live,
	[ACTION_REPLAY] = run_recording,
	[ACTION_HELP] = show_help,
	[ACTION_VERSION] = show_version,
	[ACTION_PRINT_PROGRAM] = run_print_program,
	[ACTION_CHECK] = run_check,
	[ACTION_DIAGNOSE] = run_live,
	[ACTION_DIAGNOSE_RECORDING] = run_recording,
};

/* What the environment says about the encoding, as setlocale reads it. */
static const char *locale_name(void)
{
	static const char *const variables[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < COUNT_OF(variables); i++) {
		const char *name = getenv(variables[i]);

		if (name && name[0])
			return name;
	}
	return "";
}

/*
 * A UTF-8 locale that is not installed here, as ssh brings it along, still tells what the terminal takes. Numbers have
 * a point everywhere: they are read by programs, and recordings are read again.
 */
static void choose_locale(void)
{
	const char *name = locale_name();

	setlocale(LC_ALL, "");
	if (!setlocale(LC_CTYPE, "") && (strcasestr(name, "UTF-8") || strcasestr(name, "UTF8")))
		setlocale(LC_CTYPE, "C.UTF-8");
	setlocale(LC_NUMERIC, "C");
}

int main(int argc, char **argv)
{
	struct options options;
	struct error error = { 0 };

	if (raise_stack_limit(&error) != 0)
		return fail(&error);
	signals_hold_usr1();
	descriptors_occupy_standard();
	signals_catch_fatal();
	choose_locale();
	/* fixed: what a crowded interval took goes back to the kernel */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	/* threads take little, and none of them waits for another one's */
	mallopt(M_ARENA_MAX, 1);
	int err = options_parse(&options, argc, argv, isatty(STDOUT_FILENO), &error);

	if (!options.output_path)
		signals_release_usr1();
	err = err ?: privilege_check_caller(&error);
	err = err ?: actions[options.action](&options, &error);
	err = err ?: finish_output(&error);
	options_fini(&options);
	if (err && error.of_output && !options.output_path &&
	    (options.action == ACTION_RUN || options.action == ACTION_REPLAY ||
	        options.action == ACTION_DIAGNOSE || options.action == ACTION_DIAGNOSE_RECORDING) &&
	    output_has_gone())
		return EXIT_CODE_OK;
	return err ? fail(&error) : EXIT_CODE_OK;
}
