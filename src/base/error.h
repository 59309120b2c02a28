/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong, in words for the user, and the exit status that follows from it. */
#ifndef TCPTOP_ERROR_H
#define TCPTOP_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

enum exit_code {
	EXIT_CODE_OK = 0,
	EXIT_CODE_RUNTIME = 1,     /* a failure while running */
	EXIT_CODE_USAGE = 2,       /* wrong options */
	EXIT_CODE_PERMISSION = 3,  /* root or capabilities missing, lockdown */
	EXIT_CODE_UNSUPPORTED = 4, /* the kernel or host lacks something; the text names the remedy */
	EXIT_CODE_OUTPUT = 5,      /* output could not be written */
	EXIT_CODE_WRONG_COUNT = 6, /* --check found a wrong number */
	EXIT_CODE_OVERHEAD = 7,    /* own cost is above --max-overhead */
};

/* Plain bytes without pointers: the loader sends it through a socket. */
struct error {
	int exit_code;  /* enum exit_code */
	bool of_output; /* of the stream that data goes to, whose reader may have gone */
	char text[512]; /* cause and remedy, at most two lines, no newline at the end */
};

/*
 * Fills *error and returns err, which is a negative errno: `return error_set(error, ..., -EINVAL, ...)`.
 * The caller adds strerror(3) where it helps. Of one line for which there is a remedy this becomes the second one.
 */
int error_set(struct error *error, int exit_code, int err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Has this process a limit on its memory (ulimit -v, -d)? */
bool error_memory_is_limited(void);

/* The second line of an error that want of memory may have caused. */
#define ERROR_SHORT_OF_MEMORY "\nis the host, or a limit (ulimit), short of memory?"

/* What helps where the host, or a limit of the caller's, has run out of what err, a negative errno, says; NULL: nothing known. */
const char *error_remedy(int err);

/* Output could not be written. The cause is errno, or EIO when errno is 0; returns its negative. */
int error_set_output(struct error *error);

#endif
