/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal's state before the screen was opened, to be restored when a fatal signal ends the program. */
#ifndef TCPTOP_TERMINAL_H
#define TCPTOP_TERMINAL_H

#include <stddef.h>

/*
 * Saves the settings of the terminal behind fd, and the bytes that leave the screen (copied, at most 256), for
 * terminal_restore.
 */
void terminal_arm(int fd, const char *leave, size_t length);

/* Call it when the screen was closed: terminal_restore does nothing from then on. */
void terminal_disarm(void);

/* Leaves the screen and restores the settings. Async-signal-safe, for handlers of fatal signals. */
void terminal_restore(void);

#endif
