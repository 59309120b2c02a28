/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: one table of options that parses, checks and prints the help. */
#ifndef TCPTOP_OPTIONS_H
#define TCPTOP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "screen/screen_options.h"

struct error;

enum probe_method {
	PROBE_AUTO,
	PROBE_TRACEPOINT,
	PROBE_FENTRY,
	PROBE_KPROBE,
};

enum output {
	OUTPUT_AUTO, /* resolved by options_parse: the screen on a terminal, else text */
	OUTPUT_SCREEN,
	OUTPUT_TEXT,
	OUTPUT_JSON,
};

enum action {
	ACTION_RUN,
	ACTION_HELP,
	ACTION_VERSION,
	ACTION_PRINT_PROGRAM, /* --ebpf */
	ACTION_CHECK,         /* the self-test */
};

enum { MAX_SESSIONS_DEFAULT = 65536 };

struct options {
	enum action action;
	enum output output;
	bool output_is_default; /* nobody asked for this output: another one may take its place */
	enum probe_method probe;
	bool no_summary;
	bool verbose;
	int family;     /* 0 both, 4 or 6 */
	uint32_t *pids; /* sorted, unique; owned */
	size_t pid_count;
	const char *cgroup_map_path; /* borrowed from argv; NULL: no such filter */
	const char *mntns_map_path;
	uint64_t interval_ns;
	uint64_t count; /* intervals to show; 0: until stopped */
	uint32_t max_sessions;
	struct view_options view; /* of the screen */
};

/*
 * Parses the whole command line strictly (whole numbers, ranges, no trailing text). stdout_is_terminal
 * decides what OUTPUT_AUTO becomes and whether -o screen is possible.
 * Returns 0, or -EINVAL or -ENOMEM with *error filled (usage: one or two lines). *options is valid to
 * options_fini in both cases.
 */
int options_parse(
    struct options *options, int argc, char **argv, bool stdout_is_terminal, struct error *error);
void options_fini(struct options *options);

/* The help for -h: usage, every option, examples. */
void options_print_help(FILE *stream);

/* "auto", "tracepoint", "fentry", "kprobe": as --probe takes them and JSON shows them. */
const char *probe_method_name(enum probe_method method);

/* Whether -p named it. */
bool options_has_pid(const struct options *options, uint32_t pid);

#endif
