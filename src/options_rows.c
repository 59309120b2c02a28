/* SPDX-License-Identifier: Apache-2.0 */
/* What each option is, and what it does to struct options. */
#include "options_table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/decimal.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/util.h"
#include "kernel/condition_kinds.h"
#include "model/cost.h"
#include "renderers.h"
#include "table/words.h"

#define PID_LIMIT 4194304 /* PID_MAX_LIMIT of 64-bit kernels */
#define MAX_SESSIONS_LIMIT 16777216
#define MAX_SERIES_LIMIT 100000

static const char *probe_choice(size_t index)
{
	return index == 0              ? probe_method_name(PROBE_AUTO)
	       : index <= method_count ? methods[index - 1]->name
	                               : NULL;
}

static const char *output_choice(size_t index)
{
	return index < renderer_count ? renderers[index]->name : NULL;
}

const char *option_value(const struct option_row *row, char *buffer, size_t size)
{
	size_t used = 0;

	if (!row->choice)
		return row->value;
	for (size_t i = 0; row->choice(i) && used < size; i++)
		used += snprintf(buffer + used, size - used, "%s%s", i ? "|" : "", row->choice(i));
	return buffer;
}

int options_refuse(struct error *error, const char *format, ...)
{
	char cause[400];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(cause, sizeof cause, format, arguments);
	va_end(arguments);
	return error_set(error, EXIT_CODE_USAGE, -EINVAL, "%s\ntry '" TCPTOP_NAME " --help'", cause);
}

const char *options_quote(char buffer[QUOTE_SIZE], const char *text, size_t length)
{
	escape_text(buffer, QUOTE_SIZE, text, length, QUOTE_COLUMNS, false);
	return buffer;
}

static int apply_noclear(struct command_line *line, const struct option_row *row, const char *value)
{
	(void)row, (void)value;
	line->noclear = true;
	return 0;
}

static void *member_of(struct command_line *line, const struct option_row *row)
{
	return (char *)line->options + row->offset;
}

static int apply_flag(struct command_line *line, const struct option_row *row, const char *value)
{
	(void)value;
	*(bool *)member_of(line, row) = true;
	return 0;
}

static int apply_action(struct command_line *line, const struct option_row *row, const char *value)
{
	(void)value;
	line->options->action = row->number;
	return 0;
}

static int apply_family(struct command_line *line, const struct option_row *row, const char *value)
{
	int *family = &line->options->family;

	(void)value;
	if (*family != 0 && *family != row->number)
		return options_refuse(
		    line->error, "-4 and -6 exclude each other; without them both families are shown");
	*family = row->number;
	return 0;
}

/* The index of the value among the row's choices, or usage_error. */
static int find_choice(struct command_line *line, const struct option_row *row, const char *value)
{
	char quoted[QUOTE_SIZE], all[VALUE_SIZE];

	for (int i = 0; row->choice(i); i++)
		if (strcmp(row->choice(i), value) == 0)
			return i;
	return options_refuse(line->error, "wrong --%s '%s': it is one of %s", row->name,
	    options_quote(quoted, value, strlen(value)), option_value(row, all, sizeof all));
}

static int apply_probe(struct command_line *line, const struct option_row *row, const char *value)
{
	int found = find_choice(line, row, value);

	if (found >= 0)
		line->options->probe = found == 0 ? PROBE_AUTO : methods[found - 1]->id;
	return found < 0 ? found : 0;
}

static int apply_output(struct command_line *line, const struct option_row *row, const char *value)
{
	int found = find_choice(line, row, value);

	if (found >= 0)
		line->options->renderer = renderers[found];
	return found < 0 ? found : 0;
}

static int apply_path(struct command_line *line, const struct option_row *row, const char *value)
{
	if (*value == '\0')
		return options_refuse(line->error, "option --%s needs a value: %s", row->name, row->value);
	*(const char **)member_of(line, row) = value;
	return 0;
}

static int apply_host_root(struct command_line *line, const struct option_row *row, const char *value)
{
	struct stat status;
	char quoted[QUOTE_SIZE];

	if (stat(value, &status) != 0 || !S_ISDIR(status.st_mode))
		return options_refuse(line->error, "wrong --%s '%s': it is a directory", row->name,
		    options_quote(quoted, value, strlen(value)));
	line->options->host_root = value;
	return 0;
}

