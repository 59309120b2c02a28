/* SPDX-License-Identifier: Apache-2.0 */
/* --check: the self-test is a program beside this one. */
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

static void execute_check(char *program, char *self, const char *max_sessions, const struct options *options)
{
	bool json = options->renderer == &renderer_json;
	char *argv[] = { program, (char *)"--tcptop", self, (char *)"--probe",
		(char *)(uintptr_t)probe_method_name(options->probe), (char *)"-o",
		json ? (char *)"json" : (char *)"text", NULL, NULL, NULL, NULL };
	int count = 7;

	if (*max_sessions) {
		argv[count++] = (char *)"--max-sessions";
		argv[count++] = (char *)(uintptr_t)max_sessions;
	}
	if (options->verbose)
		argv[count++] = (char *)"-v";
	execv(program, argv);
}

/* The self-test is a program beside this one or, installed, in libexec. Does not return when it could be executed. */
int run_check(struct options *options, struct error *error)
{
	char self[PATH_MAX] = "", beside[PATH_MAX + 16], installed[] = TCPTOP_LIBEXECDIR "/tcptop-check";
	char max_sessions[16] = "";
	int err = privilege_check(error);

	if (options->max_sessions != MAX_SESSIONS_DEFAULT)
		snprintf(max_sessions, sizeof max_sessions, "%" PRIu32, options->max_sessions);
	err = err ?: fit_maps(&options->max_sessions, options->family, error);
	if (err)
		return err;
	if (readlink("/proc/self/exe", self, sizeof self - 1) > 0) {
		snprintf(beside, sizeof beside, "%.*s-check", (int)sizeof self, self);
		snprintf(strrchr(beside, '/'), sizeof "/tcptop-check", "/tcptop-check");
		execute_check(beside, self, max_sessions, options);
	}
	execute_check(installed, self, max_sessions, options);
	return error_set(error, EXIT_CODE_UNSUPPORTED, -errno,
	    "--check needs the program tcptop-check, which is neither beside tcptop nor in %s: %s\n"
	    "install it there, or build its target tcptop-check",
	    TCPTOP_LIBEXECDIR, strerror(errno));
}
