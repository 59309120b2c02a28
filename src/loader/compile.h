/* SPDX-License-Identifier: Apache-2.0 */
/* From what is asked for and the kernel to maps and instructions: as kept from an earlier start, or by libbcc. */
#ifndef TCPTOP_COMPILE_H
#define TCPTOP_COMPILE_H

#include <stdbool.h>

struct compiled;
struct error;
struct kernel;
struct plan;
struct program_request;

struct compile_context {
	const struct program_request *request;
	const struct kernel *kernel;
	const struct plan *plan;
	bool reads_cache, writes_cache;           /* of what earlier starts compiled */
	void (*note)(void *to, const char *text); /* a line of progress */
	void *to;
};

/*
 * Fills *compiled, for compiled_fini where it is kept from an earlier start. By libbcc it is done once in a process, whose mount
 * namespace, directory and environment are others then. 0 or -errno with *error.
 */
int compile_program(const struct compile_context *context, struct compiled *compiled, struct error *error);

#endif
