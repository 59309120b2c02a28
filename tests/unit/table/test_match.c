/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <time.h>
#include <unistd.h>

#include "model/cause.h"
#include "model/group.h"
#include "model/rows.h"
#include "names/names.h"
#include "table/column.h"
#include "table/match.h"
#include "make_session.h"

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof *(array))

static bool matches_with(
    const char *words, const struct session *session, const struct column_context *context)
{
	struct row row = { .session = *session, .members = 1, .first.wall_s = time(NULL) };
	struct match match;

	row.container = names_container(context->names, session->cgroup_id, session->pid, row.first.wall_s);
	match_set(&match, words);
	return match_row(&match, &row, context);
}

static bool matches(const char *words, const struct session *session)
{
	const struct column_context numbers = { 0 };

	return matches_with(words, session, &numbers);
}

static void all_match(const struct session *session, const char *const *words, size_t count, bool expected)
{
	for (size_t i = 0; i < count; i++)
		if (matches(words[i], session) != expected)
			fail_msg("%s: %s", words[i], expected ? "does not match" : "matches");
}

#define YES(session, ...)                                        \
	all_match(session, (const char *const[]){ __VA_ARGS__ }, \
	    ARRAY_LENGTH(((const char *const[]){ __VA_ARGS__ })), true)
#define NO(session, ...)                                         \
	all_match(session, (const char *const[]){ __VA_ARGS__ }, \
	    ARRAY_LENGTH(((const char *const[]){ __VA_ARGS__ })), false)

static void words_are_looked_for_everywhere(void **state)
{
	struct session nginx = make("Nginx", 181, "192.0.2.33", 51312, 1, 1);

	(void)state;
	YES(&nginx, "", " ", "nginx", "NGI", "181", "51312", "1000", ":51312", "nginx :1000", "!sshd",
	    "nginx !sshd", "!", "ng 192.0.2.33", "10.0.0.1");
	NO(&nginx, "apache", "nginx apache", "!nginx", "!:1000", "nginxx", ":x");
}

static void numbers_are_whole(void **state)
{
	struct session worker = make("node-18", 4430, "192.0.2.33", 8443, 1, 1);

	(void)state;
	YES(&worker, "4430", "8443", "18", "pid:4430", "port:8443", "port:1000", "!443", "comm:8",
	    "user:4430");
	NO(&worker, "443", "8", "44301", "844", ":844", "port:84", "pid:443", "port:4430", "pid:8443",
	    "user:443", "99999999999999999999");
}

static void addresses_are_whole_or_networks(void **state)
{
	struct session four = make("a", 9, "10.0.0.10", 443, 1, 1);

	(void)state;
	inet_pton(AF_INET, "192.168.7.1", four.laddr);
	YES(&four, "10.0.0.10", "10.0.0.10:443", "192.168.7.1:1000", "10.0.0.0/24", "10.0.0.0/28", "10.",
	    "10.0", "10.0.0.", "192.168", "host:10", "host:10.0.0.10", "host:10.0.0.0/8", "0.0.0.0/0",
	    "::ffff:10.0.0.10", "::ffff:10.0.0.0/120", "!10.0.0.1", "10.0/16", "[10.0.0.10]:443");
	NO(&four, "10.0.0.1", "10.0.0.100", "0.0.10", "10.0.0.10:44", "10.0.0.10:1000", "10.0.0.0/29", "10.1",
	    "10.0.1.", "host:11", "host:9", "2001:db8::/32", "10.0.0.10/33", "10.0.0.10%eth0", "10.0.0.1 0",
	    "::/0", "1.2.3.4.5", "256.", "[10.0.0.1]:443");
}

static void addresses_of_ipv6_in_any_spelling(void **state)
{
	struct session six = make("a", 9, "fd00::2", 443, 1, 1);
	struct session full = make("a", 9, "1:2:3:4:5:6:7:8", 443, 1, 1);

	(void)state;
	inet_pton(AF_INET6, "2001:db8::beef", six.laddr);
	YES(&six, "fd00::2", "[fd00::2]", "[fd00::2]:", "[fd00::2]:443", "[FD00:0::0:2]:443",
	    "[fd00:", "[fd00::2", "fd00::2:443", "fd00:0:0:0:0:0:0:2", "FD00::", "fd00:", "2001:db8",
	    "2001:db8:", "2001:db8::", "2001:db8::/32", "host:fd00::/8", "[fd00::/8]", "2001:db8::beef:1000",
	    "fd00::0.0.0.2", "::/0", "[2001:db8::beef]:1000");
	NO(&six, "fd00::20", "fd00::2:44", "[fd00::2]:4430", "[fd00::2]:1000", "fd01::/16", "2001:db9",
	    "fd00:1", "::1", "fd00::2/129", "0.0.0.0/0", "[fd00::2]x", "beef", "fd00:::");
	YES(&full, "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:443", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "1:2");
	NO(&full, "1:2:3:4:5:6:7:8:44", "1:2:3:4:5:6:8", "1:2:3:4:5:6:7:8:9:443");
}

