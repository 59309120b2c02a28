/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/error.h"
#include "base/util.h"
#include "kernel/condition_kinds.h"
#include "kernel/condition_left.h"
#include "options_table.h"
#include "renderers.h"
#include "table/words.h"

#define INTERVAL_MIN_NS (NS_PER_S / 100)
#define INTERVAL_MAX_NS (31536000 * NS_PER_S)
#define COUNT_MAX UINT64_C(1000000000000000000)
#define DIAGNOSE_DEFAULT_NS (2 * NS_PER_S)
#define DIAGNOSE_ALL_NS UINT64_MAX /* of a recording, however long it is */
#define LONG_BASE 256              /* getopt_long's value for the long form of options[i] is LONG_BASE + i */

static bool parse_seconds(const char *text, uint64_t *interval_ns)
{
	return decimal_read_parts(text, NS_PER_S, INTERVAL_MAX_NS, interval_ns) &&
	       *interval_ns >= INTERVAL_MIN_NS;
}

static bool takes_value(const struct option_row *row)
{
	return row->value || row->choice;
}

static void build_getopt_tables(char *letters, struct option *longs)
{
	*letters++ = ':'; /* a missing value is told from an unknown option */
	for (size_t i = 0; i < option_count; i++) {
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
	memset(&longs[option_count], 0, sizeof *longs);
}

/* The row of what getopt_long returned or left in optopt; NULL: no such option. */
static const struct option_row *find_row(int value)
{
	if (value >= LONG_BASE)
		return &option_rows[value - LONG_BASE];
	for (size_t i = 0; value > 0 && i < option_count; i++) {
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
		return options_refuse(error, "option --%s needs a value: %s", row->name,
		    option_value(row, value, sizeof value));
	if (row)
		return options_refuse(error, "option --%s takes no value", row->name);
	if (optopt)
		return options_refuse(error, "unknown option '-%s'", options_quote(quoted, letter, 1));
	argument += strspn(argument, "-");
	length = strcspn(argument, "=") ? strcspn(argument, "=") : strlen(argument);
	options_quote(quoted, argument, length);
	for (size_t i = 0; length > 0 && i < option_count; i++) {
		if (strncmp(option_rows[i].name, argument, length) == 0)
			return options_refuse(error, "ambiguous option '--%s': write it in full", quoted);
	}
	return options_refuse(error, "unknown option '--%s'", quoted);
}

static int parse_positional(struct options *options, char **arguments, int count, struct error *error)
{
	char quoted[QUOTE_SIZE];

	if (options->action == ACTION_DIAGNOSE) {
		options->interval_ns = options->replay_path ? DIAGNOSE_ALL_NS : DIAGNOSE_DEFAULT_NS;
		options->count = options->replay_path ? 0 : 1;
	}
	if (count > 0 && !parse_seconds(arguments[0], &options->interval_ns))
		return options_refuse(error,
		    "wrong interval '%s': seconds from 0.01 to 31536000, such as 1 or 0.5",
		    options_quote(quoted, arguments[0], strlen(arguments[0])));
	if (count > 1 && (!decimal_read(arguments[1], strlen(arguments[1]), COUNT_MAX, &options->count) ||
	                     options->count == 0))
		return options_refuse(error, "wrong count '%s': a whole number from 1 to %" PRIu64,
		    options_quote(quoted, arguments[1], strlen(arguments[1])), COUNT_MAX);
	if (count > 2)
		return options_refuse(error, "'%s' is one argument too many: they are interval and count",
		    options_quote(quoted, arguments[2], strlen(arguments[2])));
	return 0;
}

/* A file of metrics is kept in the background: nothing is shown beside it but what is asked for. */
static const struct renderer *default_renderer(const struct command_line *line, bool stdout_is_terminal)
{
	const struct options *options = line->options;

	if (line->noclear || options->output_path)
		return &renderer_text;
	if (options->textfile_path)
		return &renderer_textfile;
	return stdout_is_terminal ? &renderer_screen : &renderer_text;
}

/* The forms that the self-test and --diagnose have: they are not those of the traffic. */
static bool has_own_forms(enum action action)
{
	return action == ACTION_CHECK || action == ACTION_DIAGNOSE;
}

/* -C is -o text: it contradicts the other outputs, in whatever order they stand. */
static int resolve_output(const struct command_line *line, bool stdout_is_terminal)
{
	struct options *options = line->options;
	const struct renderer *asked = options->renderer;

	if (line->noclear && asked && asked != &renderer_text)
		return options_refuse(line->error, "-C is -o text: it cannot stand with -o %s", asked->name);
	options->renderer_is_default = !asked && !line->noclear;
	if (!asked)
		options->renderer = default_renderer(line, stdout_is_terminal);
	if (has_own_forms(options->action) && asked && asked != &renderer_text && asked != &renderer_json)
		return options_refuse(line->error, "-o %s has no effect with --%s", asked->name,
		    options->action == ACTION_CHECK ? "check" : "diagnose");
	if (options->action == ACTION_DIAGNOSE)
		options->renderer = asked == &renderer_json ? &renderer_diagnose_json : &renderer_diagnose;
	if (options->renderer->full_screen && !stdout_is_terminal && options->action == ACTION_RUN)
		return options_refuse(
		    line->error, "-o screen: standard output is not a terminal; use -o text or -o json");
	return 0;
}

static bool has_output(const struct option_row *row, const struct options *options)
{
	if (!row->outputs[0])
		return true;
	for (size_t i = 0; i < COUNT_OF(row->outputs) && row->outputs[i]; i++)
		if (row->outputs[i] == options->renderer ||
		    (row->outputs[i] == &renderer_textfile && options->textfile_path))
			return true;
	return false;
}

/* The other option with which this one has no effect; NULL: it has one. */
static const char *without_effect(const struct options *options, const struct option_row *row)
{
	static const char *const names[] = {
		[ACTION_REPLAY] = "--replay",
		[ACTION_PRINT_PROGRAM] = "--ebpf",
		[ACTION_CHECK] = "--check",
		[ACTION_DIAGNOSE] = "--diagnose",
	};
	enum action action = options->action;

	if (action == ACTION_DIAGNOSE_RECORDING)
		action = row->actions & 1U << ACTION_REPLAY ? ACTION_DIAGNOSE : ACTION_REPLAY;
	bool shows = action == ACTION_RUN || action == ACTION_REPLAY; /* else there is no form of output */
	bool measured = row->measures && row->measures(options);

	if (measured &&
	    (action == ACTION_PRINT_PROGRAM || (action == ACTION_RUN && options->renderer == &renderer_json)))
		return NULL;
	if (!(row->actions & 1U << action))
		return names[action];
	return shows && !has_output(row, options) ? "-o" : NULL;
}

#define SAID_SIZE 32

/* The form of output as it would be asked for. */
static const char *output_said(const struct options *options, char said[SAID_SIZE])
{
	if (options->renderer == &renderer_textfile)
		return "--textfile alone";
	snprintf(said, SAID_SIZE, "-o %s", options->renderer->name);
	return said;
}

/* Every option that was given does something: what would be ignored is refused. */
static int check_effects(const struct command_line *line)
{
	const struct options *options = line->options;
	char said[SAID_SIZE];

	for (size_t i = 0; i < option_count; i++) {
		const char *other = line->given[i] ? without_effect(options, &option_rows[i]) : NULL;

		if (!other)
			continue;
		if (strcmp(other, "-o") != 0)
			return options_refuse(
			    line->error, "--%s has no effect with %s", option_rows[i].name, other);
		return options_refuse(line->error, "--%s has no effect with %s%s", option_rows[i].name,
		    output_said(options, said),
		    options->renderer_is_default && options->renderer == &renderer_text
		        ? ", the default where standard output is no terminal"
		        : "");
	}
	return 0;
}

/* The same for the arguments. A recording has its intervals: there the first only stands before the second. */
static int check_positional_effects(const struct options *options, int count, struct error *error)
{
	if (count > 0 && options->action == ACTION_CHECK)
		return options_refuse(error, "interval and count have no effect with --check");
	if (count == 1 && options->action == ACTION_REPLAY)
		return options_refuse(error, "interval has no effect with --replay, but before a count");
	return 0;
}

int options_check_words(const struct options *options, struct error *error)
{
	char said[SAID_SIZE];
	struct match match;

	if (options->words && options->textfile_path && options->renderer->full_screen)
		return options_refuse(error, "--filter is the screen's own with -o screen: --textfile would "
		                             "have what it leaves out, too");
	if (!options->words || options->renderer->full_screen)
		return 0;
	if (options->connections)
		return options_refuse(error,
		    "--filter is not asked about --connections with %s: choose them by -p, --port, --cgroup "
		    "and their like",
		    output_said(options, said));
	match_set(&match, options->words);
	if (match_needs_host_names(&match))
		return options_refuse(error,
		    "host names are on the screen alone: with %s, host: of --filter takes an address or a "
		    "network",
		    output_said(options, said));
	if (match.of_sockets &&
	    (options->action == ACTION_DIAGNOSE || options->action == ACTION_DIAGNOSE_RECORDING))
		return options_refuse(error,
		    "state: and why: of --filter would choose what --diagnose finds, and hide the other end: "
		    "leave them out");
	if (match.of_sockets && options->action == ACTION_RUN && !options_tell_sockets(options))
		return options_refuse(
		    error, "state: and why: of --filter need -a with %s", output_said(options, said));
	return 0;
}

int options_parse(
    struct options *options, int argc, char **argv, bool stdout_is_terminal, struct error *error)
{
	struct command_line line = { .options = options, .error = error };
	char letters[2 * OPTIONS_MAX + 2];
	struct option longs[OPTIONS_MAX + 1];
	int found, err;

	*options = (struct options){ .interval_ns = NS_PER_S,
		.max_sessions = MAX_SESSIONS_DEFAULT,
		.max_sockets = MAX_SOCKETS_DEFAULT,
		.max_series = MAX_SERIES_DEFAULT,
		.series_threshold_bytes = SERIES_THRESHOLD_BYTES_DEFAULT,
		.host_root = "" };
	screen_options_init(&options->screen);
	build_getopt_tables(letters, longs);
	opterr = 0;
	optind = 0; /* glibc: begin anew, also after an earlier call */
	while ((found = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct option_row *row = find_row(found);

		if (!row)
			return refuse_option(error, found, argv[optind - 1]);
		line.given[row - option_rows] = true;
		err = row->apply(&line, row, optarg);
		if (err)
			return err;
		if (options->action == ACTION_HELP || options->action == ACTION_VERSION)
			return 0;
	}
	err = parse_positional(options, argv + optind, argc - optind, error);
	err = err ?: resolve_output(&line, stdout_is_terminal);
	if (options->action == ACTION_RUN && options->replay_path)
		options->action = ACTION_REPLAY;
	if (options->action == ACTION_DIAGNOSE && options->replay_path)
		options->action = ACTION_DIAGNOSE_RECORDING;
	err = err ?: check_effects(&line);
	err = err ?: options_check_words(options, error);
	return err ?: check_positional_effects(options, argc - optind, error);
}

void options_fini(struct options *options)
{
	free(options->pids);
	options->pids = NULL;
	options->pid_count = 0;
	free(options->conditions);
	options->conditions = NULL;
	options->condition_count = 0;
}

/* The output shows it, or its filter asks for it. */
static bool needs_accepted(const struct options *options)
{
	struct match match;

	match_set(&match, options->words ? options->words : "");
	return options->renderer->shows_more || options->renderer->shows_accepted ||
	       match_needs_accepted(&match);
}

bool options_need_names(const struct options *options)
{
	return options->renderer->shows_more || options->renderer->shows_names || options->textfile_path ||
	       options->words;
}

bool options_tell_sockets(const struct options *options)
{
	return options->all || options->strict || options->action == ACTION_DIAGNOSE ||
	       (screen_options_needs(&options->screen) & COLUMN_NEEDS_SOCKET);
}

int options_program(struct program_request *request, struct conditions *conditions,
    const struct options *options, struct error *error)
{
	int err = 0;

	for (size_t i = 0; i < options->condition_count && !err; i++)
		err = conditions_add(
		    conditions, options->conditions[i].kind, options->conditions[i].value, error);
	int family = options->family;

	err = err ?: conditions_check(conditions, &family, error);
	*request = (struct program_request){
		.pids = options->pids,
		.pid_count = options->pid_count,
		.family = family,
		.conditions = *conditions,
		.max_sessions = options->max_sessions,
		.no_splice = options->no_splice,
		.ends = options->renderer->shows_more,
		.accepted = needs_accepted(options),
		.cgroups = options_need_names(options),
		.max_sockets =
		    options_tell_sockets(options) || options->renderer->shows_more ? options->max_sockets : 0,
		.lives = options->connections || options->strict || options->renderer->full_screen ||
		         options->action == ACTION_DIAGNOSE,
	};

	for (size_t i = 0; i < filter_count; i++)
		if (options->filter_paths[i])
			request->filters |= 1U << i;
	return err;
}
