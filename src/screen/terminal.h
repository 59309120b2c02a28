/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal as it was, and how to get it back when a fatal signal leaves no time for anything else. */
#ifndef TCPTOP_TERMINAL_H
#define TCPTOP_TERMINAL_H

#include <stddef.h>

/*
 * Remembers the settings of the terminal behind fd and what has to be written to it to leave the screen
 * (copied; cut when it is longer than 256 bytes). From then on terminal_restore has something to do.
 */
void terminal_arm(int fd, const char *leave, size_t length);

/* The screen was left in an orderly way: terminal_restore has nothing to do any more. */
void terminal_disarm(void);

/* Async-signal-safe and quick: main calls it from its handlers of fatal signals before raising them again. */
void terminal_restore(void);

#endif
