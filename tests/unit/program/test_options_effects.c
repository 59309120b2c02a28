/* SPDX-License-Identifier: Apache-2.0 */
/* Every option in every form of output: it takes effect there, or is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "options_table.h"

#define WORDS_MAX 6
#define TRY "\ntry '" TCPTOP_NAME " --help'"

/* What a command line may ask for. */
static const char *const outputs[][WORDS_MAX] = {
	{ "-o", "screen" },
	{ "-o", "text" },
	{ "-o", "json" },
	{ "-o", "csv" },
	{ "-o", "openmetrics" },
	{ "--textfile", "t" },
	{ "--replay", "f", "-o", "screen" },
	{ "--replay", "f", "-o", "text" },
	{ "--replay", "f", "-o", "json" },
	{ "--replay", "f", "-o", "openmetrics" },
	{ "--check" },
	{ "--check", "-o", "json" },
	{ "--ebpf" },
};

/* accepted: in the order of outputs[], this host's, a recording's, --check's, --ebpf; y: accepted, -: refused. */
static const struct {
	const char *words[WORDS_MAX];
	const char *accepted;
} rows[] = {
	{ { "--help" }, "yyyyyy yyyy yy y" },
	{ { "--version" }, "yyyyyy yyyy yy y" },
	{ { "--noclear" }, "-y---y -y-- y- y" },
	{ { "--nosummary" }, "yy---- yy-- -- y" },
	{ { "--pid", "7" }, "yyyyyy yyyy -- y" },
	{ { "--cgroup", "/" }, "yyyyyy ---- -- y" },
	{ { "--unit", "init.scope" }, "yyyyyy ---- -- y" },
	{ { "--container", "web" }, "yyyyyy ---- -- y" },
	{ { "--pod", "web" }, "yyyyyy ---- -- y" },
	{ { "--uid", "0" }, "yyyyyy ---- -- y" },
	{ { "--comm", "a" }, "yyyyyy ---- -- y" },
	{ { "--port", "1" }, "yyyyyy ---- -- y" },
	{ { "--lport", "1" }, "yyyyyy ---- -- y" },
	{ { "--rport", "1" }, "yyyyyy ---- -- y" },
	{ { "--host", "::1" }, "yyyyyy ---- -- y" },
	{ { "--netns", "/proc/self/ns/net" }, "yyyyyy ---- -- y" },
	{ { "--mntns", "/proc/self/ns/mnt" }, "yyyyyy ---- -- y" },
	{ { "--cgroupmap", "m" }, "yyyyyy ---- -- y" },
	{ { "--mntnsmap", "m" }, "yyyyyy ---- -- y" },
	{ { "--ipv4" }, "yyyyyy yyyy -- y" },
	{ { "--ipv6" }, "yyyyyy yyyy -- y" },
	{ { "--all" }, "y-yy-- ---- -- y" },
	{ { "--connections" }, "y-y--- ---- -- y" },
	{ { "--strict" }, "y-yy-- ---- -- y" },
	{ { "--max-overhead", "0.5" }, "yyyyyy ---- -- -" },
	{ { "--filter", "nginx port:443" }, "yyyyyy yyyy -- -" },
	{ { "--filter", "host:a.example" }, "y----- y--- -- -" },
	{ { "--probe", "kprobe" }, "yyyyyy ---- yy y" },
	{ { "--no-splice" }, "yyyyyy ---- -- y" },
	{ { "--output", "text" }, "yyyyyy yyyy yy y" }, /* the last one holds */
	{ { "--output", "screen" }, "yyyyyy yyyy -- y" },
	{ { "--output", "csv" }, "yyyyyy yyyy -- y" },
	{ { "--output-file", "f" }, "-yyyyy -yyy -- -" },
	{ { "--textfile", "t" }, "yyyyyy ---- -- -" },
	{ { "--max-series", "5" }, "----yy ---y -- -" },
	{ { "--series-threshold", "0" }, "----yy ---y -- -" },
	{ { "--max-sessions", "5" }, "yyyyyy ---- yy y" },
	{ { "--no-cache" }, "yyyyyy ---- -- -" },
	{ { "--columns", "pid,rx" }, "y----- y--- -- -" },
	{ { "--columns", "pid,rtt" }, "y-y--- y--- -- y" },
	{ { "--columns", "retrans" }, "y-y--- y--- -- y" },
	{ { "--sort", "rx" }, "y----- y--- -- -" },
	{ { "--sort", "rtt:asc" }, "y-y--- y--- -- y" },
	{ { "--color", "never" }, "y----- y--- -- -" },
	{ { "--mouse" }, "y----- y--- -- -" },
	{ { "--no-final" }, "y----- y--- -- -" },
	{ { "--no-settings" }, "y----- y--- -- -" },
	{ { "--host-root", "/" }, "yyyyyy ---- -- y" },
	{ { "--replay", "g" }, "yyyyy- yyyy -- -" },
	{ { "--diagnose" }, "-yy--- -yy- -- -" },
	{ { "--check" }, "-yy--- ---- yy -" },
	{ { "--ebpf" }, "yyyyy- ---- -- y" },
	{ { "--verbose" }, "yyyyyy ---- yy y" },
	{ { "2" }, "yyyyyy ---- -- y" },
	{ { "2", "3" }, "yyyyyy yyyy -- y" },
};

