/* SPDX-License-Identifier: Apache-2.0 */
/* --check: the self-test is a program beside this one or, installed, in libexec. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "fit.h"
#include "kernel/method.h"
#include "loader/privilege.h"
#include "options.h"
#include "output/renderer.h"
#include "run.h"

#define DELETED \
	" (deleted)" /* what the kernel appends to the path of a program that was replaced while it runs */

/* Returns -errno: else it has been executed. self may be empty: the self-test then looks for tcptop. */
static int execute(const char *program, const char *self, const struct options *options)
{
	bool json = options->renderer == &renderer_json;
	const char *argv[16] = { program, "--probe", probe_method_name(options->probe), "-o",
		json ? "json" : "text" };
	char max_sessions[16];
	int count = 5;

	if (*self) {
		argv[count++] = "--tcptop";
		argv[count++] = self;
	}
	if (options->max_sessions != MAX_SESSIONS_DEFAULT) {
		snprintf(max_sessions, sizeof max_sessions, "%" PRIu32, options->max_sessions);
		argv[count++] = "--max-sessions";
		argv[count++] = max_sessions;
	}
	if (options->verbose)
		argv[count++] = "-v";
	execv(program, (char *const *)(uintptr_t)argv);
	return -errno;
}

static void find_self(char *self, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", self, size - 1);
	size_t deleted = strlen(DELETED);

	self[length < 0 ? 0 : length] = '\0';
	if (length > (ssize_t)deleted && strcmp(self + length - deleted, DELETED) == 0)
		self[length - deleted] = '\0';
}

int run_check(struct options *options, struct error *error)
{
	char self[PATH_MAX], beside[PATH_MAX + 16];
	int err = privilege_check(error);

	err = err ?: fit_maps(&options->max_sessions, options->family, error);
	if (err)
		return err;
	find_self(self, sizeof self);
	const char *slash = strrchr(self, '/');

	err = -ENOENT;
	if (slash) {
		snprintf(beside, sizeof beside, "%.*s/tcptop-check", (int)(slash - self), self);
		err = execute(beside, self, options);
	}
	if (err == -ENOENT)
		err = execute(TCPTOP_LIBEXECDIR "/tcptop-check", self, options);
	return error_set(error, EXIT_CODE_UNSUPPORTED, err,
	    "--check needs the program tcptop-check, beside tcptop or in %s: %s\n"
	    "install it there, or build its target tcptop-check",
	    TCPTOP_LIBEXECDIR, strerror(-err));
}
