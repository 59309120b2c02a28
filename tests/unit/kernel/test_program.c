/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rewritten text against golden files: whole for each method, and for each filter what it changes in the
 * tracepoint method's text, as a diff. The options are parsed from command lines; the kernel is invented, with
 * offsets that no two fields share.
 *
 * After a change on purpose: TCPTOP_UPDATE_GOLDEN=1 writes the files anew, tells which changed and fails, so
 * that nothing passes unseen; look at them (git diff) and run again without it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "kernel/kernel.h"
#include "options.h"
#include "kernel/method.h"
#include "kernel/program.h"
#include "invented.h"
#include "text_diff.h"

static bool updating;
static unsigned updated; /* files written in this run */

static const struct input base = {
	.version = VERSION_6_18, .method = PROBE_TRACEPOINT, .refused = NO_FUNCTIONS
};

/* For free(); empty when there is no such file. */
static char *read_whole(const char *path)
{
	FILE *file = fopen(path, "r");
	char *bytes = calloc(1, 1 << 17);

	assert_non_null(bytes);
	if (file) {
		assert_true(fread(bytes, 1, (1 << 17) - 1, file) < (1 << 17) - 1);
		fclose(file);
	}
	return bytes;
}

static void expect_golden(const char *name, const char *actual)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", TCPTOP_GOLDEN_DIR, name);
	char *expected = read_whole(path);
	bool same = strcmp(expected, actual) == 0;

	if (!same && updating) {
		FILE *file = fopen(path, "w");

		assert_non_null(file);
		fputs(actual, file);
		assert_int_equal(fclose(file), 0);
		print_message("wrote %s\n", path);
		updated++;
	} else if (!same) {
		char *difference = text_diff(expected, actual);

		/* cmocka would cut it short */
		fprintf(stderr, "%s is not what was made (TCPTOP_UPDATE_GOLDEN=1 writes it anew):\n%s", path,
		    difference);
		free(difference);
		fail();
	}
	free(expected);
}

/* Holds for each text, whatever is in it. */
static void expect_well_formed(const char *text)
{
	long braces = 0, parentheses = 0;

	assert_null(strchr(text, '@'));
	assert_null(strstr(text, "\n\n\n"));
	assert_null(strstr(text, "SPDX"));
	for (const char *c = text; *c; c++) {
		braces += (*c == '{') - (*c == '}');
		parentheses += (*c == '(') - (*c == ')');
		assert_true(braces >= 0 && parentheses >= 0);
	}
	assert_int_equal(braces, 0);
	assert_int_equal(parentheses, 0);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

static void test_methods(void **state)
{
	static const struct {
		const char *golden;
		struct input input;
	} cases[] = {
		{ "program_tracepoint.c",
		    { .version = VERSION_6_18, .method = PROBE_TRACEPOINT, .refused = NO_FUNCTIONS } },
		{ "program_tracepoint_raw.c",
		    { .version = VERSION_6_18, .method = PROBE_TRACEPOINT, .refused = NOT_TYPED } },
		{ "program_tracepoint_fexit.c", { .version = VERSION_6_18, .method = PROBE_TRACEPOINT } },
		{ "program_fentry.c", { .version = VERSION_6_18, .method = PROBE_FENTRY } },
#if defined(__x86_64__)
		{ "program_tracepoint_perf.c", { .version = VERSION_7_3, .method = PROBE_TRACEPOINT } },
		{ "program_kprobe.c", { .version = VERSION_6_18, .method = PROBE_KPROBE } },
		{ "program_kprobe_6.1.c",
		    { .version = KERNEL_VERSION_CODE(6, 1, 0), .method = PROBE_KPROBE } },
		{ "program_kprobe_headers.c", { .version = KERNEL_VERSION_CODE(5, 10, 0),
		                                  .method = PROBE_KPROBE,
		                                  .from = OFFSETS_FROM_HEADERS } },
#endif
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *text = build(&cases[i].input);

		expect_well_formed(text);
		expect_golden(cases[i].golden, text);
		free(text);
	}
}

static const struct {
	const char *golden;
	const char *arguments[ARGUMENTS_MAX];
} filtered[] = {
	{ "program_pid.diff", { "-p", "181" } },
	{ "program_pids.diff", { "-p", "30,7,30,4194304,181" } },
	{ "program_cgroup.diff", { "--cgroupmap", "/sys/fs/bpf/cgroups" } },
	{ "program_mntns.diff", { "--mntnsmap", "/sys/fs/bpf/namespaces" } },
	{ "program_conditions_task.diff",
	    { "--uid", "7,!8", "--comm", "nginx", "--comm", "!fifteen-bytes-x" } },
	{ "program_conditions_socket.diff",
	    { "--port", "443,!80", "--lport", "8000-8999", "--rport", "443" } },
	{ "program_conditions_network.diff",
	    { "--host", "10.0.0.0/8,2001:db8::/32", "--host", "!fd00::/8,::ffff:10.1.0.0/112" } },
	{ "program_ipv4.diff", { "-4" } },
	{ "program_ipv6.diff", { "-6" } },
	{ "program_max_sessions.diff", { "--max-sessions", "4096" } },
	{ "program_all.diff", { "-4", "-p", "2,1", "--cgroupmap", "/a", "--mntnsmap", "/b" } },
};

static void test_filters(void **state)
{
	char *plain = build(&base);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(filtered); i++) {
		struct input input = base;

		memcpy(input.arguments, filtered[i].arguments, sizeof input.arguments);
		char *text = build(&input), *difference = text_diff(plain, text);

		expect_well_formed(text);
		expect_golden(filtered[i].golden, difference);
		free(difference);
		free(text);
	}
	free(plain);
}

