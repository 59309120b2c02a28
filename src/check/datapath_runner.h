/* SPDX-License-Identifier: Apache-2.0 */
/* The process that is the parent of all movers of a run, and its messages to the caller of datapath_run. */
#ifndef TCPTOP_DATAPATH_RUNNER_H
#define TCPTOP_DATAPATH_RUNNER_H

#include <stdint.h>
#include <sys/types.h>

#include "check/datapath.h"

enum runner_message_kind {
	RUNNER_CONNECTED,
	RUNNER_DONE,
	RUNNER_FAILED,
	RUNNER_REFUSED, /* the path cannot run here: text says what it lacks */
};

/* One SOCK_SEQPACKET message. The caller's only answer is one byte after RUNNER_CONNECTED: move the data. */
struct runner_message {
	int kind; /* enum runner_message_kind */
	int err;  /* RUNNER_FAILED, RUNNER_REFUSED: -errno */
	char text[400];
	struct datapath_result result; /* with RUNNER_CONNECTED and RUNNER_DONE */
};

_Noreturn void runner_main(const struct datapath *path, unsigned timeout_ms, pid_t parent, int control_fd);

/* Returns when the child has ended (it stays to be reaped) or the time is over. */
void runner_await_exit(pid_t pid, unsigned timeout_ms);
/* 0: ::1 can be bound. */
int runner_probe_ipv6(void);

#endif
