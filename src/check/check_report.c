/* SPDX-License-Identifier: Apache-2.0 */
#include "check/check_report.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check/check.h"
#include "base/error.h"
#include "base/escape.h"
#include "kernel/method.h"

static const char *const verdict_names[CHECK_VERDICTS] = {
	[CHECK_EXACT] = "exact",
	[CHECK_WRONG] = "wrong",
	[CHECK_NOT_COUNTED] = "not counted",
	[CHECK_SKIPPED] = "skipped",
	[CHECK_FAILED] = "failed",
};

struct report {
	bool json;
	const char *method;
};

/* JSON's words are identifiers: "not_counted". */
static const char *json_name(enum check_verdict verdict)
{
	return verdict == CHECK_NOT_COUNTED ? "not_counted" : verdict_names[verdict];
}

static void print_text(const struct check_result *result)
{
	printf("%-11s  %-24s ", verdict_names[result->verdict], result->id);
	if (result->verdict == CHECK_EXACT)
		printf("%s: %" PRIu64 " sent, %" PRIu64 " received\n", result->title, result->tx_bytes,
		    result->rx_bytes);
	else if (result->verdict == CHECK_WRONG)
		printf("%s: truth %" PRIu64 " sent, %" PRIu64 " received; counted %" PRIu64 " and %" PRIu64
		       ": %s\n",
		    result->title, result->tx_bytes, result->rx_bytes, result->counted_tx_bytes,
		    result->counted_rx_bytes, result->reason);
	else
		printf("%s: %s\n", result->title, result->reason);
}

static void print_json(const struct report *report, const struct check_result *result)
{
	char title[512], reason[sizeof result->reason * 6];

	escape_json(title, sizeof title, result->title, strnlen(result->title, 80), NULL);
	escape_json(reason, sizeof reason, result->reason, strlen(result->reason), NULL);
	printf("{\"type\":\"check\",\"probe\":\"%s\",\"path\":\"%s\",\"title\":\"%s\",\"result\":\"%s\","
	       "\"tx_bytes\":%" PRIu64 ",\"rx_bytes\":%" PRIu64 ",\"counted_tx_bytes\":%" PRIu64
	       ",\"counted_rx_bytes\":%" PRIu64 ",\"reason\":\"%s\"",
	    report->method, result->id, title, json_name(result->verdict), result->tx_bytes, result->rx_bytes,
	    result->counted_tx_bytes, result->counted_rx_bytes, reason);
	if (result->declared)
		printf(",\"declared\":\"%s\"", result->declared);
	printf("}\n");
}

static void print_result(void *argument, const struct check_result *result)
{
	const struct report *report = argument;

	if (report->json)
		print_json(report, result);
	else
		print_text(result);
	fflush(stdout);
}

static void print_head(const struct report *report)
{
	struct utsname names;

	uname(&names);
	if (!report->json)
		printf("tcptop %s, Linux %s, probe %s\n", TCPTOP_VERSION, names.release, report->method);
	fflush(stdout);
}

static void print_summary(const struct report *report, const unsigned counts[CHECK_VERDICTS])
{
	printf(report->json ? "{\"type\":\"check_summary\",\"probe\":\"%s\"" : "%s:", report->method);
	for (int i = 0; i < CHECK_VERDICTS; i++)
		if (report->json)
			printf(",\"%s\":%u", json_name(i), counts[i]);
		else
			printf("%s %u %s", i ? "," : "", counts[i], verdict_names[i]);
	printf(report->json ? "}\n" : "\n\n");
}

/* A process for each method: it ends as nobody, and the next one has to load programs again. */
static _Noreturn void run_child(const struct options *options, struct report *report, bool optional)
{
	unsigned counts[CHECK_VERDICTS];
	struct error error = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	print_head(report);
	int err = check_method(options, print_result, report, counts, &error);

	if (err && optional && error.exit_code == EXIT_CODE_UNSUPPORTED) {
		if (!report->json)
			printf("not used here: %s\n\n", error.text);
		fflush(stdout);
		_exit(EXIT_CODE_UNSUPPORTED);
	}
	if (err) {
		if (!report->json)
			printf("not completed: %s\n\n", error.text);
		fflush(stdout);
		_exit(error.exit_code);
	}
	print_summary(report, counts);
	if (fflush(stdout) != 0)
		_exit(EXIT_CODE_OUTPUT);
	_exit(counts[CHECK_WRONG]    ? EXIT_CODE_WRONG_COUNT
	      : counts[CHECK_FAILED] ? EXIT_CODE_RUNTIME
	      : counts[CHECK_EXACT]  ? EXIT_CODE_OK
	                             : EXIT_CODE_RUNTIME); /* nothing was tried that can be bet on */
}

/* The exit status of one method's process. */
static int run_method(const struct options *options, enum probe_method method, bool optional)
{
	struct options one = {
		.interval_ns = options->interval_ns,
		.max_sessions = options->max_sessions,
		.output = options->output,
		.verbose = options->verbose,
	};
	struct report report = { options->output == OUTPUT_JSON, probe_method_name(method) };
	int status = 0;

	one.probe = method;
	fflush(stdout);
	pid_t child = fork();

	if (child == 0)
		run_child(&one, &report, optional);
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return EXIT_CODE_RUNTIME;
	return WEXITSTATUS(status);
}

static int check_error(int exit_code, struct error *error)
{
	switch (exit_code) {
	case EXIT_CODE_OK:
		return 0;
	case EXIT_CODE_WRONG_COUNT:
		return error_set(
		    error, exit_code, -EBADMSG, "check: a number is wrong (see the lines above)");
	case EXIT_CODE_UNSUPPORTED:
		return error_set(
		    error, exit_code, -ENOTSUP, "check: no probe method can be used on this host");
	default:
		return error_set(
		    error, exit_code, -EIO, "check: could not be completed (see the lines above)");
	}
}

int check_run(const struct options *options, struct error *error)
{
	int worst = EXIT_CODE_OK;
	bool any = false;

	if (options->probe != PROBE_AUTO)
		return check_error(run_method(options, options->probe, false), error);
	for (size_t i = 0; i < probe_auto_count; i++) {
		int exit_code = run_method(options, probe_auto_order[i], true);

		if (exit_code == EXIT_CODE_UNSUPPORTED)
			continue;
		any = true;
		/* a wrong number is what the user asked for: it outranks other failures */
		if (exit_code == EXIT_CODE_WRONG_COUNT || worst == EXIT_CODE_OK)
			worst = exit_code;
	}
	return check_error(any ? worst : EXIT_CODE_UNSUPPORTED, error);
}
