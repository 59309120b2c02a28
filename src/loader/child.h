/* SPDX-License-Identifier: Apache-2.0 */
/* What the loader's child does, in order. */
#ifndef TCPTOP_CHILD_H
#define TCPTOP_CHILD_H

#include <stdbool.h>

#include "kernel/filters.h"
#include "kernel/method.h"
#include "kernel/program.h"

/* What the child is to do. */
struct loader_request {
	struct program_request program;
	enum probe_method method;
	int filter_fds[FILTERS_MAX]; /* of the user's maps, beside filters[]; -1: no such filter. Borrowed. */
	bool compiles_anew;          /* instead of taking what an earlier start compiled */
};

/*
 * Inspects the kernel, chooses the probe method by trial, compiles, loads, attaches and sends the result.
 * Returns the child's exit status. stdout and stderr are where libraries print.
 */
int loader_child(int socket, const struct loader_request *request);

#endif
