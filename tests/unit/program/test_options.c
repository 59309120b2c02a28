/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "options.h"
#include "output/renderer.h"
#include "parse_options.h"

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof *(array))
#define TRY "\ntry '" TCPTOP_NAME " --help'"

static void test_defaults(void **state)
{
	static const char *const none[] = { NULL };
	struct options options;
	struct error error;

	(void)state;
	assert_int_equal(parse_list(&options, none, true, &error), 0);
	assert_int_equal(options.action, ACTION_RUN);
	assert_ptr_equal(options.renderer, &renderer_screen);
	assert_int_equal(options.probe, PROBE_AUTO);
	assert_false(options.no_summary);
	assert_false(options.verbose);
	assert_int_equal(options.family, 0);
	assert_int_equal(options.pid_count, 0);
	for (size_t i = 0; i < FILTERS_MAX; i++)
		assert_null(options.filter_paths[i]);
	assert_int_equal(options.interval_ns, 1000000000);
	assert_int_equal(options.count, 0);
	assert_int_equal(options.max_sessions, 65536);
	options_fini(&options);
	assert_int_equal(parse_list(&options, none, false, &error), 0);
	assert_ptr_equal(options.renderer, &renderer_text);
	options_fini(&options);
}

static void test_actions(void **state)
{
	static const struct {
		const char *argument;
		enum action expected;
	} rows[] = {
		{ "-h", ACTION_HELP },
		{ "--help", ACTION_HELP },
		{ "-V", ACTION_VERSION },
		{ "--version", ACTION_VERSION },
		{ "--ebpf", ACTION_PRINT_PROGRAM },
		{ "--diagnose", ACTION_DIAGNOSE },
	};
	struct options options;
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		PARSE(&options, rows[i].argument);
		assert_int_equal(options.action, rows[i].expected);
		options_fini(&options);
	}
	/* Help ends the parsing: what follows need not be right, what precedes must. */
	PARSE(&options, "--ebpf", "-h", "--nonsense", "0", "0", "0");
	assert_int_equal(options.action, ACTION_HELP);
	options_fini(&options);
	/* The program text needs no terminal. */
	assert_int_equal(parse_list(&options, (const char *const[]){ "--ebpf", NULL }, false, &error), 0);
	options_fini(&options);
}

static void test_flags(void **state)
{
	struct options options;

	(void)state;
	PARSE(&options, "-S", "-v", "-4");
	assert_true(options.no_summary);
	assert_true(options.verbose);
	assert_int_equal(options.family, 4);
	options_fini(&options);
	PARSE(&options, "--nosummary", "--verbose", "--ipv6", "--ipv6");
	assert_true(options.no_summary);
	assert_true(options.verbose);
	assert_int_equal(options.family, 6);
	options_fini(&options);
	PARSE(&options, "--ipv4");
	assert_int_equal(options.family, 4);
	options_fini(&options);
	PARSE(&options, "-Sv6C");
	assert_true(options.no_summary);
	assert_true(options.verbose);
	assert_int_equal(options.family, 6);
	assert_ptr_equal(options.renderer, &renderer_text);
	options_fini(&options);
}

static void test_outputs(void **state)
{
	static const struct {
		const char *arguments[ARGUMENTS_MAX];
		const struct renderer *expected;
	} rows[] = {
		{ { "-C" }, &renderer_text }, { { "--noclear" }, &renderer_text },
		{ { "-C", "-o", "text" }, &renderer_text }, { { "-o", "screen" }, &renderer_screen },
		{ { "-otext" }, &renderer_text }, { { "--output", "json" }, &renderer_json },
		{ { "--output=json" }, &renderer_json },
		{ { "-o", "json", "-o", "screen" }, &renderer_screen }, /* the last one */
	};
	struct options options;
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		assert_int_equal(parse_list(&options, rows[i].arguments, true, &error), 0);
		assert_ptr_equal(options.renderer, rows[i].expected);
		options_fini(&options);
	}
	assert_int_equal(parse_list(&options, (const char *const[]){ "-o", "json", NULL }, false, &error), 0);
	assert_ptr_equal(options.renderer, &renderer_json);
	options_fini(&options);
}