static int apply_filter(struct command_line *line, const struct option_row *row, const char *value)
{
	if (*value == '\0')
		return options_refuse(line->error, "option --%s needs a value: %s", row->name, row->value);
	line->options->filter_paths[filter_find(row->name)] = value;
	return 0;
}

/* A repeated option adds to its values. */
static int apply_condition(struct command_line *line, const struct option_row *row, const char *value)
{
	struct options *options = line->options;
	size_t count = options->condition_count;
	struct condition_option *conditions;

	if (*value == '\0')
		return options_refuse(line->error, "option --%s needs a value: %s", row->name, row->value);
	conditions = reallocarray(options->conditions, count + 1, sizeof *conditions);
	if (!conditions)
		return error_set(line->error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory: filters");
	conditions[count] = (struct condition_option){ condition_kind_find(row->name), value };
	options->conditions = conditions;
	options->condition_count++;
	return 0;
}

static int apply_words(struct command_line *line, const struct option_row *row, const char *value)
{
	char quoted[QUOTE_SIZE], why[MATCH_SAID_SIZE], said[QUOTE_SIZE], all[VALUE_SIZE];
	struct match match;

	if (line->options->words)
		return options_refuse(line->error, "--%s stands twice: give all words to one", row->name);
	match_set(&match, value);
	if (match_say_fault(&match, why, sizeof why)) {
		match_fields(all, sizeof all, ", ");
		return options_refuse(line->error, "wrong --%s '%s': %s; fields are %s", row->name,
		    options_quote(quoted, value, strlen(value)), options_quote(said, why, strlen(why)), all);
	}
	if (!match.word_count)
		return options_refuse(line->error, "option --%s needs a value: %s", row->name, row->value);
	line->options->words = value;
	return 0;
}

static int apply_max_sessions(struct command_line *line, const struct option_row *row, const char *value)
{
	size_t length = strlen(value);
	char quoted[QUOTE_SIZE];
	uint64_t number;

	if (!decimal_read(value, length, MAX_SESSIONS_LIMIT, &number) || number == 0)
		return options_refuse(line->error, "wrong --%s '%s': a whole number from 1 to %d", row->name,
		    options_quote(quoted, value, length), MAX_SESSIONS_LIMIT);
	line->options->max_sessions = number;
	return 0;
}

static int apply_max_series(struct command_line *line, const struct option_row *row, const char *value)
{
	size_t length = strlen(value);
	char quoted[QUOTE_SIZE];
	uint64_t number;

	if (!decimal_read(value, length, MAX_SERIES_LIMIT, &number) || number == 0)
		return options_refuse(line->error, "wrong --%s '%s': a whole number from 1 to %d", row->name,
		    options_quote(quoted, value, length), MAX_SERIES_LIMIT);
	line->options->max_series = (uint32_t)number;
	return 0;
}

static int apply_max_overhead(struct command_line *line, const struct option_row *row, const char *value)
{
	char quoted[QUOTE_SIZE];
	uint64_t ppm;

	if (!decimal_read_parts(value, COST_PPM_OF_PERCENT, 100 * COST_PPM_OF_PERCENT, &ppm) || ppm == 0)
		return options_refuse(line->error, "wrong --%s '%s': percent of one processor, 0.0001 to 100",
		    row->name, options_quote(quoted, value, strlen(value)));
	line->options->max_overhead_ppm = (uint32_t)ppm;
	return 0;
}

static int apply_threshold(struct command_line *line, const struct option_row *row, const char *value)
{
	size_t length = strlen(value);
	char quoted[QUOTE_SIZE];

	if (!decimal_read(value, length, INT64_MAX, &line->options->series_threshold_bytes))
		return options_refuse(line->error, "wrong --%s '%s': a whole number of bytes", row->name,
		    options_quote(quoted, value, length));
	return 0;
}

static int compare_pids(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return COMPARE(left, right);
}

static void sort_pids(struct options *options)
{
	size_t unique = 1;

	qsort(options->pids, options->pid_count, sizeof *options->pids, compare_pids);
	for (size_t i = 1; i < options->pid_count; i++) {
		if (options->pids[i] != options->pids[unique - 1])
			options->pids[unique++] = options->pids[i];
	}
	options->pid_count = unique;
}

/* A repeated -p adds to the list. */
static int apply_pid(struct command_line *line, const struct option_row *row, const char *value)
{
	struct options *options = line->options;
	size_t items = 1;
	uint32_t *pids;

	for (const char *comma = value; (comma = strchr(comma, ',')) != NULL; comma++)
		items++;
	pids = reallocarray(options->pids, options->pid_count + items, sizeof *pids);
	if (!pids)
		return error_set(line->error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory: %zu PIDs", items);
	options->pids = pids;
	for (const char *item = value; items > 0; items--) {
		size_t length = strcspn(item, ",");
		char quoted[QUOTE_SIZE];
		uint64_t pid;

		if (!decimal_read(item, length, PID_LIMIT, &pid) || pid == 0)
			return options_refuse(line->error,
			    "wrong PID '%s' in --%s: whole numbers from 1 to %d, with commas",
			    options_quote(quoted, item, length), row->name, PID_LIMIT);
		pids[options->pid_count++] = pid;
		item += length + 1;
	}
	sort_pids(options);
	return 0;
}

static int apply_columns(struct command_line *line, const struct option_row *row, const char *value)
{
	(void)row;
	line->options->screen.columns_given = true;
	return column_parse_list(&line->options->screen.columns, value, line->error);
}

static int apply_sort(struct command_line *line, const struct option_row *row, const char *value)
{
	(void)row;
	line->options->screen.sort_given = true;
	return column_parse_sort(&line->options->screen.sort, value, line->error);
}

static int apply_color(struct command_line *line, const struct option_row *row, const char *value)
{
	(void)row;
	return color_parse(&line->options->screen.color, value, line->error);
}

#define MEMBER(name) .offset = offsetof(struct options, name)

static bool columns_measure(const struct options *options)
{
	return column_list_needs(&options->screen.columns) & COLUMN_NEEDS_SOCKET;
}

static bool sort_measures(const struct options *options)
{
	const struct column *column = options->screen.sort.column;

	return column && (column->needs & COLUMN_NEEDS_SOCKET);
}

/* An option is refused where it has no effect: options.c, check_effects. */
#define RUN (1U << ACTION_RUN)
#define REPLAY (1U << ACTION_REPLAY)
#define EBPF (1U << ACTION_PRINT_PROGRAM)
#define CHECK (1U << ACTION_CHECK)
#define DIAGNOSE (1U << ACTION_DIAGNOSE)
#define ALWAYS ~0U
/* What changes no program text, but is accepted with --ebpf since bcc's tcptop takes it: one adds --ebpf to a line. */
#define EBPF_AS_BCC EBPF

/* clang-format off */
const struct option_row option_rows[] = {
	{ "help", NULL, "show this help and exit",
	  apply_action, .number = ACTION_HELP, .letter = 'h', .actions = ALWAYS },
	{ "version", NULL, "show the version and exit",
	  apply_action, .number = ACTION_VERSION, .letter = 'V', .actions = ALWAYS },
	{ "noclear", NULL, "print the classic text instead of redrawing a screen,\nthe same as -o text",
	  apply_noclear, .letter = 'C', .actions = RUN | REPLAY | CHECK | DIAGNOSE | EBPF_AS_BCC },
	{ "nosummary", NULL, "leave out the summary line, on the screen what it says: time\nand load averages",
	  apply_flag, MEMBER(no_summary), .letter = 'S',
	  .actions = RUN | REPLAY | EBPF_AS_BCC, .outputs = { &renderer_screen, &renderer_text } },
	{ "pid", "PID", "only these processes (thread group ids): one PID or several\n"
	  "with commas; a repeated option adds to the list",
	  apply_pid, .letter = 'p', .actions = RUN | REPLAY | DIAGNOSE | EBPF },
	{ "cgroup", "PATH", "only tasks in this cgroup (v2) or below it",
	  apply_condition, .actions = RUN | DIAGNOSE | EBPF },
	{ "unit", "NAME", "only tasks of this unit of systemd's: nginx.service",
	  apply_condition, .actions = RUN | DIAGNOSE | EBPF },
	{ "container", "NAME|ID", "only tasks in this container: webshop, docker:webshop, 6 digits or\n"
	  "more of its id",
	  apply_condition, .actions = RUN | DIAGNOSE | EBPF },
	{ "pod", "[NAMESPACE/]NAME|UID", "only tasks in this pod of Kubernetes",
	  apply_condition, .actions = RUN | DIAGNOSE | EBPF },
	{ "uid", "USER", "only tasks of this user: a name or a number",
	  apply_condition, .actions = RUN | DIAGNOSE | EBPF },
	{ "comm", "NAME", "only processes of this name, of which the kernel keeps 15 bytes",
	  apply_condition, .actions = RUN | DIAGNOSE | EBPF },
	{ "port", "LIST", "only connections with such a port at either end: 443,8000-8999",
	  apply_condition, .actions = RUN | DIAGNOSE | EBPF },
	{ "lport", "LIST", "the same for the local port",
	  apply_condition, .actions = RUN | DIAGNOSE | EBPF },
	{ "rport", "LIST", "the same for the remote port",
	  apply_condition, .actions = RUN | DIAGNOSE | EBPF },
	{ "host", "ADDRESS[/PREFIX]", "only connections with such an address at either end",
	  apply_condition, .actions = RUN | DIAGNOSE | EBPF },
	{ "netns", "PID|PATH", "only sockets in the network namespace of this process, or of this\n"
	  "file, or of this name of `ip netns`",
	  apply_condition, .actions = RUN | DIAGNOSE | EBPF },
	{ "mntns", "PID|PATH", "only tasks in the mount namespace of this process or file; of these\n"
	  "twelve, several values of one are or, different ones are and, and\n! before a value leaves it out",
	  apply_condition, .actions = RUN | DIAGNOSE | EBPF },
	{ "cgroupmap", "PATH", "only tasks in the cgroups whose ids are keys of this pinned\nBPF hash map (cgroup v2)",
	  apply_filter, .actions = RUN | DIAGNOSE | EBPF },
	{ "mntnsmap", "PATH", "only tasks in the mount namespaces whose inode numbers are\n"
	  "keys of this pinned BPF hash map",
	  apply_filter, .actions = RUN | DIAGNOSE | EBPF },
	{ "ipv4", NULL, "only IPv4; IPv4-mapped IPv6 connections are IPv4",
	  apply_family, .number = 4, .letter = '4', .excludes_next = true, .actions = RUN | REPLAY | DIAGNOSE | EBPF },
	{ "ipv6", NULL, "only IPv6",
	  apply_family, .number = 6, .letter = '6', .actions = RUN | REPLAY | DIAGNOSE | EBPF },
	{ "all", NULL, "all sockets, also those that move nothing: idle, stuck, listening,\nhow each stands, and what it waits for",
	  apply_flag, MEMBER(all), .letter = 'a', .actions = RUN | EBPF,
	  .outputs = { &renderer_screen, &renderer_json, &renderer_csv } },
	{ "connections", NULL, "each connection that has ended: how long it took to connect and\nlived, what it moved, who closed or reset it, and why",
	  apply_flag, MEMBER(connections), .actions = RUN | EBPF,
	  .outputs = { &renderer_screen, &renderer_json } },
	{ "strict", NULL, "end with 6 if bytes that were counted are not those that the sockets'\nsequence numbers tell; sockets are told of, as by -a",
	  apply_flag, MEMBER(strict), .actions = RUN | EBPF,
	  .outputs = { &renderer_screen, &renderer_json, &renderer_csv } },
	{ "max-overhead", "PERCENT", "of one processor: when tracing costs more, passes over sockets are\nleft out, intervals become longer; if neither helps it ends with 7",
	  apply_max_overhead, MEMBER(max_overhead_ppm), .actions = RUN },
	{ "filter", "WORDS", "only connections that match all words, as on the screen: a program,\n"
	  "PID, port, address or network, container id; !WORD leaves out, as\n"
	  "!local what stays on this host; port:443 looks in one field, of",
	  apply_words, .more_help = match_fields, .actions = RUN | REPLAY | DIAGNOSE },
	{ "probe", NULL, "how to hook into the kernel; auto (default) takes the first\n"
	  "of the others that works",
	  apply_probe, .choice = probe_choice, .actions = RUN | CHECK | DIAGNOSE | EBPF },
	{ "no-splice", NULL, "do without what is spliced out of sockets, where that takes a program at\neach receive: events cost two tenths less",
	  apply_flag, MEMBER(no_splice), .actions = RUN | DIAGNOSE | EBPF },
	{ "output", NULL, "what to show: a full screen (default on a terminal), the\n"
	  "classic text (default elsewhere), JSON Lines, CSV for spreadsheets,\nor metrics for Prometheus",
	  apply_output, .choice = output_choice, .letter = 'o', .actions = RUN | REPLAY | CHECK | DIAGNOSE | EBPF },
	{ "output-file", "PATH", "append to this file instead of printing; it is opened anew on\n"
	  "SIGUSR1, as logrotate wants it",
	  apply_path, MEMBER(output_path), .actions = RUN | REPLAY | DIAGNOSE,
	  .outputs = { &renderer_text, &renderer_json, &renderer_csv, &renderer_openmetrics } },
	{ "textfile", "PATH", "keep metrics in this file for node_exporter's textfile collector;\n"
	  "nothing is shown beside it without -o",
	  apply_path, MEMBER(textfile_path), .actions = RUN },
	{ "max-series", "N", "how many sets of labels get metrics of their own (default 200); what\n"
	  "others move is summed up",
	  apply_max_series, MEMBER(max_series), .actions = RUN | REPLAY,
	  .outputs = { &renderer_openmetrics, &renderer_textfile } },
	{ "series-threshold", "BYTES", "how much they have to move in an interval first (default 10000)",
	  apply_threshold, MEMBER(series_threshold_bytes), .actions = RUN | REPLAY,
	  .outputs = { &renderer_openmetrics, &renderer_textfile } },
	{ "max-sessions", "N", "connections that an interval can list (default 65536, up\n"
	  "to 16777216); the bytes of others are still counted",
	  apply_max_sessions, MEMBER(max_sessions), .actions = RUN | CHECK | DIAGNOSE | EBPF },
	{ "no-cache", NULL, "compile the BPF program anew, and do not keep it: by default\nthe next start takes it from " TCPTOP_CACHE_DIRECTORY,
	  apply_flag, MEMBER(compiles_anew), .actions = RUN | DIAGNOSE },
	{ "columns", "LIST", "the screen's columns, with commas (rtt and retrans cost time per\n"
	  "event and are in JSON, too), of",
	  apply_columns, .more_help = column_ids,
	  .actions = RUN | REPLAY, .outputs = { &renderer_screen }, .measures = columns_measure },
	{ "sort", "COLUMN[:asc|:desc]", "the screen's order (default: throughput, the highest first)",
	  apply_sort, .actions = RUN | REPLAY, .outputs = { &renderer_screen }, .measures = sort_measures },
	{ "color", "auto|always|never", "colours on the screen; NO_COLOR in the environment means never",
	  apply_color, .actions = RUN | REPLAY, .outputs = { &renderer_screen } },
	{ "mouse", NULL, "take clicks and the wheel on the screen",
	  apply_flag, MEMBER(screen.mouse), .actions = RUN | REPLAY, .outputs = { &renderer_screen } },
	{ "no-final", NULL, "leave nothing on the terminal when the screen is quit",
	  apply_flag, MEMBER(screen.no_final), .actions = RUN | REPLAY, .outputs = { &renderer_screen } },
	{ "no-settings", NULL, "do not read the settings that the screen's key W has written",
	  apply_flag, MEMBER(no_settings), .actions = RUN | REPLAY, .outputs = { &renderer_screen } },
	{ "host-root", "PATH", "in a container: the host's root is mounted at this directory, which\n"
	  "names of users, services, cgroups and containers are looked up in",
	  apply_host_root, .actions = RUN | DIAGNOSE | EBPF },
	{ "replay", "FILE", "show a recording (made with -o json) instead of this host;\n- is standard input",
	  apply_path, MEMBER(replay_path), .actions = REPLAY | DIAGNOSE },
	{ "diagnose", NULL, "say what connections wait for, and what is wrong with sockets, in ten\nsentences at most, the weightiest first; interval is the time that\nis looked at (default 2 s), count how often (default 1); of a\nrecording (--replay) all of it is, or each such part",
	  apply_action, .number = ACTION_DIAGNOSE, .actions = DIAGNOSE | REPLAY },
	{ "check", NULL, "count known bytes on every data path and compare: are the numbers\nright on this host?",
	  apply_action, .number = ACTION_CHECK, .actions = CHECK },
	{ "ebpf", NULL, "print the BPF program text that would be compiled and exit",
	  apply_action, .number = ACTION_PRINT_PROGRAM, .actions = EBPF },
	{ "verbose", NULL, "tell on standard error what is tried, taken and used",
	  apply_flag, MEMBER(verbose), .letter = 'v', .actions = RUN | CHECK | DIAGNOSE | EBPF },
};
/* clang-format on */

const size_t option_count = COUNT_OF(option_rows);
_Static_assert(COUNT_OF(option_rows) <= OPTIONS_MAX, "arrays beside option_rows[] have room for all");
