/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* What whoever called can do about what ran out. */
static const struct {
	int err;
	const char *remedy;
} shortages[] = {
	{ -EMFILE, "raise the limit on open files (ulimit -n 256)" },
	{ -ENFILE, "the whole host has too many open files: close some, or raise sysctl fs.file-max" },
	{ -ENOMEM, "the host, or a limit (ulimit -v, -d), is short of memory: free some, or raise it" },
	{ -EFBIG, "raise the limit on files' sizes (ulimit -f unlimited)" },
	{ -EAGAIN, "raise the limit on processes (ulimit -u), or the control group's (pids.max)" },
};

static bool is_limited(int resource)
{
	struct rlimit limit;

	return getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

/* pthread_create(3) has one error for what it lacks: a thread, or memory for its stack. */
bool error_memory_is_limited(void)
{
	return is_limited(RLIMIT_AS) || is_limited(RLIMIT_DATA);
}

const char *error_remedy(int err)
{
	if (err == -EAGAIN && error_memory_is_limited())
		return "raise the limit on memory (ulimit -v, -d), or on processes (ulimit -u, pids.max)";
	for (size_t i = 0; i < sizeof shortages / sizeof *shortages; i++)
		if (shortages[i].err == err)
			return shortages[i].remedy;
	return NULL;
}

int error_set(struct error *error, int exit_code, int err, const char *format, ...)
{
	va_list arguments;

	error->exit_code = exit_code;
	error->of_output = false;
	va_start(arguments, format);
	vsnprintf(error->text, sizeof error->text, format, arguments);
	va_end(arguments);
	const char *remedy = strchr(error->text, '\n') ? NULL : error_remedy(err);
	size_t length = strlen(error->text);

	if (remedy)
		snprintf(error->text + length, sizeof error->text - length, "\n%s", remedy);
	return err;
}

int error_set_output(struct error *error)
{
	int err = errno ? errno : EIO;

	error_set(error, EXIT_CODE_OUTPUT, -err, "cannot write the output: %s", strerror(err));
	error->of_output = true;
	return -err;
}
