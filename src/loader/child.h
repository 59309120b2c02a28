/* SPDX-License-Identifier: Apache-2.0 */
/* What the loader's child does, in order. */
#ifndef TCPTOP_CHILD_H
#define TCPTOP_CHILD_H

struct filter_fds;
struct options;

/*
 * Inspects the kernel, chooses the probe method by trying, compiles, loads, attaches and sends the result.
 * Returns the exit status of the child's process. stdout and stderr take what libraries print.
 */
int loader_child(int socket, const struct options *options, const struct filter_fds *filters);

#endif