static void test_probes(void **state)
{
	static const enum probe_method expected[] = { PROBE_AUTO, PROBE_TRACEPOINT, PROBE_FENTRY,
		PROBE_KPROBE };
	static const char *const names[] = { "auto", "tracepoint", "fentry", "kprobe" };
	struct options options;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		PARSE(&options, "--probe", names[i]);
		assert_int_equal(options.probe, expected[i]);
		assert_string_equal(probe_method_name(expected[i]), names[i]);
		options_fini(&options);
	}
	assert_string_equal(probe_method_name(77), "unknown");
}

static void expect_pids(const struct options *options, const uint32_t *expected, size_t count)
{
	assert_int_equal(options->pid_count, count);
	assert_memory_equal(options->pids, expected, count * sizeof *expected);
}

static void test_pids(void **state)
{
	struct options options;

	(void)state;
	PARSE(&options, "-p", "181");
	expect_pids(&options, (const uint32_t[]){ 181 }, 1);
	options_fini(&options);
	PARSE(&options, "--pid=4194304,1,00181,1,181");
	expect_pids(&options, (const uint32_t[]){ 1, 181, 4194304 }, 3);
	options_fini(&options);
	/* Repeated: added, and still sorted and unique. */
	PARSE(&options, "-p", "9,7", "-p", "8", "--pid", "7,1");
	expect_pids(&options, (const uint32_t[]){ 1, 7, 8, 9 }, 4);
	options_fini(&options);
	options_fini(&options);
}

static void test_values(void **state)
{
	struct options options;

	(void)state;
	PARSE(&options, "--cgroupmap", "/sys/fs/bpf/a b\"c", "--mntnsmap=m", "--max-sessions", "1");
	assert_string_equal(options.filter_paths[filter_find("cgroupmap")], "/sys/fs/bpf/a b\"c");
	assert_string_equal(options.filter_paths[filter_find("mntnsmap")], "m");
	assert_int_equal(options.max_sessions, 1);
	options_fini(&options);
	PARSE(&options, "--max-sessions=16777216");
	assert_int_equal(options.max_sessions, 16777216);
	options_fini(&options);
}

static void test_intervals(void **state)
{
	static const struct {
		const char *argument;
		uint64_t interval_ns;
	} rows[] = {
		{ "1", 1000000000 },
		{ "01", 1000000000 },
		{ "0.5", 500000000 },
		{ ".5", 500000000 },
		{ "5.", 5000000000 },
		{ "0.01", 10000000 },
		{ "1.25", 1250000000 },
		{ "0.0100000019", 10000001 }, /* finer than a nanosecond: dropped */
		{ "31536000", UINT64_C(31536000000000000) },
		{ "31536000.000", UINT64_C(31536000000000000) },
	};
	struct options options;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		PARSE(&options, rows[i].argument);
		assert_int_equal(options.interval_ns, rows[i].interval_ns);
		assert_int_equal(options.count, 0);
		options_fini(&options);
	}
	PARSE(&options, "2", "-C", "3"); /* options may stand between */
	assert_int_equal(options.interval_ns, 2000000000);
	assert_int_equal(options.count, 3);
	options_fini(&options);
	PARSE(&options, "--", "2", "1000000000000000000");
	assert_int_equal(options.count, UINT64_C(1000000000000000000));
	options_fini(&options);
}

static const char *const wrong_numbers[] = { "", " ", "x", "0x10", "1e3", "-1", "+1", " 1", "1 ", "1x", "inf",
	"nan", "1,5", "1\n", "\xD9\xA1", "99999999999999999999999", "18446744073709551617" };

/* None of them is taken for an interval, count, PID or number of sessions. */
static void test_wrong_numbers(void **state)
{
	struct options options;
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(wrong_numbers); i++) {
		const char *wrong = wrong_numbers[i];
		const char *const lists[][ARGUMENTS_MAX] = {
			{ "--", wrong },
			{ "--", "1", wrong },
			{ "--max-sessions", wrong },
			{ "-p", wrong },
		};

		for (size_t k = 0; k < ARRAY_LENGTH(lists); k++) {
			if (k == 3 && strcmp(wrong, "1,5") == 0)
				continue; /* two PIDs */
			assert_int_equal(parse_list(&options, lists[k], true, &error), -EINVAL);
			assert_int_equal(error.exit_code, EXIT_CODE_USAGE);
			options_fini(&options);
		}
	}
}

