/* SPDX-License-Identifier: Apache-2.0 */
/* A socket pair that messages go over, in one process, and descriptors to go along. */
#ifndef TCPTOP_SOCKETS_H
#define TCPTOP_SOCKETS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loader/tracing.h"

static int sockets[2];

static inline int open_sockets(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets);
}

static inline int close_sockets(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		if (sockets[i] >= 0)
			close(sockets[i]);
		sockets[i] = -1;
	}
	return 0;
}

static inline size_t count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

/* The writing end of a new pipe, to be sent; *reader sees what is written to it. */
static inline int open_pipe(int *reader)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	*reader = ends[0];
	return ends[1];
}

static inline struct tracing ready_tracing(void)
{
	struct tracing tracing;

	tracing_init(&tracing);
	tracing.start_ns = UINT64_C(123456789012345);
	tracing.in_pid_namespace = true;
	tracing.plan.method = PROBE_FENTRY;
	tracing.plan.direct = true;
	tracing.plan.hook_count = 2;
	strcpy(tracing.plan.hooks[1].function, "fentry_inet_recvmsg");
	return tracing;
}

#define test_with_sockets(test) cmocka_unit_test_setup_teardown(test, open_sockets, close_sockets)

#endif
