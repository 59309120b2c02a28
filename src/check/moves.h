/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that move bytes without comparing: JSON lines of what each process's calls returned, for tests. */
#ifndef TCPTOP_CHECK_MOVES_H
#define TCPTOP_CHECK_MOVES_H

#include <stdbool.h>
#include <stdint.h>

#include "check/launcher.h"

/* Of all commands. */
struct arguments {
	const char *id;
	uint64_t bytes, processes, connections, threads, seconds, size, gap_ms;
	bool hold, ipv6, mapped, summary, both;
	const char *wait_file;
	const char *output, *method; /* from here on of the comparison */
	struct launcher_settings launcher;
};

enum { EXIT_SKIPPED = 77 };

/* Each returns the program's exit status. */
int command_list(const struct arguments *arguments);
int command_move(const struct arguments *arguments);
int command_flow(const struct arguments *arguments);
int command_threads(const struct arguments *arguments);
int command_pidreuse(const struct arguments *arguments);

#endif
