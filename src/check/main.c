/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcptop-check: moves exactly known bytes through every data path on this host's loopback, has tcptop count them with
 * each probe method that works here, and says where the count is not the truth. `tcptop --check` executes it.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/descriptors.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/pid_namespace.h"
#include "base/sibling.h"
#include "base/util.h"
#include "check/counter.h"
#include "check/judge.h"
#include "check/moves.h"
#include "check/side.h"
#include "kernel/method.h"
#include "model/snapshot.h"
#include "output/recording.h"

/* Paths whose sockets are older than the tracing, calls among them that wait when it starts. */
static const struct earlier {
	const char *id, *path, *title, *excused;
} earlier_paths[] = {
	{ "blocked_recv_earlier", "blocked_recv", "a receive that waited when tracing started",
	    "call_before_start" },
	{ "blocked_send_earlier", "blocked_send", "a send that waited when tracing started",
	    "call_before_start" },
	{ "splice_out_earlier", "splice_out", "splice out of a socket older than the tracing", "" },
	{ "zerocopy_earlier", "zerocopy_mapped", "TCP_ZEROCOPY_RECEIVE on a socket older than the tracing",
	    "" },
};

static const char *const verdict_names[VERDICTS] = {
	[VERDICT_EXACT] = "exact",
	[VERDICT_WRONG] = "wrong",
	[VERDICT_NOT_COUNTED] = "not counted",
	[VERDICT_SKIPPED] = "skipped",
	[VERDICT_FAILED] = "failed",
};

enum { EXIT_READER_GONE = -1 };

/* The comparison by one method. */
struct comparison {
	struct launcher *launcher;
	const char *method, *release; /* of the kernel */
	bool json, verbose;
	unsigned counts[VERDICTS];
	struct counter counter;
	struct error *error; /* of tcptop, which ends the comparison */
};

/* ---- what is printed ---- */

/* JSON's words are identifiers: "not_counted". */
static const char *json_name(enum verdict verdict)
{
	return verdict == VERDICT_NOT_COUNTED ? "not_counted" : verdict_names[verdict];
}

static void print_text(const struct check_result *result)
{
	printf("%-11s  %-24s ", verdict_names[result->verdict], result->id);
	if (result->verdict == VERDICT_EXACT)
		printf("%s: %" PRIu64 " sent, %" PRIu64 " received\n", result->title, result->tx_bytes,
		    result->rx_bytes);
	else if (result->verdict == VERDICT_WRONG)
		printf("%s: truth %" PRIu64 " sent, %" PRIu64 " received; counted %" PRIu64 " and %" PRIu64
		       ": %s\n",
		    result->title, result->tx_bytes, result->rx_bytes, result->counted_tx_bytes,
		    result->counted_rx_bytes, result->reason);
	else
		printf("%s: %s\n", result->title, result->reason);
}

static void print_json(const char *method, const struct check_result *result)
{
	char title[512], reason[sizeof result->reason * 6];

	escape_json(title, sizeof title, result->title, strnlen(result->title, 80), NULL);
	escape_json(reason, sizeof reason, result->reason, strlen(result->reason), NULL);
	printf("{\"type\":\"check\",\"probe\":\"%s\",\"path\":\"%s\",\"title\":\"%s\",\"result\":\"%s\","
	       "\"tx_bytes\":%" PRIu64 ",\"rx_bytes\":%" PRIu64 ",\"counted_tx_bytes\":%" PRIu64
	       ",\"counted_rx_bytes\":%" PRIu64 ",\"reason\":\"%s\"",
	    method, result->id, title, json_name(result->verdict), result->tx_bytes, result->rx_bytes,
	    result->counted_tx_bytes, result->counted_rx_bytes, reason);
	if (result->missed_runs)
		printf(",\"missed_runs\":%" PRIu64, result->missed_runs);
	if (result->verdict == VERDICT_NOT_COUNTED)
		printf(",\"declared\":\"%s\"", result->declared);
	printf("}\n");
}

