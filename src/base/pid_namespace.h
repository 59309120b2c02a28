/* SPDX-License-Identifier: Apache-2.0 */
/* Whose PIDs this process lives among: BPF programs give those of the initial PID namespace. */
#ifndef TCPTOP_PID_NAMESPACE_H
#define TCPTOP_PID_NAMESPACE_H

/*
 * Is this process in the initial PID namespace? root: the directory that has proc; "" is the running system.
 * 1 yes, 0 no, -errno when proc/self/ns/pid cannot be looked at: no proc, or that of a namespace without this process.
 */
int pid_namespace_is_initial(const char *root);

#endif
