/* SPDX-License-Identifier: Apache-2.0 */
/* Who may trace, and how root is given up once tracing has started. */
#ifndef TCPTOP_PRIVILEGE_H
#define TCPTOP_PRIVILEGE_H

#include <stdbool.h>

struct error;

/*
 * Is tracing permitted: CAP_SYS_ADMIN, or CAP_BPF and CAP_PERFMON, and no lockdown in
 * confidentiality mode? 0, or -EPERM with *error naming what is missing.
 */
int privilege_check(struct error *error);

/* Is the caller who this process acts as? 0, or -EPERM with *error: files are opened for the caller, before root is given up. */
int privilege_check_caller(struct error *error);

/* Does a seccomp filter judge this process's system calls (seccomp(2))? A container's does by default. */
bool privilege_is_filtered(void);

/*
 * Becomes the user of the build (CMake's TCPTOP_USER; else one that nobody has, or nobody), without supplementary groups, no_new_privs, not
 * dumpable, with no capability effective and an empty bounding set. CAP_BPF (or CAP_SYS_ADMIN, where that is all there is) stays permitted until privilege_settle, for
 * kernels before 5.19 that ask for it at each bpf(2). In a user namespace that maps none of these the user
 * stays and the capabilities go. 0 or -errno with *error.
 */
int privilege_drop(struct error *error);

/*
 * After a bpf(2) was tried: keep false gives the last capability up for good, true makes it effective and
 * keeps it. 0 or -errno with *error.
 */
int privilege_settle(bool keep, struct error *error);

/* Empties the bounding set, which needs CAP_SETPCAP: before the user is changed. */
void privilege_drop_bounds(void);

/* Gives up every capability for good; the user stays. For a child that does nothing privileged. 0 or -errno. */
int privilege_give_up(void);

/* The name of the capability that privilege_settle(true) keeps. */
const char *privilege_kept_name(void);

#endif