/* 0 or -errno with *error: of what has been printed. */
static int flush(struct error *error)
{
	errno = 0;
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : error_set_output(error);
}

static int print_result(struct comparison *comparison, const struct check_result *result)
{
	comparison->counts[result->verdict]++;
	if (comparison->json)
		print_json(comparison->method, result);
	else
		print_text(result);
	return flush(comparison->error);
}

static int print_summary(const struct comparison *comparison)
{
	bool json = comparison->json;

	printf(json ? "{\"type\":\"check_summary\",\"probe\":\"%s\"" : "%s:", comparison->method);
	for (int i = 0; i < VERDICTS; i++)
		if (json)
			printf(",\"%s\":%u", json_name(i), comparison->counts[i]);
		else
			printf("%s %u %s", i ? "," : "", comparison->counts[i], verdict_names[i]);
	printf(json ? "}\n" : "\n\n");
	return flush(comparison->error);
}

/* ---- one method ---- */

/* For the runner when the sockets exist, and alone before there are any. */
static int start_tracing(void *argument)
{
	struct comparison *comparison = argument;

	return counter_start(
	    &comparison->counter, comparison->launcher, comparison->method, comparison->error);
}

/* Whole milliseconds, rounded down, as JSON's times are. */
static int64_t time_ms(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000 + time->tv_nsec / 1000000;
}

/* Adds intervals up to the first that ended after now. Bytes that moved before now are in them. */
static int count(struct comparison *comparison, struct check_result *result)
{
	struct snapshot snapshot;
	struct timespec now;
	int err;

	clock_gettime(CLOCK_REALTIME, &now);
	snapshot_init(&snapshot);
	do {
		snapshot_reset(&snapshot);
		err = counter_next(&comparison->counter, &snapshot, comparison->error);
		if (!err)
			judge_add(result, &snapshot);
	} while (!err && time_ms(&snapshot.time) <= time_ms(&now));
	snapshot_fini(&snapshot);
	return err;
}

/*
 * The id under which this run has declared the path; NULL: it has not. Skipped runs may be of any path: they excuse it
 * when some were reported; of kprobes' not all are.
 */
static const char *declared(const struct comparison *comparison, const struct check_result *result,
    const struct path *path, const char *excused_earlier)
{
	size_t spots;
	const char *const *ids = recording_not_counted(comparison->counter.recording, &spots);

	for (size_t i = 0; i < spots; i++) {
		if (strcmp(ids[i], excused_earlier) == 0)
			return ids[i];
		if (strcmp(ids[i], BLIND_SPOT_BUSY) == 0 && result->missed_runs)
			return ids[i];
		if (strcmp(ids[i], BLIND_SPOT_PREEMPTED) == 0 &&
		    (result->missed_runs || strcmp(comparison->method, "kprobe") == 0))
			return ids[i];
		for (size_t j = 0; j < PATH_EXCUSES_MAX && path->excused[j]; j++)
			if (strcmp(ids[i], path->excused[j]) == 0)
				return ids[i];
	}
	return NULL;
}

/*
 * earlier: the path's sockets are to be older than the tracing; NULL: it has started. -errno with *comparison->error
 * when counting itself broke; a path that fails is a result.
 */
