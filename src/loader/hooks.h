/* SPDX-License-Identifier: Apache-2.0 */
/* A plan's programs from the compiled text to their hooks: all of them, or those that can be had. */
#ifndef TCPTOP_HOOKS_H
#define TCPTOP_HOOKS_H

struct compiled;
struct error;
struct kernel;
struct tracing;

/* Where programs come from and to whom progress is told. */
struct hooks_context {
	const struct compiled *compiled;
	const struct kernel *kernel;
	void (*note)(void *to, const char *text);
	void *to;
};

/*
 * Loads and attaches tracing->plan. What is not required and cannot be had leaves the plan, told by note. Sets
 * tracing's programs, links and start_ns. 0 or -errno with *error; then everything ends with this process.
 */
int hooks_attach(const struct hooks_context *context, struct tracing *tracing, struct error *error);

#endif
