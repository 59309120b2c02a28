/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *error, int exit_code, int err, const char *format, ...)
{
	va_list arguments;

	error->exit_code = exit_code;
	error->of_output = false;
	va_start(arguments, format);
	vsnprintf(error->text, sizeof error->text, format, arguments);
	va_end(arguments);
	return err;
}

int error_set_output(struct error *error)
{
	int err = errno ? errno : EIO;

	error_set(error, EXIT_CODE_OUTPUT, -err, "cannot write the output: %s", strerror(err));
	error->of_output = true;
	return -err;
}
