/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded, somebody who has taken over the process that shows: once it is confined he makes the system call that INTRUDER says (its number and
 * three arguments), and tells on stderr what came of it. For test_confined.py.
 */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static void intrude(void)
{
	static int done;
	const char *call = getenv("INTRUDER");
	long number, a, b, c;

	if (done || !call || prctl(PR_GET_SECCOMP) == 0 ||
	    sscanf(call, "%li %li %li %li", &number, &a, &b, &c) != 4)
		return;
	done = 1;
	errno = 0;
	long result = syscall(number, a, b, c, 0, 0, 0);

	dprintf(STDERR_FILENO, "intruder: %ld %d\n", result, result < 0 ? errno : 0);
}

int poll(struct pollfd *events, nfds_t count, int timeout_ms)
{
	int (*next)(struct pollfd *, nfds_t, int) =
	    (int (*)(struct pollfd *, nfds_t, int))dlsym(RTLD_NEXT, "poll");

	intrude();
	return next(events, count, timeout_ms);
}

int __poll_chk(struct pollfd *events, nfds_t count, int timeout_ms, size_t size);

int __poll_chk(struct pollfd *events, nfds_t count, int timeout_ms, size_t size)
{
	(void)size;
	return poll(events, count, timeout_ms);
}
