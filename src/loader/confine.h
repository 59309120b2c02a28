/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is taken away when root has been given up: whoever took over this process by what it draws or reads finds nothing to do. As
 * much as the kernel, and the sandbox around it, let us have: an error is for -v to tell, not to end for.
 */
#ifndef TCPTOP_CONFINE_H
#define TCPTOP_CONFINE_H

/* What is done later, as bits. */
enum confine_need {
	CONFINE_PLAIN = 0,        /* prints lines: starts no thread any more, loads no code */
	CONFINE_THREADS = 1 << 0, /* starts threads: reads a recording */
	CONFINE_NAMES =
	    1 << 1, /* asks the host's name services (NSS), and draws on a terminal; has threads, too */
};

/*
 * No file is written, made, removed or executed by its path any more (landlock, Linux 5.13); no core is dumped. What is open stays
 * as it is. For the one thread that there is: others inherit it. 0 or -errno.
 */
int confine_files(void);

/*
 * System calls beyond the list of these needs (enum confine_need) fail with EPERM, those that only an intruder makes end the process (seccomp, in all
 * threads); descriptors and threads are limited. 0 or -errno; -ENOSYS in a build with sanitizers, which make calls of their own.
 */
int confine_calls(unsigned needs);

#endif
