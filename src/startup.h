/* SPDX-License-Identifier: Apache-2.0 */
/* From options to attached programs, and from root to nobody: what a live run begins with. */
#ifndef TCPTOP_STARTUP_H
#define TCPTOP_STARTUP_H

#include <errno.h>

struct error;
struct filter_fds;
struct options;
struct signals;
struct tracing;

/* The user asked it to end before tracing began: not a failure, and there is nothing to print. */
#define STARTUP_ENDED (-ECANCELED)

/*
 * The kernel takes a table's memory at once, and where there is not enough it ends processes to get it. Over half of
 * what is available, tables of the default size become smaller, and the user is told; a size that was asked for
 * is refused. 0 or -errno with *error.
 */
int startup_fit_tables(struct options *options, struct error *error);

/*
 * Has the loader's child compile and attach, and waits for it; a signal to end comes first (signals NULL:
 * they do what they do). Progress goes to stderr with -v. Fills *tracing, the caller's; 0, STARTUP_ENDED, or
 * -errno with *error.
 */
int startup_load(struct tracing *tracing, const struct options *options, const struct filter_fds *filters,
    struct signals *signals, struct error *error);

/* The process becomes nobody for good; before 5.19 one capability has to stay. 0 or -errno with *error. */
int startup_give_up_root(const struct tracing *tracing, const struct options *options, struct error *error);

#endif
