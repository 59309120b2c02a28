/* SPDX-License-Identifier: Apache-2.0 */
/* What is said on standard error at the start: filters that let nothing pass, and whose PIDs are shown. */
#ifndef TCPTOP_NOTICES_H
#define TCPTOP_NOTICES_H

#include <stdbool.h>

struct options;

/*
 * A line for each PID of -p that is a thread's or no process's, and for a PID namespace. To be called while the
 * privileges of the start last: hidepid hides processes from others. in_pid_namespace: not the initial one.
 */
void notices_pids(const struct options *options, bool in_pid_namespace);

/* A line when the user's map, open as fd, has no key yet. option: its name, without dashes. */
void notices_filter_map(int fd, const char *option);

/* A line when the kernel refuses what notes the ends of connections. */
void notices_no_ends(void);

#endif