static void links_are_part_of_link_local_addresses(void **state)
{
	struct session named = make_linked("a", 5, "fe80::2", 3, "eth0", 1);
	struct session odd = make_linked("a", 5, "2001:db8::2", 3, "e\033\xff", 1);
	struct session unknown = make_linked("a", 5, "fe80::2", 7, "", 1);
	struct session longest = make_linked("a", 5, "fe80:1111:2222:3333:4444:5555:6666:7777", UINT32_MAX,
	    "\a\a\a\a\a\a\a\a\a\a\a\a\a\a\a\a", 1);

	(void)state;
	YES(&named, "eth0", "%ETH0", "fe80::1%eth0:1000", "[fe80::2%eth0]:8000", "fe80::2%ETH0",
	    "fe80::2%eth0:8000 !eth1", "fe80::/10", "fe80::2", "host:eth0");
	NO(&named, "eth1", "%3", "fe80::2%eth1", "fe80::2%eth", "[fe80::1%eth0]:8000");
	YES(&odd, "fe80::1%e\\x1b\\xff:1000", "2001:db8::2:8000");
	NO(&odd, "2001:db8::2%e\\x1b\\xff:8000");
	YES(&unknown, "fe80::2%7:8000", "[fe80::2%7]:8000");
	longest.lport = longest.rport = 65535;
	longest.pid = UINT32_MAX;
	memcpy(longest.laddr, longest.raddr, sizeof longest.laddr);
	YES(&longest, "%\\x07\\x07", "fe80:1111:2222:3333:4444:5555:6666:7777", "65535", "4294967295");
}

static void local_is_loopback_or_one_address(void **state)
{
	struct session out = make("a", 5, "192.0.2.1", 80, 1, 1);
	struct session self = make("localhost", 5, "10.0.0.1", 80, 1, 1);
	struct session four = make("a", 5, "127.8.0.1", 80, 1, 1);
	struct session six = make("a", 5, "::1", 80, 1, 1);
	struct session listener = { .family = 4, .pid = 5, .lport = 80 }, inner = listener;
	struct row group = { .session = { .family = 4, .pid = 5 }, .members = 1, .is_group = true };
	const struct column_context numbers = { 0 };
	struct match match;

	(void)state;
	YES(&out, "!local");
	NO(&out, "local");
	YES(&self, "local", "comm:local", "localhos");
	YES(&four, "local", "LOCAL");
	YES(&six, "local");
	NO(&six, "!local");
	YES(&listener, "!local");
	inet_pton(AF_INET, "127.0.0.1", inner.laddr);
	YES(&inner, "local");
	match_set(&match, "!local");
	assert_true(match_row(&match, &group, &numbers)); /* has no address */
}

static void names_are_matched_where_they_are_shown(void **state)
{
	struct session session = make("curl", 5, "192.0.2.1", 443, 1, 1);
	struct column_context context = { .names = names_open(NULL, NULL) };

	(void)state;
	assert_non_null(context.names);
	assert_false(matches_with("https", &session, &context));
	assert_true(matches_with("port:https", &session, &context));
	assert_true(matches_with(":HTTPS", &session, &context));
	assert_true(matches_with("192.0.2.1:https", &session, &context));
	assert_false(matches_with("port:http", &session, &context));
	context.port_names = true;
	assert_true(matches_with("https", &session, &context));
	assert_true(matches_with("http", &session, &context));
	assert_false(matches_with("port:http", &session, &context));
	assert_true(matches_with(":443", &session, &context));
	names_close(context.names);
}

static bool is_in_path(const char *word, const char *path)
{
	struct pattern pattern;

	pattern_set(&pattern, word, false);
	return pattern_in(&pattern, path, true);
}