static int check_path(struct comparison *comparison, const struct path *path, const struct earlier *earlier)
{
	struct check_result result = { .id = earlier ? earlier->id : path->id,
		.title = earlier ? earlier->title : path->title };
	const struct launcher_run run = {
		.path = path->id, .connected = earlier ? start_tracing : NULL, .argument = comparison
	};
	struct error moving = { 0 };
	const char *id, *reason;
	int err = launcher_run(comparison->launcher, &run, &result.truth, &moving);

	if (err == LAUNCHER_ENDED && !comparison->error->text[0])
		*comparison->error = moving;
	if (err && comparison->error->text[0])
		return err; /* or tracing could not be started */
	if (err) {
		result.verdict = err == RUNNER_REFUSED ? VERDICT_SKIPPED : VERDICT_FAILED;
		snprintf(
		    result.reason, sizeof result.reason, "%.*s", (int)sizeof result.reason - 1, moving.text);
	} else {
		err = count(comparison, &result);
		if (err)
			return err;
		id = declared(comparison, &result, path, earlier ? earlier->excused : "");
		reason = id ? method_blind_reason(comparison->method, id) : NULL;
		judge_finish(&result, id, reason ?: id);
	}
	return print_result(comparison, &result);
}

static int check_paths(struct comparison *comparison)
{
	const struct path *path;
	struct error unused;
	int err = 0;

	for (size_t i = 0; i < COUNT_OF(earlier_paths) && !err; i++) {
		err = check_path(comparison, path_find(earlier_paths[i].path), &earlier_paths[i]);
		counter_stop(&comparison->counter, comparison->verbose);
	}
	/* before tracing, as root: kernel TLS is a module to load, whose functions are hooked if they are there */
	for (size_t i = 0; (path = path_at(i)) && !err; i++)
		launcher_run(
		    comparison->launcher, &(struct launcher_run){ path->id, .trial = true }, NULL, &unused);
	err = err ?: start_tracing(comparison);
	for (size_t i = 0; (path = path_at(i)) && !err; i++)
		err = check_path(comparison, path, NULL);
	counter_stop(&comparison->counter, true);
	return err;
}

/* Nobody reads any more: that is the end, and no failure. */
static int fail_output(int err, const struct error *error)
{
	if (err == -EPIPE)
		return EXIT_READER_GONE;
	fprintf(stderr, "tcptop: check: %s\n", error->text);
	return EXIT_CODE_OUTPUT;
}

/* The exit code, or EXIT_READER_GONE. optional: that the method cannot be used here is no failure. */
static int check_method(const struct comparison *settings, const char *method, bool optional)
{
	struct comparison comparison = *settings;
	struct error error = { 0 };

	comparison.method = method;
	comparison.error = &error;
	if (!comparison.json)
		printf("tcptop %s, Linux %s, probe %s\n", TCPTOP_VERSION, comparison.release, method);
	int err = flush(&error) ?: check_paths(&comparison) ?: print_summary(&comparison);

	if (err && error.of_output)
		return fail_output(err, &error);
	if (err) {
		bool unused = optional && error.exit_code == EXIT_CODE_UNSUPPORTED;

		if (!comparison.json)
			printf("%s: %s\n\n", unused ? "not used here" : "not completed", error.text);
		err = flush(&error);
		return err ? fail_output(err, &error) : error.exit_code;
	}
	return comparison.counts[VERDICT_WRONG]    ? EXIT_CODE_WRONG_COUNT
	       : comparison.counts[VERDICT_FAILED] ? EXIT_CODE_RUNTIME
	       : comparison.counts[VERDICT_EXACT]
	           ? EXIT_CODE_OK
	           : EXIT_CODE_RUNTIME; /* nothing was tried that can be bet on */
}

/* ---- the comparison, by every method that works here or by one ---- */

/* What is named, or the tcptop that this program belongs to: kept open, so that it is the one that was checked. */
static const char *find_tcptop(const char *named)
{
	static const char *const places[] = { TCPTOP_NAME, TCPTOP_FROM_CHECK_DIR "/" TCPTOP_NAME,
		TCPTOP_SBINDIR "/" TCPTOP_NAME };
	static char path[64];
	int fd = -ENOENT;

	if (named)
		return named;
	for (size_t i = 0; i < COUNT_OF(places) && fd == -ENOENT; i++)
		fd = sibling_open(places[i]);
	if (fd < 0) {
		fprintf(stderr, "tcptop: check: no %s beside tcptop-check or in %s: %s\n", TCPTOP_NAME,
		    TCPTOP_SBINDIR, sibling_reason(fd));
		return NULL;
	}
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return path;
}

