/* SPDX-License-Identifier: Apache-2.0 */
/* Signals as a file descriptor, and what becomes of those that nobody takes. */
#ifndef TCPTOP_SIGNALS_H
#define TCPTOP_SIGNALS_H

#include <stdbool.h>
#include <pthread.h>

struct error;

/*
 * A SIGUSR1 waits from the first moment on until signals_open takes it: which signal it is depends on the options. Released, it is fatal.
 * To be called before threads are started.
 */
void signals_hold_usr1(void);
void signals_release_usr1(void);

/* They stay blocked in every thread and child made afterwards. */
struct signals {
	int fd;
};

/* keep_stop: leave TSTP to the kernel. take_usr1: it is no fatal one. 0, or -errno with *error when the descriptor cannot be made. */
int signals_open(struct signals *signals, bool keep_stop, bool take_usr1, struct error *error);

/* The next signal that waits, 0: none. */
int signals_next(struct signals *signals);

/* Is it one that asks the program to end? */
bool signals_is_end(int signal_number);

/* Stops the process as Ctrl-Z stops any other; returns when it is continued. */
void signals_stop(void);

/*
 * The thread that shows may be stuck: in a write that nobody reads, in a read that nobody writes. A signal to
 * end that it does not take then does what it does to any program.
 */
struct signals_guard {
	pthread_t thread;
	const struct signals *signals;
	int stop_fd;
};

/* Without a guard everything works but this: a failure to start it is none. */
void signals_guard_start(struct signals_guard *guard, const struct signals *signals);
void signals_guard_stop(struct signals_guard *guard);

/* The terminal is given back before a fatal signal does what it would have done. Ignored ones stay ignored. */
void signals_catch_fatal(void);

#endif
