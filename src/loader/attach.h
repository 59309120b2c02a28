/* SPDX-License-Identifier: Apache-2.0 */
/* Loading one program and attaching it, by any of the hook kinds: descriptors in, descriptors out. */
#ifndef TCPTOP_ATTACH_H
#define TCPTOP_ATTACH_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/method.h"

struct bpf_insn;
struct error;

/*
 * Loads the instructions as a program for the hook. Returns its descriptor (the caller's) or -errno;
 * the verifier's words go to stderr when it refuses.
 */
int attach_load(
    const struct hook *hook, const struct kernel *kernel, const struct bpf_insn *instructions, size_t count);

/*
 * Makes what the program will be attached to, where the kind needs an object for that: a perf event; for
 * kprobes' the kernel's text is patched. Sets *event_fd (the caller's; -1: this kind has none). 0 or -errno.
 */
int attach_prepare(const struct hook *hook, const struct kernel *kernel, int *event_fd);

/*
 * Attaches it (any kind but HOOK_ITERATOR): from now on it runs. event_fd: attach_prepare's, which becomes the attachment. Returns the
 * attachment's descriptor (the caller's; closing it detaches) or -errno.
 */
int attach_program(const struct hook *hook, int program_fd, int event_fd);

/* Runs a program of HOOK_ITERATOR to its end. 0 or -errno. */
int attach_run_iterator(int program_fd);

/* Did loading or attaching fail (err, a negative errno) because the host has run out of something? */
bool attach_ran_out(int err);

/* Fills *error for what could not be loaded or attached: cause, remedy and exit status. Returns err. */
int attach_error(struct error *error, int err, const char *what);

/* Before 5.11 maps and programs count against RLIMIT_MEMLOCK. Without CAP_SYS_RESOURCE it stays as it is. */
void attach_raise_memlock(void);

/* Does this kind of hook (not HOOK_ITERATOR) work here? Loads and attaches a two-instruction program; 0 or -errno. */
int attach_try(const struct hook *hook, const struct kernel *kernel);

/*
 * Can a program give addresses the types that programs give them, as planner_casts has it? Loads one that does; 0, also where the
 * host has run out of something, or -errno.
 */
int attach_try_cast(enum hook_kind kind, const struct kernel *kernel);

#endif