static int check_end(int exit_code)
{
	if (exit_code == EXIT_READER_GONE)
		return EXIT_CODE_OK;
	if (exit_code != EXIT_CODE_OK && exit_code != EXIT_CODE_OUTPUT)
		fprintf(stderr, "tcptop: check: %s\n",
		    exit_code == EXIT_CODE_WRONG_COUNT   ? "a number is wrong (see the lines above)"
		    : exit_code == EXIT_CODE_UNSUPPORTED ? "no probe method can be used on this host"
		                                         : "could not be completed (see the lines above)");
	return exit_code;
}

/* method: NULL or "auto" for all. The exit code. */
static int compare(const struct comparison *settings, const char *method)
{
	int worst = EXIT_CODE_OK;
	bool any = false;

	if (method && strcmp(method, "auto") != 0)
		return check_method(settings, method, false);
	for (size_t i = 0; i < method_count; i++) {
		int exit_code = check_method(settings, methods[i]->name, true);

		if (exit_code == EXIT_CODE_UNSUPPORTED)
			continue;
		if (exit_code == EXIT_CODE_OUTPUT || exit_code == EXIT_READER_GONE)
			return exit_code;
		any = true;
		/* a wrong number is what the user asked for: it outranks other failures */
		if (exit_code == EXIT_CODE_WRONG_COUNT || worst == EXIT_CODE_OK)
			worst = exit_code;
	}
	return any ? worst : EXIT_CODE_UNSUPPORTED;
}

static int command_compare(const struct arguments *arguments)
{
	struct launcher_settings launched = arguments->launcher;
	struct launcher launcher;
	struct utsname names = { 0 };
	struct comparison settings = {
		.launcher = &launcher,
		.release = names.release,
		.verbose = launched.verbose,
		.json = arguments->output && strcmp(arguments->output, "json") == 0,
	};
	struct error error;

	if (pid_namespace_is_initial("") == 0) {
		fprintf(stderr,
		    "tcptop: check: it compares PIDs, and this is a PID namespace that hides the host's\n"
		    "run it outside of this one (docker: --pid host, Kubernetes: hostPID)\n");
		return EXIT_CODE_UNSUPPORTED;
	}
	launched.program = find_tcptop(launched.program);
	if (!launched.program)
		return EXIT_CODE_UNSUPPORTED;
	if (launcher_open(&launcher, &launched, &error) != 0) {
		fprintf(stderr, "tcptop: check: %s\n", error.text);
		return error.exit_code;
	}
	signal(SIGPIPE, SIG_IGN); /* of this process alone */
	uname(&names);
	launcher_confine(launched.verbose);
	int exit_code = compare(&settings, arguments->method);

	launcher_close(&launcher);
	return check_end(exit_code);
}

/* ---- the command line ---- */

static const char usage[] =
    "usage: tcptop-check [--probe METHOD] [-o json] [--max-sessions N] [--tcptop PROGRAM] [-v]\n"
    "       tcptop-check list\n"
    "       tcptop-check move ID [--hold]\n"
    "       tcptop-check flow [-6 | --mapped] [--bytes N] [--processes N] [--connections N] "
    "[--wait-file FILE] [--summary]\n"
    "       tcptop-check threads [--threads N] [--seconds N] [--size N] [--both] [--hold]\n"
    "       tcptop-check pidreuse [--gap-ms N] [--hold]\n"
    "Without a command, compares what tcptop counts with the bytes that were moved, as tcptop --check does.\n"
    "The other commands print JSON lines, of each process and connection what its calls returned.\n"
    "--both: both sides have so many threads that send, and as many that receive messages of that size.\n"
    "--hold: once connected, prints so and waits for a line on standard input before data moves.\n"
    "--wait-file: the same until FILE exists. move ends with 77 when the path cannot run here.\n";