/* The words one after the other, on a terminal: 0 or -EINVAL. */
static int parse(const char *const *first, const char *const *then, struct error *error)
{
	char *argv[2 * WORDS_MAX + 2] = { "tcptop" };
	struct options options;
	int argc = 1;

	for (size_t i = 0; i < WORDS_MAX && first[i]; i++)
		argv[argc++] = (char *)first[i];
	for (size_t i = 0; i < WORDS_MAX && then[i]; i++)
		argv[argc++] = (char *)then[i];
	memset(error, 0, sizeof *error);
	int err = options_parse(&options, argc, argv, true, error);

	options_fini(&options);
	return err;
}

/* One line that names both, and where to look. */
static void expect_refused(const struct error *error, const char *name)
{
	static const char *const others[] = { "-o screen", "-o text", "-o json", "-o csv", "-o openmetrics",
		"--textfile", "--replay", "--check", "--ebpf" };
	const char *end = strstr(error->text, TRY);
	size_t named = 0;

	assert_int_equal(error->exit_code, EXIT_CODE_USAGE);
	assert_non_null(end);
	assert_ptr_equal(strchr(error->text, '\n'), end);
	for (size_t i = 0; i < COUNT_OF(others); i++)
		named += strstr(error->text, others[i]) != NULL;
	if (named == 0 || (strncmp(name, "--", 2) == 0 && strcmp(name, "--noclear") != 0 &&
	                      strcmp(name, "--output") != 0 && !strstr(error->text, name) && named < 2))
		fail_msg("%s is refused with '%s'", name, error->text);
}

static void expect(size_t row, size_t output, bool accepted, bool option_first)
{
	const char *const *words = rows[row].words;
	struct error error;
	int err =
	    option_first ? parse(words, outputs[output], &error) : parse(outputs[output], words, &error);

	if (err != (accepted ? 0 : -EINVAL))
		fail_msg("%s %s with %s %s: %d %s", words[0], words[1] ? words[1] : "", outputs[output][0],
		    outputs[output][1] ? outputs[output][1] : "", err, error.text);
	if (!accepted)
		expect_refused(&error, words[0]);
}

static void each_option_takes_effect_or_is_refused(void **state)
{
	(void)state;
	for (size_t row = 0; row < COUNT_OF(rows); row++) {
		size_t output = 0;

		for (const char *c = rows[row].accepted; *c; c++) {
			if (*c == ' ')
				continue;
			expect(row, output, *c == 'y', false);
			if (strcmp(rows[row].words[0], "--output") !=
			    0) /* another -o after it takes its place */
				expect(row, output, *c == 'y', true);
			output++;
		}
		assert_int_equal(output, COUNT_OF(outputs));
	}
}

/* A new option gets a row here, and it takes effect somewhere. */
static void each_option_is_in_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < option_count; i++) {
		size_t found = 0;

		for (size_t row = 0; row < COUNT_OF(rows); row++)
			found += strncmp(rows[row].words[0], "--", 2) == 0 &&
			         strcmp(rows[row].words[0] + 2, option_rows[i].name) == 0;
		if (!found)
			fail_msg("--%s is missing in this test", option_rows[i].name);
		if (!option_rows[i].actions)
			fail_msg("--%s takes effect nowhere", option_rows[i].name);
	}
}

/* Words are read at the start, and what is wrong is said. */
static void wrong_words_are_refused(void **state)
{
#define FIELDS "; fields are pid, port, listen, host, user, comm, container, cgroup, command, state, why"
	static const struct {
		const char *words[WORDS_MAX];
		const char *text;
	} cases[] = {
		{ { "--filter", "a prot:443" }, "wrong --filter 'a prot:443': no field 'prot'" FIELDS },
		{ { "--filter", "!port:70000" }, "wrong --filter '!port:70000': '70000' is no port" FIELDS },
		{ { "--filter", "user:" }, "wrong --filter 'user:': what follows 'user:'?" FIELDS },
		{ { "--filter", "a", "--filter", "b" }, "--filter stands twice: give all words to one" },
		{ { "--filter", " " }, "option --filter needs a value: WORDS" },
		{ { "--filter", "a state:close_wait", "-o", "json" },
		    "state: and why: of --filter need -a with -o json" },
		{ { "--diagnose", "--filter", "a why:peer" },
		    "state: and why: of --filter would choose what --diagnose finds, and hide the other end: "
		    "leave them out" },
		{ { "--diagnose", "--replay", "f", "--filter", "!state:listen" },
		    "state: and why: of --filter would choose what --diagnose finds, and hide the other end: "
		    "leave them out" },
		{ { "--filter", "host:a.example", "-o", "json" },
		    "host names are on the screen alone: with -o json, host: of --filter takes an address or "
		    "a "
		    "network" },
	};
	static const char *const nothing[WORDS_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct error error;

		assert_int_equal(parse(cases[i].words, nothing, &error), -EINVAL);
		assert_int_equal(error.exit_code, EXIT_CODE_USAGE);
		assert_int_equal(strncmp(error.text, cases[i].text, strlen(cases[i].text)), 0);
		assert_string_equal(error.text + strlen(cases[i].text), TRY);
	}
}