static const struct {
	const char *arguments[ARGUMENTS_MAX];
	const char *text;
} wrong_rows[] = {
	{ { "--frob" }, "unknown option '--frob'" },
	{ { "--frob=3" }, "unknown option '--frob'" },
	{ { "-x" }, "unknown option '-x'" },
	{ { "-Cx" }, "unknown option '-x'" },
	{ { "-:" }, "unknown option '-:'" },
	{ { "-?" }, "unknown option '-?'" },
	{ { "-1" }, "unknown option '-1'" },
	{ { "-\xFF" }, "unknown option '-\\xff'" },
	{ { "--\033[2J" }, "unknown option '--\\x1b[2J'" },
	{ { "--=x" }, "unknown option '--=x'" },
	{ { "--m=3" }, "ambiguous option '--m': write it in full" },
	{ { "--help=3" }, "option --help takes no value" },
	{ { "--ipv4=yes" }, "option --ipv4 takes no value" },
	{ { "-p" }, "option --pid needs a value: PID" },
	{ { "--pid" }, "option --pid needs a value: PID" },
	{ { "-o" }, "option --output needs a value: screen|text|json|csv|openmetrics" },
	{ { "--probe" }, "option --probe needs a value: auto|tracepoint|fentry|kprobe" },
	{ { "--cgroupmap" }, "option --cgroupmap needs a value: PATH" },
	{ { "--cgroupmap", "" }, "option --cgroupmap needs a value: PATH" },
	{ { "--mntnsmap=" }, "option --mntnsmap needs a value: PATH" },
	{ { "--max-sessions" }, "option --max-sessions needs a value: N" },
	{ { "--replay", "f", "--cgroupmap", "m" }, "--cgroupmap has no effect with --replay" },
	{ { "--mntnsmap", "m", "--replay", "f" }, "--mntnsmap has no effect with --replay" },
	{ { "--replay", "f", "--probe", "fentry" }, "--probe has no effect with --replay" },
	{ { "--check", "--replay", "f" }, "--replay has no effect with --check" },
	{ { "--replay", "f", "--ebpf" }, "--replay has no effect with --ebpf" },
	{ { "--probe", "bogus" }, "wrong --probe 'bogus': it is one of auto|tracepoint|fentry|kprobe" },
	{ { "--probe", "" }, "wrong --probe '': it is one of auto|tracepoint|fentry|kprobe" },
	{ { "--probe", "AUTO" }, "wrong --probe 'AUTO': it is one of auto|tracepoint|fentry|kprobe" },
	{ { "-o", "tex" }, "wrong --output 'tex': it is one of screen|text|json|csv|openmetrics" },
	{ { "-o", "auto" }, "wrong --output 'auto': it is one of screen|text|json|csv|openmetrics" },
	{ { "--max-sessions", "0" }, "wrong --max-sessions '0': a whole number from 1 to 16777216" },
	{ { "--max-sessions", "16777217" },
	    "wrong --max-sessions '16777217': a whole number from 1 to 16777216" },
	{ { "-p", "0" }, "wrong PID '0' in --pid: whole numbers from 1 to 4194304, with commas" },
	{ { "-p", "4194305" }, "wrong PID '4194305' in --pid: whole numbers from 1 to 4194304, with commas" },
	{ { "-p", "1,,2" }, "wrong PID '' in --pid: whole numbers from 1 to 4194304, with commas" },
	{ { "-p", "1,2," }, "wrong PID '' in --pid: whole numbers from 1 to 4194304, with commas" },
	{ { "-p", "1, 2" }, "wrong PID ' 2' in --pid: whole numbers from 1 to 4194304, with commas" },
	{ { "-p", "7", "-p", "x\n" },
	    "wrong PID 'x\\x0a' in --pid: whole numbers from 1 to 4194304, with commas" },
	{ { "-4", "-6" }, "-4 and -6 exclude each other; without them both families are shown" },
	{ { "--ipv6", "--ipv4" }, "-4 and -6 exclude each other; without them both families are shown" },
	{ { "-C", "-o", "screen" }, "-C is -o text: it cannot stand with -o screen" },
	{ { "-o", "screen", "-C" }, "-C is -o text: it cannot stand with -o screen" },
	{ { "-C", "-o", "json" }, "-C is -o text: it cannot stand with -o json" },
	{ { "-o", "json", "-C" }, "-C is -o text: it cannot stand with -o json" },
	{ { "-o", "screen" }, "-o screen: standard output is not a terminal; use -o text or -o json" },
	{ { "-o", "screen", "--check" }, "-o screen has no effect with --check" },
	{ { "--sort", "rx" },
	    "--sort has no effect with -o text, the default where standard output is no terminal" },
	{ { "--sort", "rx", "-C" }, "--sort has no effect with -o text" },
	{ { "--columns", "pid,rx", "-o", "json" }, "--columns has no effect with -o json" },
	{ { "-S", "-o", "json" }, "--nosummary has no effect with -o json" },
	{ { "--check", "--ebpf" }, "--check has no effect with --ebpf" },
	{ { "--check", "1", "2" }, "interval and count have no effect with --check" },
	{ { "--replay", "f", "2" }, "interval has no effect with --replay, but before a count" },
	{ { "0" }, "wrong interval '0': seconds from 0.01 to 31536000, such as 1 or 0.5" },
	{ { "0.009999999999" },
	    "wrong interval '0.009999999999': seconds from 0.01 to 31536000, such as 1 or 0.5" },
	{ { "31536000.1" }, "wrong interval '31536000.1': seconds from 0.01 to 31536000, such as 1 or 0.5" },
	{ { "." }, "wrong interval '.': seconds from 0.01 to 31536000, such as 1 or 0.5" },
	{ { "-" }, "wrong interval '-': seconds from 0.01 to 31536000, such as 1 or 0.5" },
	{ { "1.2.3" }, "wrong interval '1.2.3': seconds from 0.01 to 31536000, such as 1 or 0.5" },
	{ { "1.5s" }, "wrong interval '1.5s': seconds from 0.01 to 31536000, such as 1 or 0.5" },
	{ { "1", "0" }, "wrong count '0': a whole number from 1 to 1000000000000000000" },
	{ { "1", "1.5" }, "wrong count '1.5': a whole number from 1 to 1000000000000000000" },
	{ { "1", "1000000000000000001" },
	    "wrong count '1000000000000000001': a whole number from 1 to 1000000000000000000" },
	{ { "1", "2", "3" }, "'3' is one argument too many: they are interval and count" },
};