/* The id as crictl cuts it, the pod's UID as kubectl prints it: systemd's names have underscores. */
static void parts_of_paths_are_ids(void **state)
{
	static const char path[] =
	    "/kubepods.slice/kubepods-burstable.slice/"
	    "kubepods-burstable-pod0b5c1a2e_4d0f_4a57_9f6c_0123456789ab.slice/"
	    "cri-containerd-12345678901235f0e1d2c3b4a5968778695a4b3c2d1e0f00112233445566778a.scope";

	(void)state;
	assert_true(is_in_path("12345678901235f0e1d2c3b4a5968778695a4b3c2d1e0f00112233445566778a", path));
	assert_true(is_in_path("1234567890123", path));
	assert_true(is_in_path("0b5c1a2e-4d0f-4a57-9f6c-0123456789ab", path));
	assert_true(is_in_path("pod0b5c1a2e_4d0f", path));
	assert_true(is_in_path("burstable.slice/kubepods", path));
	assert_false(is_in_path("0b5c1a2e-4d0f-4a57-9f6c-0123456789ac", path));
	assert_false(is_in_path("5678", path)); /* a number is whole */
}

/* This process's own: no other is known to be there. */
static void command_lines_are_matched(void **state)
{
	struct session session = make("curl", (uint32_t)getpid(), "192.0.2.1", 443, 1, 1);
	struct column_context context = { .names = names_open("", NULL) };
	char command[2048] = "";

	(void)state;
	assert_non_null(context.names);
	const char *why = names_command(context.names, session.pid, time(NULL), command, sizeof command);

	if (why) {
		print_message("%s\n", why);
		names_close(context.names);
		skip();
	}
	assert_true(matches_with("test_table_MATCH", &session, &context));
	assert_true(matches_with("command:table_match", &session, &context));
	assert_false(matches_with("comm:table_match", &session, &context));
	assert_false(matches_with("command:curl", &session, &context));
	names_close(context.names);
}

/* A part of the name, - for _ if one likes; what a socket is in is no word of the others. */
static void states_and_causes_are_fields(void **state)
{
	struct session stuck = make("app", 181, "192.0.2.33", 51312, 1, 1), none = stuck;
	struct match match;

	(void)state;
	stuck.socket.state = SOCKET_CLOSE_WAIT;
	stuck.socket.cause = CAUSE_PEER;
	YES(&stuck, "state:close_wait", "state:CLOSE-WAIT", "state:wait", "why:peer", "!why:app",
	    "!state:listen", "app state:close_wait why:peer");
	NO(&stuck, "state:time_wait", "!state:close_wait", "why:app", "close_wait", "peer");
	NO(&none, "state:close_wait", "why:peer", "state:close");
	match_set(&match, "app");
	assert_false(match.of_sockets);
	match_set(&match, "app !why:idle");
	assert_true(match.of_sockets);
}

/* A listener of the kernel's, as NFS has: a connection without a process, but no group. */
static void what_no_process_has_has_a_state(void **state)
{
	struct session listener = { .family = 4, .lport = 2049, .uid = UINT32_MAX };
	const struct column_context numbers = { 0 };
	struct row group = { .members = 1 }, row = { .members = 1 };
	struct match match;

	(void)state;
	listener.socket.state = SOCKET_LISTEN;
	inet_pton(AF_INET, "10.0.0.1", listener.laddr);
	YES(&listener, "state:listen", "!state:established", "10.0.0.1", "port:2049");
	NO(&listener, "!state:listen", "local", "10.0.0.2");
	row.session = listener;
	group_add(&group, &row, true);
	group.session.family = 4;
	match_set(&match, "state:listen");
	assert_true(match_row(&match, &row, &numbers));
	assert_false(match_row(&match, &group, &numbers));
}