static const struct {
	const char *name;
	int (*run)(const struct arguments *arguments);
} commands[] = {
	{ "list", command_list },
	{ "move", command_move },
	{ "flow", command_flow },
	{ "threads", command_threads },
	{ "pidreuse", command_pidreuse },
};

static const struct {
	const char *name;
	enum { FLAG, NUMBER, TEXT } type;
	size_t offset;
} argument_rows[] = {
#define ROW(name, type, member)                                \
	{                                                      \
		name, type, offsetof(struct arguments, member) \
	}
	ROW("--hold", FLAG, hold),
	ROW("-6", FLAG, ipv6),
	ROW("--mapped", FLAG, mapped),
	ROW("--summary", FLAG, summary),
	ROW("--both", FLAG, both),
	ROW("-v", FLAG, launcher.verbose),
	ROW("--bytes", NUMBER, bytes),
	ROW("--processes", NUMBER, processes),
	ROW("--connections", NUMBER, connections),
	ROW("--threads", NUMBER, threads),
	ROW("--seconds", NUMBER, seconds),
	ROW("--size", NUMBER, size),
	ROW("--gap-ms", NUMBER, gap_ms),
	ROW("--wait-file", TEXT, wait_file),
	ROW("--probe", TEXT, method),
	ROW("-o", TEXT, output),
	ROW("--max-sessions", TEXT, launcher.max_sessions),
	ROW("--tcptop", TEXT, launcher.program),
};

/* How many of argv an argument takes; 0: it is none, or its value is none. */
static int argument_take(struct arguments *arguments, char **argv)
{
	size_t i = 0;
	uint64_t number;
	char *member, *rest;

	while (i < COUNT_OF(argument_rows) && strcmp(argv[0], argument_rows[i].name) != 0)
		i++;
	if (i == COUNT_OF(argument_rows) || (argument_rows[i].type != FLAG && !argv[1]))
		return 0;
	member = (char *)arguments + argument_rows[i].offset;
	switch (argument_rows[i].type) {
	case FLAG:
		*(bool *)member = true;
		return 1;
	case TEXT:
		memcpy(member, &argv[1], sizeof argv[1]);
		return 2;
	default:
		number = *argv[1] == '-' ? 0 : strtoull(argv[1], &rest, 10);
		memcpy(member, &number, sizeof number);
		return number && !*rest && number <= UINT32_MAX ? 2 : 0;
	}
}

/* 0 only when what was printed has been delivered. */
static int finish(int exit_code)
{
	struct error error;
	int err = exit_code == EXIT_CODE_OK ? flush(&error) : 0;

	return err && err != -EPIPE ? fail_output(err, &error) : exit_code;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {
		.bytes = 1009, .processes = 1, .connections = 1, .threads = 4, .seconds = 1, .size = 64
	};
	const char *command = argc > 1 && argv[1][0] != '-' ? argv[1] : "";
	int at = *command ? 2 : 1, taken = 1;

	signal(SIGCHLD, SIG_DFL); /* ignored by whoever started this, children could not be waited for */
	if (strcmp(command, "exec") == 0 && argc == 3)
		exec_main(argv[2]);
	descriptors_occupy_standard();
	prctl(PR_SET_NAME, "tcptop-check"); /* fexecve(3) made it a number, before Linux 6.14 */
	if (strcmp(command, "move") == 0 && argc > 2)
		arguments.id = argv[at++];
	for (; at < argc && taken; at += taken)
		taken = argument_take(&arguments, &argv[at]);
	if (taken && !*command)
		return command_compare(&arguments);
	for (size_t i = 0; taken && i < COUNT_OF(commands); i++)
		if (strcmp(command, commands[i].name) == 0)
			return finish(commands[i].run(&arguments));
	fputs(usage, stderr);
	return EXIT_CODE_USAGE;
}
