/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: one table of options that parses, checks and prints the help. */
#ifndef TCPTOP_OPTIONS_H
#define TCPTOP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kernel/condition.h"
#include "kernel/filters.h"
#include "kernel/method.h"
#include "kernel/program.h"
#include "screen/screen_options.h"

struct error;
struct renderer;

enum action {
	ACTION_RUN,    /* this host, live */
	ACTION_REPLAY, /* --replay */
	ACTION_HELP,
	ACTION_VERSION,
	ACTION_PRINT_PROGRAM, /* --ebpf */
	ACTION_CHECK,         /* the self-test */
	ACTION_DIAGNOSE,      /* live: what connections wait for */
	ACTION_DIAGNOSE_RECORDING,
};

enum {
	MAX_SESSIONS_DEFAULT = 65536,
	MAX_SOCKETS_DEFAULT = 16384,
	MAX_SERIES_DEFAULT = 200,
	SERIES_THRESHOLD_BYTES_DEFAULT = 10000
};

struct condition_option {
	const struct condition_kind *kind;
	const char *value; /* borrowed from argv */
};

struct options {
	enum action action;
	const struct renderer *renderer; /* the form of output */
	bool renderer_is_default;        /* nobody asked for it: another one may take its place */
	enum probe_method probe;
	bool no_summary;
	bool compiles_anew; /* the BPF program, and does not keep it */
	const char *words;  /* of --filter; borrowed from argv; NULL: none */
	bool verbose;
	bool no_settings; /* the user's file of settings is not read */
	int family;       /* 0 both, 4 or 6 */
	uint32_t *pids;   /* sorted, unique; owned */
	size_t pid_count;
	const char
	    *filter_paths[FILTERS_MAX];      /* beside filters[]; borrowed from argv; NULL: no such filter */
	struct condition_option *conditions; /* --port and its like, as they stand; owned */
	size_t condition_count;
	uint64_t interval_ns; /* for --diagnose the time to look at, */
	uint64_t count;       /* and how often; else intervals to show; 0: until stopped */
	uint32_t max_sessions;
	const char *host_root;     /* borrowed from argv; "": this process's own */
	const char *replay_path;   /* borrowed from argv; NULL: this host, live */
	const char *output_path;   /* instead of standard output; borrowed from argv; NULL: none */
	const char *textfile_path; /* the same for metrics, beside the output */
	uint32_t max_series;
	uint64_t series_threshold_bytes;
	uint32_t max_sockets;      /* of which a pass can tell */
	bool all;                  /* sockets that move nothing, too */
	bool no_splice;            /* it is not worth a program at each receive */
	bool connections;          /* how connections began and ended */
	bool strict;               /* unexplained bytes at the end are a failure */
	uint32_t max_overhead_ppm; /* of one processor; 0: no limit */
	struct screen_options screen;
};

/*
 * Parses the whole command line strictly (whole numbers, ranges, no trailing text). stdout_is_terminal
 * decides which output is the default and whether -o screen is possible.
 * Returns 0, or -EINVAL or -ENOMEM with *error filled (usage: one or two lines). *options is valid to
 * options_fini in both cases.
 */
int options_parse(
    struct options *options, int argc, char **argv, bool stdout_is_terminal, struct error *error);
void options_fini(struct options *options);

/*
 * Can options->renderer filter by the words of --filter? Text and JSON ask no server for the names of hosts. options_parse has checked it,
 * unless the renderer is another one by now. 0, or -EINVAL with *error.
 */
int options_check_words(const struct options *options, struct error *error);

/* Sockets are told of from the start on: they are shown, or a column or an order is theirs. */
bool options_tell_sockets(const struct options *options);

/* Names of cgroups are shown, or looked at by a filter. */
bool options_need_names(const struct options *options);

/*
 * What the options ask of the program text; pids are borrowed. What filters name is looked up on this host: *conditions,
 * an empty struct, is filled, is the caller's, and borrowed by *request. 0 or -errno with *error.
 */
int options_program(struct program_request *request, struct conditions *conditions,
    const struct options *options, struct error *error);

/*
 * The options that choose what is counted, but for --filter, as they would be given again: "--pid=1,2". An array of
 * *count texts, each of it and the array for free().
 */
char **options_filters(const struct options *options, size_t *count);

/* The help for -h: usage, every option, examples. */
void options_print_help(FILE *stream);

#endif