static void test_wrong_usage(void **state)
{
	char expected[512];
	struct options options;
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(wrong_rows); i++) {
		assert_int_equal(parse_list(&options, wrong_rows[i].arguments, false, &error), -EINVAL);
		snprintf(expected, sizeof expected, "%s" TRY, wrong_rows[i].text);
		assert_string_equal(error.text, expected);
		assert_int_equal(error.exit_code, EXIT_CODE_USAGE);
		options_fini(&options);
	}
}

/* A value as long as a command line can be still ends in two lines that hold the remedy. */
static void test_long_value(void **state)
{
	size_t length = 100000;
	char *value = malloc(length + 1);
	struct options options;
	struct error error;

	(void)state;
	assert_non_null(value);
	memset(value, '\x1B', length);
	value[length] = '\0';
	assert_int_equal(parse_list(&options, (const char *const[]){ value, NULL }, true, &error), -EINVAL);
	assert_non_null(strstr(error.text, TRY));
	assert_null(strchr(error.text, '\x1B'));
	options_fini(&options);
	free(value);
}

/* Not inlined: gcc 12 would take what open_memstream stores for a dangling pointer. */
__attribute__((noinline)) static char *help(void)
{
	char *output = NULL;
	size_t length;
	FILE *stream = open_memstream(&output, &length);

	assert_non_null(stream);
	options_print_help(stream);
	fclose(stream);
	return output;
}

