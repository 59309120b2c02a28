/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines of processes, kept so that a filter may look at those of all rows at every key. */
#ifndef TCPTOP_COMMANDS_H
#define TCPTOP_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct commands;
struct proc;

/* proc: this host's, borrowed until commands_close. NULL: no memory. */
struct commands *commands_open(const struct proc *proc);
void commands_close(struct commands *commands);

/*
 * Reads the command line of the process that had the PID at seen_s (wall clock) into buffer, arguments separated by
 * blanks; "" when it has none, as kernel threads. Returns NULL, or why it cannot be known, a clause. *start_s: as
 * proc_file tells it.
 */
const char *commands_read(
    const struct proc *proc, uint32_t pid, int64_t seen_s, char *buffer, size_t size, int64_t *start_s);

/*
 * The same from what is kept, or from /proc, of which only so many are read in a second, unless all are wanted at
 * once. "" also when it cannot be known, or not yet: commands_changed tells. Untrusted; borrowed until the next call.
 */
const char *commands_find(struct commands *commands, uint32_t pid, int64_t seen_s);

/* Read as many as are asked for, however long it takes: for who has no second look. */
void commands_want_all(struct commands *commands);

/* Some were asked for and not read. */
bool commands_pending(const struct commands *commands);
/* True once after commands_find could not read all: now it can read more. */
bool commands_changed(struct commands *commands);

#endif
