/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of processes in /proc, by PIDs of the initial PID namespace, which are those that BPF programs give. /proc
 * may show the processes of another namespace under the same numbers, and a PID may have been taken by another process
 * since: what cannot be known to be of the process that is meant is not read.
 */
#ifndef TCPTOP_PROC_H
#define TCPTOP_PROC_H

#include <stdint.h>
#include <stdio.h>

/* The instance of /proc that was looked at, also if another one is mounted there later. */
struct proc {
	int fd;          /* -1: nothing can be known from it */
	const char *why; /* ... and why not, a clause */
};

/*
 * root: the directory that has proc; "" is the running system. Opens it and finds out whether it shows the initial PID
 * namespace's processes: proc_is_known. proc_close is safe in every case.
 */
void proc_open(struct proc *proc, const char *root);
void proc_close(struct proc *proc);

static inline int proc_is_known(const struct proc *proc)
{
	return proc->fd >= 0;
}

/*
 * Opens the file /proc/PID/name of the process that had the PID at the time seen_s (wall clock; it may begin in that
 * second). NULL when that cannot be known or the file cannot be opened: then *why is a clause that says why. The stream
 * is the caller's. A process that ends while it is read gives nothing more, whoever takes its PID.
 * *start_s: when the process that has the PID now began (wall clock, rounded down); -errno: cannot be known.
 */
FILE *proc_file(const struct proc *proc, uint32_t pid, int64_t seen_s, const char *name, int64_t *start_s,
    const char **why);

/* The process (thread group) that the PID or thread id belongs to now; 0: /proc shows none, or cannot tell. */
uint32_t proc_thread_group(const struct proc *proc, uint32_t pid);

#endif
