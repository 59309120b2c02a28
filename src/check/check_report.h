/* SPDX-License-Identifier: Apache-2.0 */
/* --check as users see it: every method that works here in turn, a line a path. */
#ifndef TCPTOP_CHECK_REPORT_H
#define TCPTOP_CHECK_REPORT_H

struct error;
struct options;

/*
 * Runs --check with options->probe, or with each method that works here when that is "auto", and prints to
 * stdout, as text or JSON Lines. Needs root. 0, or -errno with *error: EXIT_CODE_WRONG_COUNT when a number
 * was wrong.
 */
int check_run(const struct options *options, struct error *error);

#endif
