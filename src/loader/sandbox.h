/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A place to compile in: nothing of the user's environment or current directory reaches the compiler, and
 * nothing stays behind. For the loader's child alone.
 */
#ifndef TCPTOP_SANDBOX_H
#define TCPTOP_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

struct error;

struct sandbox {
	char root[64];  /* an empty directory that is the current one; only its owner can write to it */
	bool temporary; /* a directory to remove, else a mount that goes with the process */
	pid_t cleaner;  /* removes it at the end of this process, however that comes */
	int pipe;       /* whose end tells the cleaner */
};

/*
 * Clears the environment and enters an empty directory: a tmpfs in a private mount namespace or,
 * without the capability for that, a fresh directory under /tmp, but not with capabilities of the program's file, which
 * anybody may call. 0 or -errno with *error.
 */
int sandbox_enter(struct sandbox *sandbox, struct error *error);

/*
 * Shows the compiler a symbol list of one line. libbcc 0.26 reads all of /proc/kallsyms to know whether the
 * kernel has bpf_probe_read_kernel: 0.2 s of a start that takes 0.25 s without. Does nothing where it can't.
 */
void sandbox_shorten_symbols(struct sandbox *sandbox);

/*
 * Writes a header, by its path below a kernel's include/, where libbcc finds it instead of installed ones. 0 or -errno with *error.
 */
int sandbox_add_header(struct sandbox *sandbox, const char *path, const char *text, struct error *error);

/* Removes the temporary directory, if there is one. */
void sandbox_leave(struct sandbox *sandbox);

#endif