static void test_help(void **state)
{
	static const char usage[] =
	    "usage: tcptop [-h] [-V] [-C] [-S] [-p PID] [--cgroup PATH] [--unit NAME] [--container NAME|ID]\n"
	    "              [--pod [NAMESPACE/]NAME|UID] [--uid USER] [--comm NAME] [--port LIST] [--lport "
	    "LIST]\n"
	    "              [--rport LIST] [--host ADDRESS[/PREFIX]] [--netns PID|PATH] [--mntns PID|PATH]\n"
	    "              [--cgroupmap PATH] [--mntnsmap PATH] [-4 | -6] [-a] [--connections] [--strict]\n"
	    "              [--max-overhead PERCENT] [--filter WORDS] [--probe "
	    "auto|tracepoint|fentry|kprobe]\n"
	    "              [--no-splice] [-o screen|text|json|csv|openmetrics] [--output-file PATH]\n"
	    "              [--textfile PATH] [--max-series N] [--series-threshold BYTES] [--max-sessions N]\n"
	    "              [--no-cache] [--columns LIST] [--sort COLUMN[:asc|:desc]]\n"
	    "              [--color auto|always|never] [--mouse] [--no-final] [--no-settings]\n"
	    "              [--host-root PATH] [--replay FILE] [--diagnose] [--check] [--ebpf] [-v] "
	    "[interval]\n"
	    "              [count]\n"
	    "\n";
	static const char *const needed[] = { "\n  -h, --help  ", "\n  -V, --version  ",
		"\n  -C, --noclear  ", "\n  -S, --nosummary  ", "\n  -p, --pid PID  ",
		"\n      --cgroup PATH  ", "\n      --host ADDRESS[/PREFIX]\n", "\n      --mntns PID|PATH  ",
		"\n      --cgroupmap PATH  ", "\n      --mntnsmap PATH  ", "\n  -4, --ipv4  ",
		"\n  -6, --ipv6  ", "\n  -a, --all  ", "\n      --connections  ", "\n      --strict  ",
		"\n      --max-overhead PERCENT\n", "\n      --filter WORDS  ",
		"\n      --probe auto|tracepoint|fentry|kprobe\n", "\n      --no-splice  ",
		"\n  -o, --output screen|text|json|csv|openmetrics\n", "\n      --output-file PATH\n",
		"\n      --textfile PATH  ", "\n      --max-series N  ", "\n      --series-threshold BYTES\n",
		"\n      --max-sessions N  ", "\n      --no-cache  ", "\n      --columns LIST  ",
		"\n      --color auto|always|never\n", "\n      --mouse  ", "\n      --no-final  ",
		"\n      --no-settings  ", "\n      --host-root PATH  ", "\n      --replay FILE  ",
		"\n      --diagnose  ", "\n      --check  ", "\n      --ebpf  ", "\n  -v, --verbose  ",
		"\n  interval  ", "\n  count  ", "\nexamples:\n" };
	char *output = help();

	(void)state;
	assert_memory_equal(output, usage, strlen(usage));
	for (size_t i = 0; i < ARRAY_LENGTH(needed); i++)
		if (!strstr(output, needed[i]))
			fail_msg("the help lacks '%s'", needed[i]);
	for (const char *line = output; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 98);
	free(output);
}

/* The whole line: a command, "#" and what it does. */
static void check_example(char *line)
{
	const char *arguments[ARGUMENTS_MAX + 1] = { NULL };
	struct options options;
	size_t count = 0;
	char *rest;

	line[strcspn(line, "#>")] = '\0';
	assert_string_equal(strtok_r(line, " ", &rest), TCPTOP_NAME);
	while (count < ARGUMENTS_MAX && (arguments[count] = strtok_r(NULL, " ", &rest)) != NULL)
		count++;
	parse_right(&options, arguments);
	options_fini(&options);
}

/* Every example of the help is a right command line (of a terminal's user). */
static void test_help_examples(void **state)
{
	char *output = help();
	char *text = strstr(output, "\nexamples:\n");
	size_t examples = 0;

	(void)state;
	assert_non_null(text);
	for (char *line = strtok(text + strlen("\nexamples:\n"), "\n"); line;
	     line = strtok(NULL, "\n"), examples++)
		check_example(line);
	assert_int_equal(examples, 10);
	free(output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_outputs),
		cmocka_unit_test(test_probes),
		cmocka_unit_test(test_pids),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_intervals),
		cmocka_unit_test(test_wrong_numbers),
		cmocka_unit_test(test_wrong_usage),
		cmocka_unit_test(test_long_value),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_help_examples),
	};

	setlocale(LC_ALL, "");
	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