/* What a script that was written for bcc's tcptop gives, on a terminal and elsewhere. */
static void what_bcc_takes_is_taken(void **state)
{
	static const char *const lines[][9] = {
		{ "-S" },
		{ "-C", "-S" },
		{ "-CS", "-p", "181" },
		{ "-CS", "--cgroupmap", "m", "--mntnsmap", "n", "-4", "1", "5" },
		{ "-S", "--mntnsmap", "n", "-6", "-p", "1", "2" },
		{ "-C", "-S", "-p", "7", "-4", "--ebpf", "1", "5" },
	};
	struct options options;
	struct error error;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		for (int terminal = 0; terminal < 2; terminal++) {
			char *argv[10] = { "tcptop" };
			int argc = 1;

			for (size_t k = 0; k < COUNT_OF(lines[i]) && lines[i][k]; k++)
				argv[argc++] = (char *)lines[i][k];
			if (options_parse(&options, argc, argv, terminal, &error) != 0)
				fail_msg("line %zu: %s", i, error.text);
			options_fini(&options);
		}
	}
}

/* Of a recording, what --diagnose and --replay both have. */
static void expect_of_recording(void)
{
	static const char *const both[WORDS_MAX] = { "--diagnose", "--replay", "g" };
	static const char *const accepted[] = { "--help", "--version", "--noclear", "--pid", "--ipv4",
		"--ipv6", "--filter", "--output-file", "--replay", "--diagnose", "2" };
	struct error error;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *const *words = rows[i].words;
		bool is_accepted = strcmp(words[0], "--output") == 0 && strcmp(words[1], "text") == 0;

		for (size_t j = 0; j < COUNT_OF(accepted); j++)
			is_accepted |= strcmp(words[0], accepted[j]) == 0;
		if (words[1] && strcmp(words[1], "host:a.example") == 0)
			is_accepted = false;
		if (parse(both, words, &error) != (is_accepted ? 0 : -EINVAL))
			fail_msg("--diagnose --replay g %s: %s", words[0], error.text);
	}
}

/* --diagnose has two forms, and the filters. Others would change nothing. */
static void with_diagnose(void **state)
{
	static const char *const accepted[] = { "--help", "--version", "--noclear", "--pid", "--cgroup",
		"--unit", "--container", "--pod", "--uid", "--comm", "--port", "--lport", "--rport", "--host",
		"--netns", "--mntns", "--cgroupmap", "--mntnsmap", "--ipv4", "--ipv6", "--filter", "--probe",
		"--no-splice", "--output-file", "--max-sessions", "--no-cache", "--host-root", "--diagnose",
		"--replay", "--verbose", "2" };
	static const char *const diagnose[WORDS_MAX] = { "--diagnose" };
	static const char *const json[WORDS_MAX] = { "--diagnose", "-o", "json" };
	static const char *const csv[WORDS_MAX] = { "--diagnose", "-o", "csv" };
	static const char *const nothing[WORDS_MAX] = { NULL };
	struct error error;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *const *words = rows[i].words;
		bool is_accepted = strcmp(words[0], "--output") == 0 && strcmp(words[1], "text") == 0;

		for (size_t j = 0; j < COUNT_OF(accepted); j++)
			is_accepted |= strcmp(words[0], accepted[j]) == 0;
		if (words[1] &&
		    strcmp(words[1], "host:a.example") == 0) /* names of hosts are on the screen alone */
			is_accepted = false;
		if (parse(diagnose, words, &error) != (is_accepted ? 0 : -EINVAL))
			fail_msg("--diagnose %s: %s", words[0], error.text);
		if (!is_accepted)
			assert_int_equal(error.exit_code, EXIT_CODE_USAGE);
	}
	expect_of_recording();
	assert_int_equal(parse(json, nothing, &error), 0);
	assert_int_equal(parse(csv, nothing, &error), -EINVAL);
	assert_string_equal(error.text, "-o csv has no effect with --diagnose" TRY);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_diagnose),
		cmocka_unit_test(each_option_takes_effect_or_is_refused),
		cmocka_unit_test(each_option_is_in_the_table),
		cmocka_unit_test(wrong_words_are_refused),
		cmocka_unit_test(what_bcc_takes_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
