/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded, somebody who has taken over a process of tcptop: once it is confined he makes the system call that INTRUDER says (its number and
 * three arguments), in the process whose name INTRUDER_IN says ("tcptop" by default), and tells on stderr what came of it. With
 * INTRUDER_FAILS, for processes that have no stderr, he aborts it unless the call fails with this error. For test_confined.py.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* By a file, as prctl(2) is not for all. */
static int is_in(const char *wanted)
{
	char name[32] = "";
	int fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, name, sizeof name - 1);

	if (fd >= 0)
		close(fd);
	return length > 0 && strncmp(name, wanted, strlen(wanted)) == 0 && name[strlen(wanted)] == '\n';
}

static void intrude(void)
{
	static int done;
	const char *call = getenv("INTRUDER"), *in = getenv("INTRUDER_IN"), *fails = getenv("INTRUDER_FAILS");
	int saved = errno;
	long number, a, b, c;

	if (done || !call || prctl(PR_GET_SECCOMP) == 0 || !is_in(in ? in : "tcptop") ||
	    sscanf(call, "%li %li %li %li", &number, &a, &b, &c) != 4) {
		errno = saved;
		return;
	}
	done = 1;
	errno = 0;
	long result = syscall(number, a, b, c, 0, 0, 0);

	if (!fails)
		dprintf(STDERR_FILENO, "intruder: %ld %d\n", result, result < 0 ? errno : 0);
	else if (result >= 0 || errno != atoi(fails))
		abort();
	errno = saved;
}

/* What each of the processes waits by. */
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

ssize_t recv(int socket, void *bytes, size_t size, int flags)
{
	ssize_t (*next)(int, void *, size_t, int) =
	    (ssize_t(*)(int, void *, size_t, int))dlsym(RTLD_NEXT, "recv");

	intrude();
	return next(socket, bytes, size, flags);
}

ssize_t __recv_chk(int socket, void *bytes, size_t size, size_t room, int flags);

ssize_t __recv_chk(int socket, void *bytes, size_t size, size_t room, int flags)
{
	(void)room;
	return recv(socket, bytes, size, flags);
}

ssize_t recvmsg(int socket, struct msghdr *message, int flags)
{
	ssize_t (*next)(int, struct msghdr *, int) =
	    (ssize_t(*)(int, struct msghdr *, int))dlsym(RTLD_NEXT, "recvmsg");

	intrude();
	return next(socket, message, flags);
}

int usleep(useconds_t pause_us)
{
	int (*next)(useconds_t) = (int (*)(useconds_t))dlsym(RTLD_NEXT, "usleep");

	intrude();
	return next(pause_us);
}
