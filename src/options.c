/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/escape.h"
#include "base/util.h"
#include "options_table.h"
#include "renderers.h"

#define INTERVAL_MIN_NS (NS_PER_S / 100)
#define INTERVAL_MAX_NS (31536000 * NS_PER_S)
#define COUNT_MAX UINT64_C(1000000000000000000)
#define PID_LIMIT 4194304 /* PID_MAX_LIMIT of 64-bit kernels */
#define MAX_SESSIONS_LIMIT 16777216
#define QUOTE_COLUMNS 60 /* of a wrong value, in an error */
#define QUOTE_SIZE (QUOTE_COLUMNS + 1)
#define LONG_BASE 256 /* getopt_long's value for the long form of options[i] is LONG_BASE + i */

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

/* Returns -EINVAL. Whatever stands in quotes in the text has been through quote(). */
__attribute__((format(printf, 2, 3))) static int usage_error(struct error *error, const char *format, ...)
{
	char cause[400];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(cause, sizeof cause, format, arguments);
	va_end(arguments);
	return error_set(error, EXIT_CODE_USAGE, -EINVAL, "%s\ntry 'tcptop --help'", cause);
}

static const char *quote(char buffer[QUOTE_SIZE], const char *text, size_t length)
{
	escape_text(buffer, QUOTE_SIZE, text, length, QUOTE_COLUMNS, false);
	return buffer;
}

