/* SPDX-License-Identifier: Apache-2.0 */
/* What no BTF tells of a processor: where a call's values stand, and the numbers of system calls. */
#ifndef TCPTOP_PROCESSOR_H
#define TCPTOP_PROCESSOR_H

#include <stdint.h>

struct processor {
	/* A function's registers as 8-byte slots of struct pt_regs (arch/.../asm/ptrace.h, stable ABI). */
	int parameters[4];
	int result;
	const char *return_address; /* C text: where it stands when the function is entered */
	/*
	 * The numbers of splice and getsockopt in the native table and in those of 32-bit tasks (asm/unistd*.h), up to
	 * a 0. Not i386's socketcall, which receives, too.
	 */
	unsigned splice_calls[7];
	uint32_t
	    inlines_current_since; /* as LINUX_VERSION_CODE: from then on bpf_get_current_task_btf() is no call */
};

/* The one that this was built for; NULL: not one of those that are known here. */
const struct processor *processor_find(void);

#endif
