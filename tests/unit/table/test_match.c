/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/rows.h"
#include "table/match.h"
#include "make_session.h"

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof *(array))

static bool matches(const char *words, const struct session *session)
{
	struct row row = { .session = *session };
	struct match match;

	match_set(&match, words);
	return match_row(&match, &row, NULL, false);
}

static void words_are_looked_for_everywhere(void **state)
{
	struct session nginx = make("Nginx", 181, "192.0.2.33", 51312, 1, 1);
	struct session six = make("sshd", 99, "2001:db8::beef", 22, 1, 1);
	static const char *const yes[] = { "", " ", "nginx", "NGI", "181", "192.0.2", "0.2.33:513", ":51312",
		":1000", "nginx :1000", "10.0.0.1", "!sshd", "nginx !sshd", "!", "ng  33" };
	static const char *const no[] = { "apache", "nginx apache", ":5131", "!nginx", "!:1000", "192.0.3",
		"nginxx", "1810", "33:51312x", ":x" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(yes); i++)
		assert_true(matches(yes[i], &nginx));
	for (size_t i = 0; i < ARRAY_LENGTH(no); i++)
		assert_false(matches(no[i], &nginx));
	assert_true(matches("BEEF", &six));
	assert_true(matches("db8::beef:22", &six));
	/* Neighbouring parts do not run into one: "99" + "::1000". */
	assert_false(matches("99::", &six));
}

static void links_are_part_of_link_local_addresses(void **state)
{
	struct session named = make_linked("a", 5, "fe80::2", 3, "eth0", 1);
	struct session odd = make_linked("a", 5, "2001:db8::2", 3, "e\033\xff", 1);
	struct session unknown = make_linked("a", 5, "fe80::2", 7, "", 1);
	struct session longest = make_linked("a", 5, "fe80:1111:2222:3333:4444:5555:6666:7777", UINT32_MAX,
	    "\a\a\a\a\a\a\a\a\a\a\a\a\a\a\a\a", 1);

	(void)state;
	assert_true(matches("eth0", &named));
	assert_true(matches("%ETH0", &named));
	assert_true(matches("fe80::1%eth0:1000", &named));
	assert_true(matches("fe80::2%eth0:8000 !eth1", &named));
	assert_false(matches("eth1", &named));
	assert_false(matches("%3", &named));
	assert_true(matches("fe80::1%e\\x1b\\xff:1000", &odd));
	assert_true(matches("db8::2:8000", &odd));
	assert_true(matches("fe80::2%7:8000", &unknown));
	longest.lport = longest.rport = 65535;
	longest.pid = UINT32_MAX;
	memcpy(longest.laddr, longest.raddr, sizeof longest.laddr);
	assert_true(matches("7777%\\x07\\x07 \\x07:65535", &longest));
}

static void typing_on_narrows_but_for_ports_and_absence(void **state)
{
	static const struct {
		const char *from, *to;
		bool narrows;
	} cases[] = {
		{ "", "a", false },
		{ "a", "ab", true },
		{ "ab", "a", false },
		{ "a", "a b", true },
		{ "a b", "a bc", true },
		{ "a b", "b a", false },
		{ ":5", ":51", false },
		{ ":5", ":5 x", true },
		{ ":", ":5", true },
		{ "!a", "!ab", false },
		{ "!a", "!a b", true },
		{ "a", "a !b", true },
		{ "a !", "a !b", true },
		{ "a", "a", true },
		{ "x", "!x", false },
		{ "1", ":1", false },
	};
	struct match from, to;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		match_set(&from, cases[i].from);
		match_set(&to, cases[i].to);
		assert_int_equal(match_narrows(&from, &to), cases[i].narrows);
	}
}

static void more_words_than_there_is_room_for(void **state)
{
	struct match match;
	char text[400];

	(void)state;
	memset(text, 'x', sizeof text);
	for (size_t i = 1; i < sizeof text; i += 2)
		text[i] = ' ';
	text[sizeof text - 1] = '\0';
	match_set(&match, text);
	assert_int_equal(match.word_count, MATCH_WORDS_MAX);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_looked_for_everywhere),
		cmocka_unit_test(links_are_part_of_link_local_addresses),
		cmocka_unit_test(typing_on_narrows_but_for_ports_and_absence),
		cmocka_unit_test(more_words_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
