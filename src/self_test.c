/* SPDX-License-Identifier: Apache-2.0 */
/* --check: the self-test is a program beside this one or, installed, in libexec. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/sibling.h"
#include "base/util.h"
#include "fit.h"
#include "kernel/method.h"
#include "loader/privilege.h"
#include "options.h"
#include "output/renderer.h"
#include "run.h"

/* Returns -errno: else the program has been executed. */
static int execute(int program_fd, const struct options *options)
{
	bool json = options->renderer == &renderer_json;
	const char *argv[16] = { "tcptop-check", "--probe", probe_method_name(options->probe), "-o",
		json ? "json" : "text" };
	char max_sessions[16], self[PATH_MAX];
	int count = 5;

	sibling_self(self, sizeof self);
	if (*self) { /* else the self-test looks for tcptop */
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
	fexecve(program_fd, (char *const *)(uintptr_t)argv, environ);
	return -errno;
}

int run_check(struct options *options, struct error *error)
{
	/* beside it in the folder of the build; from where it is installed; where the build was told to install */
	static const char *const places[] = { "tcptop-check", TCPTOP_CHECK_FROM_SBINDIR "/tcptop-check",
		TCPTOP_CHECK_DIR "/tcptop-check" };
	int err = privilege_check(error), fd = -ENOENT;

	err = err ?: fit_maps(&options->max_sessions, options->family, error);
	if (err)
		return err;
	for (size_t i = 0; i < COUNT_OF(places) && fd == -ENOENT; i++)
		fd = sibling_open(places[i]);
	err = fd < 0 ? fd : execute(fd, options);
	return error_set(error, EXIT_CODE_UNSUPPORTED, err,
	    "--check needs the program tcptop-check, beside tcptop or in %s: %s\n"
	    "install it there, or build its target tcptop-check",
	    TCPTOP_CHECK_DIR, fd < 0 ? sibling_reason(err) : strerror(-err));
}
