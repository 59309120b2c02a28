/* SPDX-License-Identifier: Apache-2.0 */
/* Options and kernel facts in, program text out: pure, the same text for the same input. */
#ifndef TCPTOP_PROGRAM_H
#define TCPTOP_PROGRAM_H

#include <stddef.h>

struct error;
struct kernel;
struct options;
struct probe_plan;

enum program_layout {
	PROGRAM_LAYOUT_BTF,     /* offsets as numbers, from BTF; includes no kernel header */
	PROGRAM_LAYOUT_HEADERS, /* <net/sock.h> is included and the compiler finds the offsets */
};

/*
 * Makes the text that libbcc compiles: *text is allocated, the caller frees it. Returns 0, -ENOMEM, or
 * -EOPNOTSUPP with *error naming the field that BTF does not know or the processor without a register table.
 */
int program_build(char **text, const struct options *options, const struct kernel *kernel,
    const struct probe_plan *plan, enum program_layout layout, struct error *error);

/* The stub headers for kernels whose headers are not installed: path below the include root, and text. */
struct program_stub {
	const char *path;
	const char *text; /* "" for those that only have to be there */
};

extern const struct program_stub program_stubs[];
extern const size_t program_stub_count;

/* linux/version.h, the one stub that depends on the kernel, written into buffer. Returns its length. */
size_t program_stub_version(char *buffer, size_t size, const struct kernel *kernel);

#endif