/* strtoull accepts spaces, signs and other bases. This takes decimal digits only, and the whole string. */
static bool parse_number(const char *text, size_t length, uint64_t max, uint64_t *number)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned digit = (unsigned char)text[i] - '0';

		if (digit > 9 || sum > (max - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	*number = sum;
	return length > 0;
}

/* Decimal seconds, independent of the locale. Digits beyond the nanosecond are dropped. */
static bool parse_seconds(const char *text, uint64_t *interval_ns)
{
	size_t whole_length = strspn(text, "0123456789");
	const char *fraction = text + whole_length;
	uint64_t seconds = 0, fraction_ns = 0;

	if (whole_length > 0 && !parse_number(text, whole_length, INTERVAL_MAX_NS / NS_PER_S, &seconds))
		return false;
	if (*fraction == '.') {
		size_t length = strspn(++fraction, "0123456789");
		uint64_t unit_ns = NS_PER_S / 10;

		if (whole_length + length == 0 || fraction[length] != '\0')
			return false;
		for (; *fraction; fraction++, unit_ns /= 10)
			fraction_ns += (*fraction - '0') * unit_ns;
	} else if (whole_length == 0 || *fraction != '\0') {
		return false;
	}
	*interval_ns = seconds * NS_PER_S + fraction_ns;
	return *interval_ns >= INTERVAL_MIN_NS && *interval_ns <= INTERVAL_MAX_NS;
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
		return usage_error(
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
	return usage_error(line->error, "wrong --%s '%s': it is one of %s", row->name,
	    quote(quoted, value, strlen(value)), option_value(row, all, sizeof all));
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
		return usage_error(line->error, "option --%s needs a value: %s", row->name, row->value);
	*(const char **)member_of(line, row) = value;
	return 0;
}

static int apply_filter(struct command_line *line, const struct option_row *row, const char *value)
{
	if (*value == '\0')
		return usage_error(line->error, "option --%s needs a value: %s", row->name, row->value);
	line->options->filter_paths[filter_find(row->name)] = value;
	return 0;
}

static int apply_max_sessions(struct command_line *line, const struct option_row *row, const char *value)
{
	size_t length = strlen(value);
	char quoted[QUOTE_SIZE];
	uint64_t number;

	if (!parse_number(value, length, MAX_SESSIONS_LIMIT, &number) || number == 0)
		return usage_error(line->error, "wrong --%s '%s': a whole number from 1 to %d", row->name,
		    quote(quoted, value, length), MAX_SESSIONS_LIMIT);
	line->options->max_sessions = number;
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

		if (!parse_number(item, length, PID_LIMIT, &pid) || pid == 0)
			return usage_error(line->error,
			    "wrong PID '%s' in --%s: whole numbers from 1 to %d, with commas",
			    quote(quoted, item, length), row->name, PID_LIMIT);
		pids[options->pid_count++] = pid;
		item += length + 1;
	}
	sort_pids(options);
	return 0;
}

static int apply_columns(struct command_line *line, const struct option_row *row, const char *value)
{
	(void)row;
	return column_parse_list(&line->options->screen.columns, value, line->error);
}

static int apply_sort(struct command_line *line, const struct option_row *row, const char *value)
{
	(void)row;
	return column_parse_sort(&line->options->screen.sort, value, line->error);
}

static int apply_color(struct command_line *line, const struct option_row *row, const char *value)
{
	(void)row;
	return color_parse(&line->options->screen.color, value, line->error);
}

#define MEMBER(name) .offset = offsetof(struct options, name)

/* clang-format off */
const struct option_row option_rows[] = {
	{ "help", NULL, "show this help and exit",
	  apply_action, .number = ACTION_HELP, .letter = 'h' },
	{ "version", NULL, "show the version and exit",
	  apply_action, .number = ACTION_VERSION, .letter = 'V' },
	{ "noclear", NULL, "print the classic text instead of redrawing a screen,\nthe same as -o text",
	  apply_noclear, .letter = 'C' },
	{ "nosummary", NULL, "leave out the summary line (time and load averages)",
	  apply_flag, MEMBER(no_summary), .letter = 'S' },
	{ "pid", "PID", "only these processes (thread group ids): one PID or several\n"
	  "with commas; a repeated option adds to the list",
	  apply_pid, .letter = 'p' },
	{ "cgroupmap", "PATH", "only tasks in the cgroups whose ids are keys of this pinned\nBPF hash map (cgroup v2)",
	  apply_filter, .letter = 0 },
	{ "mntnsmap", "PATH", "only tasks in the mount namespaces whose inode numbers are\n"
	  "keys of this pinned BPF hash map",
	  apply_filter, .letter = 0 },
	{ "ipv4", NULL, "only IPv4; IPv4-mapped IPv6 connections are IPv4",
	  apply_family, .number = 4, .letter = '4', .excludes_next = true },
	{ "ipv6", NULL, "only IPv6",
	  apply_family, .number = 6, .letter = '6' },
	{ "probe", NULL, "how to hook into the kernel; auto (default) takes the first\n"
	  "of the others that works",
	  apply_probe, .choice = probe_choice },
	{ "output", NULL, "what to show: a full screen (default on a terminal), the\n"
	  "classic text (default elsewhere) or JSON Lines",
	  apply_output, .choice = output_choice, .letter = 'o' },
	{ "max-sessions", "N", "sessions that an interval can list (default 65536, up to\n"
	  "16777216); the bytes of others are still counted",
	  apply_max_sessions, MEMBER(max_sessions) },
	{ "columns", "LIST", "the screen's columns, with commas (rtt and retrans cost time per\nevent), of",
	  apply_columns, .more_help = column_ids },
	{ "sort", "COLUMN[:asc|:desc]", "the screen's order (default: throughput, the highest first)",
	  apply_sort, .letter = 0 },
	{ "color", "auto|always|never", "colours on the screen; NO_COLOR in the environment means never",
	  apply_color, .letter = 0 },
	{ "no-final", NULL, "leave nothing on the terminal when the screen is quit",
	  apply_flag, MEMBER(screen.no_final) },
	{ "replay", "FILE", "show a recording (made with -o json) instead of this host;\n- is standard input",
	  apply_path, MEMBER(replay_path) },
	{ "check", NULL, "count known bytes on every data path and compare: are the numbers\nright on this host?",
	  apply_action, .number = ACTION_CHECK },
	{ "ebpf", NULL, "print the BPF program text that would be compiled and exit",
	  apply_action, .number = ACTION_PRINT_PROGRAM },
	{ "verbose", NULL, "tell on standard error what is tried, taken and used",
	  apply_flag, MEMBER(verbose), .letter = 'v' },
};
/* clang-format on */

enum { OPTION_ROWS = COUNT_OF(option_rows) };
const size_t option_count = OPTION_ROWS;

static bool takes_value(const struct option_row *row)
{
	return row->value || row->choice;
}

static void build_getopt_tables(char *letters, struct option *longs)
{
	*letters++ = ':'; /* a missing value is told from an unknown option */
	for (size_t i = 0; i < OPTION_ROWS; i++) {
		const struct option_row *row = &option_rows[i];

		longs[i] = (struct option){ row->name, takes_value(row) ? required_argument : no_argument,
			NULL, LONG_BASE + i };
		if (row->letter) {
			*letters++ = row->letter;
			if (takes_value(row))
				*letters++ = ':';
		}
	}
	*letters = '\0';
	memset(&longs[OPTION_ROWS], 0, sizeof *longs);
}

/* The row of what getopt_long returned or left in optopt; NULL: no such option. */
static const struct option_row *find_row(int value)
{
	if (value >= LONG_BASE)
		return &option_rows[value - LONG_BASE];
	for (size_t i = 0; value > 0 && i < OPTION_ROWS; i++) {
		if (option_rows[i].letter == value)
			return &option_rows[i];
	}
	return NULL;
}

/*
 * getopt_long returned ':' or '?': a value is missing, one stands where none belongs, or the option is
 * unknown or ambiguous. argument: what it looked at.
 */
static int refuse_option(struct error *error, int found, const char *argument)
{
	const struct option_row *row = find_row(optopt);
	char letter[] = { (char)optopt, '\0' };
	char quoted[QUOTE_SIZE], value[VALUE_SIZE];
	size_t length;

	if (row && found == ':')
		return usage_error(error, "option --%s needs a value: %s", row->name,
		    option_value(row, value, sizeof value));
	if (row)
		return usage_error(error, "option --%s takes no value", row->name);
	if (optopt)
		return usage_error(error, "unknown option '-%s'", quote(quoted, letter, 1));
	argument += strspn(argument, "-");
	length = strcspn(argument, "=") ? strcspn(argument, "=") : strlen(argument);
	quote(quoted, argument, length);
	for (size_t i = 0; length > 0 && i < OPTION_ROWS; i++) {
		if (strncmp(option_rows[i].name, argument, length) == 0)
			return usage_error(error, "ambiguous option '--%s': write it in full", quoted);
	}
	return usage_error(error, "unknown option '--%s'", quoted);
}

static int parse_positional(struct options *options, char **arguments, int count, struct error *error)
{
	char quoted[QUOTE_SIZE];

	if (count > 0 && !parse_seconds(arguments[0], &options->interval_ns))
		return usage_error(error,
		    "wrong interval '%s': seconds from 0.01 to 31536000, such as 1 or 0.5",
		    quote(quoted, arguments[0], strlen(arguments[0])));
	if (count > 1 && (!parse_number(arguments[1], strlen(arguments[1]), COUNT_MAX, &options->count) ||
	                     options->count == 0))
		return usage_error(error, "wrong count '%s': a whole number from 1 to %" PRIu64,
		    quote(quoted, arguments[1], strlen(arguments[1])), COUNT_MAX);
	if (count > 2)
		return usage_error(error, "'%s' is one argument too many: they are interval and count",
		    quote(quoted, arguments[2], strlen(arguments[2])));
	return 0;
}

/* -C is -o text: it contradicts the other outputs, in whatever order they stand. */
static int resolve_output(const struct command_line *line, bool stdout_is_terminal)
{
	struct options *options = line->options;
	const struct renderer *asked = options->renderer;

	if (line->noclear && asked && asked != &renderer_text)
		return usage_error(line->error, "-C is -o text: it cannot stand with -o %s", asked->name);
	options->renderer_is_default = !asked && !line->noclear;
	if (!asked)
		options->renderer = stdout_is_terminal && !line->noclear ? &renderer_screen : &renderer_text;
	if (options->renderer->full_screen && !stdout_is_terminal && options->action == ACTION_RUN)
		return usage_error(
		    line->error, "-o screen: standard output is not a terminal; use -o text or -o json");
	return 0;
}

/* Rows of a recording have a PID and a family; what else chooses or counts takes place in the kernel. */
static int check_replay(const struct options *options, struct error *error)
{
	const char *other = options->probe != PROBE_AUTO              ? "probe"
	                    : options->action == ACTION_CHECK         ? "check"
	                    : options->action == ACTION_PRINT_PROGRAM ? "ebpf"
	                                                              : NULL;

	for (size_t i = filter_count; i-- > 0;)
		if (options->filter_paths[i])
			other = filters[i].option;
	if (!options->replay_path || !other)
		return 0;
	return usage_error(error, "--replay shows a recording: --%s cannot stand with it", other);
}

int options_parse(
    struct options *options, int argc, char **argv, bool stdout_is_terminal, struct error *error)
{
	struct command_line line = { .options = options, .error = error };
	char letters[2 * OPTION_ROWS + 2];
	struct option longs[OPTION_ROWS + 1];
	int found, err;

	*options = (struct options){ .interval_ns = NS_PER_S, .max_sessions = MAX_SESSIONS_DEFAULT };
	screen_options_init(&options->screen);
	build_getopt_tables(letters, longs);
	opterr = 0;
	optind = 0; /* glibc: begin anew, also after an earlier call */
	while ((found = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct option_row *row = find_row(found);

		if (!row)
			return refuse_option(error, found, argv[optind - 1]);
		err = row->apply(&line, row, optarg);
		if (err)
			return err;
		if (options->action == ACTION_HELP || options->action == ACTION_VERSION)
			return 0;
	}
	err = parse_positional(options, argv + optind, argc - optind, error);
	err = err ? err : check_replay(options, error);
	if (err)
		return err;
	err = resolve_output(&line, stdout_is_terminal);
	if (options->action == ACTION_RUN && options->replay_path)
		options->action = ACTION_REPLAY;
	return err;
}

void options_fini(struct options *options)
{
	free(options->pids);
	options->pids = NULL;
	options->pid_count = 0;
}

struct program_request options_program(const struct options *options)
{
	struct program_request request = {
		.pids = options->pids,
		.pid_count = options->pid_count,
		.family = options->family,
		.max_sessions = options->max_sessions,
		.socket_columns = screen_options_needs(&options->screen) & COLUMN_NEEDS_SOCKET,
	};

	for (size_t i = 0; i < filter_count; i++)
		if (options->filter_paths[i])
			request.filters |= 1U << i;
	return request;
}
