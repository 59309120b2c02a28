/* SPDX-License-Identifier: Apache-2.0 */
#include "notices.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "loader/filter_map.h"
#include "names/proc.h"
#include "options.h"

#define PIDS_TOLD_MAX 8 /* of those that count nothing; the others are a number */

static void tell_pid(uint32_t pid, uint32_t group)
{
	if (group)
		fprintf(stderr,
		    "tcptop: -p %" PRIu32 " is a thread of process %" PRIu32
		    ": nothing is counted for it, as -p takes processes\n",
		    pid, group);
	else
		fprintf(stderr,
		    "tcptop: -p %" PRIu32
		    ": there is no such process now; one that gets this PID is counted\n",
		    pid);
}

static void tell_pids(const struct options *options, const struct proc *proc)
{
	size_t found = 0;

	for (size_t i = 0; i < options->pid_count; i++) {
		uint32_t group = proc_thread_group(proc, options->pids[i]);

		if (group != options->pids[i] && ++found <= PIDS_TOLD_MAX)
			tell_pid(options->pids[i], group);
	}
	if (found > PIDS_TOLD_MAX)
		fprintf(stderr, "tcptop: -p: %zu more are no processes\n", found - PIDS_TOLD_MAX);
}

void notices_pids(const struct options *options, bool in_pid_namespace)
{
	struct proc proc;

	proc_open(&proc, "");
	if (in_pid_namespace || !proc_is_known(&proc))
		fprintf(stderr, "tcptop: %s: PIDs, also those that -p takes, are the host's\n",
		    in_pid_namespace ? "started in a PID namespace" : proc.why);
	if (proc_is_known(&proc))
		tell_pids(options, &proc);
	else if (options->pid_count)
		fprintf(
		    stderr, "tcptop: -p: %s: it cannot be told whether there are such processes\n", proc.why);
	proc_close(&proc);
}

void notices_no_ends(void)
{
	fprintf(stderr, "tcptop: this kernel does not tell when connections end: none is shown as closed\n");
}

void notices_filter_map(int fd, const char *option)
{
	if (filter_map_is_empty(fd))
		fprintf(stderr, "tcptop: --%s: the map has no key: nothing is counted until it has one\n",
		    option);
}