/* What an output that shows ends adds, by typed and plain programs. */
static void test_ends(void **state)
{
	static const struct {
		const char *golden;
		struct input input;
	} ends[] = {
		{ "program_ends.diff",
		    { .version = VERSION_6_18, .method = PROBE_TRACEPOINT, .refused = NO_FUNCTIONS } },
		{ "program_ends_raw.diff",
		    { .version = VERSION_6_18, .method = PROBE_TRACEPOINT, .refused = NOT_TYPED } },
		{ "program_ends_ipv6.diff",
		    { .version = VERSION_6_18, .method = PROBE_FENTRY, .arguments = { "-6" } } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		struct input input = ends[i].input;

		input.no_sockets = true;
		char *plain = build(&input);
		size_t count = input.arguments[0] ? 1 : 0;

		input.arguments[count] = "-o";
		input.arguments[count + 1] = "json";
		char *text = build(&input), *difference = text_diff(plain, text);

		expect_well_formed(text);
		expect_golden(ends[i].golden, difference);
		free(difference);
		free(text);
		free(plain);
	}
}

/* What is added where all sockets can be told of; the same for each method that counts. */
static void test_sockets(void **state)
{
	static const struct input counting[] = {
		{ .version = VERSION_6_18, .method = PROBE_TRACEPOINT, .refused = NO_FUNCTIONS },
		{ .version = VERSION_6_18, .method = PROBE_FENTRY },
		{ .version = VERSION_6_18, .method = PROBE_TRACEPOINT, .no_socket_iterator = true },
	};
	static const char *const arguments[] = { "-a", "-o", "json", NULL };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(counting); i++) {
		struct input input = counting[i];

		memcpy(input.arguments, arguments, sizeof arguments);
		input.no_sockets = true;
		char *plain = build(&input);

		input.no_sockets = false;
		char *text = build(&input), *difference = text_diff(plain, text);

		expect_well_formed(text);
		assert_int_equal(strstr(text, "int sockets_pass(") != NULL, !input.no_socket_iterator);
		assert_non_null(strstr(text, "int sockets_walk("));
		if (i == 0)
			expect_golden("program_sockets.diff", difference);
		free(difference);
		free(text);
		free(plain);
	}
}

/* Beside what JSON has anyway: under the same filters, which are asked about who has the socket. */
static void test_connections(void **state)
{
	struct input input = base;
	static const char *const plain_arguments[] = { "-o", "json", "-6", "--uid", "7" };
	static const char *const arguments[] = { "-o", "json", "-6", "--uid", "7", "--connections" };

	(void)state;
	memcpy(input.arguments, plain_arguments, sizeof plain_arguments);
	char *plain = build(&input);

	memcpy(input.arguments, arguments, sizeof arguments);
	char *text = build(&input), *difference = text_diff(plain, text);

	expect_well_formed(text);
	expect_golden("program_connections.diff", difference);
	free(difference);
	free(text);
	free(plain);
}