static void fields_and_faults(void **state)
{
	static const struct {
		const char *text;
		enum match_fault fault;
		size_t words;
		const char *said;
	} cases[] = {
		{ "port:443 host:10.0.0.0/8 user:www comm:nginx !local", MATCH_FINE, 5, NULL },
		{ "docker:0123456789ab cri:0 container:x fd00: dead:beef ::1 :80", MATCH_FINE, 7, NULL },
		{ "10.0.0.1:80 [fd00::2]:443 web-1:80 kworker/0:1", MATCH_FINE, 4, NULL },
		{ "a prot:443 port:x9999999", MATCH_NO_SUCH_FIELD, 3, "no field 'prot'" },
		{ "port:", MATCH_NO_VALUE, 0, "what follows 'port:'?" },
		{ "a !", MATCH_NO_VALUE, 1, "what follows '!'?" },
		{ ":", MATCH_NO_VALUE, 0, "what follows ':'?" },
		{ "port:70000", MATCH_WRONG_VALUE, 0, "'70000' is no port" },
		{ "listen:443 listen:https", MATCH_FINE, 2, NULL },
		{ "listen:70000", MATCH_WRONG_VALUE, 0, "'70000' is no port" },
		{ ":99999999999999", MATCH_WRONG_VALUE, 0, "'99999999999999' is no port" },
		{ "pid:init x", MATCH_WRONG_VALUE, 1, "'init' is no pid" },
		{ "port:443,80 a", MATCH_WRONG_VALUE, 1, "'443,80' is no port" },
		{ "state:closewait", MATCH_WRONG_VALUE, 0, "'closewait' is no state" },
		{ "why:rain x", MATCH_WRONG_VALUE, 1, "'rain' is no cause" },
		{ "port:80-443", MATCH_WRONG_VALUE, 0, "'80-443' is no port" },
		{ "port:3com-tsmux port:http-alt", MATCH_FINE, 2, NULL },
		{ "host:10.0.0.1,10.0.0.2", MATCH_WRONG_VALUE, 0, "'10.0.0.1,10.0.0.2' is no host" },
		{ "host:::1/129", MATCH_WRONG_VALUE, 0, "'::1/129' is no host" },
		{ "!!port:443 !!!local", MATCH_FINE, 2, NULL },
		{ "!!", MATCH_NO_VALUE, 0, "what follows '!'?" },
		{ "!host:10.0.0.0/33", MATCH_WRONG_VALUE, 0, "'10.0.0.0/33' is no host" },
	};
	struct match match;
	char said[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		match_set(&match, cases[i].text);
		if (match.fault != cases[i].fault)
			fail_msg("%s: fault %d", cases[i].text, match.fault);
		assert_int_equal(match.word_count, cases[i].words);
		const char *text = match_say_fault(&match, said, sizeof said);

		assert_int_equal(!text, !cases[i].said);
		if (text)
			assert_string_equal(text, cases[i].said);
	}
	match_set(&match, "host:example.com");
	assert_true(match_needs_host_names(&match));
	match_set(&match, "host:10.0.0.1 example.com");
	assert_false(match_needs_host_names(&match));
}

static void fields_look_in_one_place(void **state)
{
	struct session session = make("ssh443", 22, "192.0.2.1", 443, 1, 1);

	(void)state;
	YES(&session, "comm:ssh", "!!comm:ssh", "!!!comm:22", "comm:443", "pid:22", "user:22", "!pid:443",
	    "!comm:22", "!prot:443", "comm:SSH !port:22");
	NO(&session, "user:ssh", "host:ssh", "container:ssh", "cgroup:ssh", "comm:22", "pid:443", "port:22",
	    "prot:443");
}

/* The port that accepted it: not one that it connected to, or was connected from. */
static void listeners_are_told(void **state)
{
	struct session accepted = make("nginx", 22, "192.0.2.1", 443, 1, 1);
	struct session connected = accepted, unknown = accepted;

	(void)state;
	accepted.accepted = ANSWER_YES;
	connected.accepted = ANSWER_NO;
	YES(&accepted, "listen:1000", "!listen:443", "port:443");
	NO(&accepted, "listen:443", "listen:10", "!listen:1000");
	YES(&connected, "!listen:1000", "!listen:443", "port:1000");
	NO(&connected, "listen:1000", "listen:443");
	NO(&unknown, "listen:1000", "listen:443");
}

