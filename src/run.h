/* SPDX-License-Identifier: Apache-2.0 */
/* The program's actions: tracing this host, playing a recording, printing the program text, the self-test. */
#ifndef TCPTOP_RUN_H
#define TCPTOP_RUN_H

struct error;
struct options;

/* Each returns 0 or -errno with *error. A run that was ended by a signal or by its reader is no failure. */
int run_live(struct options *options, struct error *error);
int run_recording(struct options *options, struct error *error);
int run_print_program(struct options *options, struct error *error);

/* Executes tcptop-check, and returns only when that cannot be done. */
int run_check(struct options *options, struct error *error);

#endif