/* A filter changes nothing but the filtering, whatever counts: the same lines in each method's text. */
static void test_filters_are_the_same_for_each_method(void **state)
{
	static const struct input others[] = {
		{ .version = VERSION_6_18, .method = PROBE_TRACEPOINT, .refused = NOT_TYPED },
		{ .version = VERSION_7_3, .method = PROBE_TRACEPOINT },
		{ .version = VERSION_6_18, .method = PROBE_FENTRY },
#if defined(__x86_64__)
		{ .version = VERSION_6_18, .method = PROBE_KPROBE },
		{ .version = VERSION_6_18, .method = PROBE_KPROBE, .from = OFFSETS_FROM_HEADERS },
#endif
	};
	char *plain = build(&base);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(filtered); i++) {
		struct input input = base;

		memcpy(input.arguments, filtered[i].arguments, sizeof input.arguments);
		char *text = build(&input), *expected = text_diff(plain, text);

		for (size_t j = 0; j < COUNT_OF(others); j++) {
			input = others[j];
			char *other_plain = build(&input);

			memcpy(input.arguments, filtered[i].arguments, sizeof input.arguments);
			char *other_text = build(&input), *actual = text_diff(other_plain, other_text);

			expect_well_formed(other_text);
			assert_string_equal(actual, expected);
			free(other_plain);
			free(other_text);
			free(actual);
		}
		free(text);
		free(expected);
	}
	free(plain);
}

/* What is not asked for costs nothing: it is not there. */
static void test_what_is_left_out(void **state)
{
	static const struct {
		const char *argument;
		const char *kept;
		const char *gone;
	} cases[] = {
		{ "-4", "sessions4_even", "sessions6" },
		{ "-4", "count4(", "count6(" },
		{ "-6", "sessions6_even", "sessions4" },
		{ "-6", "count6(", "count4(" },
		{ NULL, "sessions4_odd", "filter_cgroups" },
		{ NULL, "sessions6_odd", "filter_mntns" },
		{ NULL, "count_other", "switch (pid)" },
		{ NULL, "count_other", "socket_facts" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct input input = base;

		input.arguments[0] = cases[i].argument;
		char *text = build(&input);

		assert_non_null(strstr(text, cases[i].kept));
		assert_null(strstr(text, cases[i].gone));
		free(text);
	}
}

/* No path reaches the text, however it is written. */
static void test_paths_stay_out(void **state)
{
	struct input input = base;

	(void)state;
	input.arguments[0] = "--cgroupmap";
	input.arguments[1] = "/x\";\n#include \"/etc/passwd\"\n@N@";
	char *text = build(&input);

	assert_null(strstr(text, "passwd"));
	assert_null(strchr(text, '@'));
	free(text);
}

static void test_same_input_same_text(void **state)
{
	(void)state;
	char *one = build(&base), *two = build(&base);

	assert_string_equal(one, two);
	free(one);
	free(two);
}

static void test_stubs(void **state)
{
	static const char *const needed[] = { "linux/kconfig.h", "linux/types.h", "linux/bpf_common.h",
		"linux/log2.h", "asm/page.h", "uapi/linux/bpf.h", "uapi/linux/if_packet.h",
		"uapi/linux/if_ether.h" };
	struct kernel kernel = invented_kernel(VERSION_6_18);
	char version[256];

	(void)state;
	assert_int_equal(program_stub_count, COUNT_OF(needed));
	for (size_t i = 0; i < COUNT_OF(needed); i++) {
		size_t found = 0;

		for (size_t j = 0; j < program_stub_count; j++)
			found += strcmp(program_stubs[j].path, needed[i]) == 0;
		assert_int_equal(found, 1);
		assert_null(strchr(program_stubs[i].text, '@'));
	}
	size_t length = program_stub_version(version, sizeof version, &kernel);

	assert_int_equal(length, strlen(version));
	assert_non_null(strstr(version, "#define LINUX_VERSION_CODE 397824\n")); /* 6.18.0 */
	assert_non_null(strstr(version, "#define KERNEL_VERSION(a, b, c)"));
}

static void test_nothing_was_updated(void **state)
{
	(void)state;
	if (updating)
		fail_msg("%u golden files were written: look at them, then run without TCPTOP_UPDATE_GOLDEN",
		    updated);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_connections),
		cmocka_unit_test(test_filters_are_the_same_for_each_method),
		cmocka_unit_test(test_what_is_left_out),
		cmocka_unit_test(test_paths_stay_out),
		cmocka_unit_test(test_same_input_same_text),
		cmocka_unit_test(test_stubs),
		cmocka_unit_test(test_nothing_was_updated),
	};

	updating = getenv("TCPTOP_UPDATE_GOLDEN") != NULL;
	return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