/* What narrows is checked by what it claims: a row that fails the first text fails the second. */
static void what_narrows_has_fewer_rows(void **state)
{
	static const char *const texts[] = { "1", "10", "10.", "10.0.0.1", "10.0.0.10", "10.0.0.0/2",
		"10.0.0.0/24", "192.0.2.3", "192.0.2.33", "192.0.2.33:4", "192.0.2.33:443", "44", "443",
		"4430", ":4", ":44", ":443", "port:4", "port:443", "pid:4", "pid:44", "n", "ng", "nginx",
		"!n", "!ng", "d", "de", "dead", "dead:", "dead:beef",
		"dead:beef:", "dead:beef::", "dead:beef::1", "comm:n", "comm:ng", "loca", "local", "locals",
		"host:1", "host:19", "host:192", "user:4", "user:44", "host:10.0.0.0/1", "host:10.0.0.0/16",
		"n l", "[dead", "[dead:beef::1]:4", "[dead:beef::1]:443", "f", "fe", "fe80::1%e",
		"fe80::1%eth0", "comm:4", "comm:44", "listen:10", "listen:100", "listen:1000", "n !1",
		"n !10", "" };
	struct session sessions[] = {
		make("nginx", 44, "192.0.2.33", 443, 1, 1),
		make("dead", 4, "10.0.0.10", 44, 1, 1),
		make("locals", 443, "10.0.0.1", 4, 1, 1),
		make("local", 10, "dead:beef::1", 4430, 1, 1),
		make("n4", 1, "dead:beef::1", 443, 1, 1),
		make_linked("n44", 4430, "fe80::1", 3, "eth0", 1),
	};
	struct match from, to;

	(void)state;
	sessions[0].accepted = ANSWER_YES;
	sessions[1].accepted = ANSWER_NO;
	for (size_t i = 0; i < ARRAY_LENGTH(texts) * ARRAY_LENGTH(texts); i++) {
		const char *before = texts[i / ARRAY_LENGTH(texts)], *after = texts[i % ARRAY_LENGTH(texts)];

		match_set(&from, before);
		match_set(&to, after);
		if (!match_narrows(&from, &to))
			continue;
		for (size_t s = 0; s < ARRAY_LENGTH(sessions); s++)
			if (!matches(before, &sessions[s]) && matches(after, &sessions[s]))
				fail_msg("'%s' then '%s': row %zu", before, after, s);
	}
}

static void typing_on_narrows_but_for_numbers_and_absence(void **state)
{
	static const struct {
		const char *from, *to;
		bool narrows;
	} cases[] = {
		{ "", "n", false },
		{ "n", "nb", true },
		{ "nb", "n", false },
		{ "n", "n b", true },
		{ "n b", "n bc", true },
		{ "n b", "b n", false },
		{ ":5", ":51", false },
		{ ":5", ":5 x", true },
		{ "!n", "!nb", false },
		{ "!n", "!n b", true },
		{ "n", "n !b", true },
		{ "n !", "n !b", true },
		{ "n", "n", true },
		{ "x", "!x", false },
		{ "1", ":1", false },
		{ "1", "10", false },
		{ "10.0.0.1", "10.0.0.10", false },
		{ "10.0.0.0/2", "10.0.0.0/24", false },
		{ "comm:n", "comm:ng", true },
		{ "loca", "local", false },
		{ "user:w", "comm:w", false },
	};
	struct match from, to;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		match_set(&from, cases[i].from);
		match_set(&to, cases[i].to);
		if (match_narrows(&from, &to) != cases[i].narrows)
			fail_msg("'%s' then '%s'", cases[i].from, cases[i].to);
	}
}

static void more_words_than_there_is_room_for(void **state)
{
	struct match match;
	char text[300];

	(void)state;
	memset(text, 'x', sizeof text);
	for (size_t i = 1; i < sizeof text; i += 2)
		text[i] = ' ';
	text[sizeof text - 1] = '\0';
	match_set(&match, text);
	assert_int_equal(match.word_count, MATCH_WORDS_MAX);
	assert_int_equal(match.fault, MATCH_TOO_MUCH);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_looked_for_everywhere),
		cmocka_unit_test(numbers_are_whole),
		cmocka_unit_test(addresses_are_whole_or_networks),
		cmocka_unit_test(addresses_of_ipv6_in_any_spelling),
		cmocka_unit_test(links_are_part_of_link_local_addresses),
		cmocka_unit_test(local_is_loopback_or_one_address),
		cmocka_unit_test(names_are_matched_where_they_are_shown),
		cmocka_unit_test(parts_of_paths_are_ids),
		cmocka_unit_test(command_lines_are_matched),
		cmocka_unit_test(states_and_causes_are_fields),
		cmocka_unit_test(what_no_process_has_has_a_state),
		cmocka_unit_test(fields_and_faults),
		cmocka_unit_test(fields_look_in_one_place),
		cmocka_unit_test(listeners_are_told),
		cmocka_unit_test(what_narrows_has_fewer_rows),
		cmocka_unit_test(typing_on_narrows_but_for_numbers_and_absence),
		cmocka_unit_test(more_words_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
