/* SPDX-License-Identifier: Apache-2.0 */
/* Cells of what a socket waits for, alone and of a group, and the sentence that explains it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/util.h"
#include "model/cause.h"
#include "table/standing.h"
#include "test_list.h"

static const char *cell(const char *id, const struct socket_summary *socket, enum style *style)
{
	static struct cell cell;
	const struct column_context context = { .unit = UNIT_HUMAN };
	const struct row row = { .session.socket = *socket };

	cell = (struct cell){ .width = column_find(id)->width_max };
	column_find(id)->format(&context, &row, &cell);
	*style = cell.style;
	return cell.text;
}

static void cells_tell_what_is_known(void **state)
{
	static const struct {
		const char *id;
		struct socket_summary socket;
		const char *text;
		bool alerts;
	} cases[] = {
		{ "state", { 0 }, "-", false },
		{ "state", { .state = SOCKET_CLOSE_WAIT }, "CLOSE_WAIT", false },
		{ "state", { .state = SOCKET_LISTEN, .backlog = 5, .backlog_max = 5 }, "LISTEN 5/5", false },
		{ "state", { .state = SOCKET_LISTEN, .backlog = 6, .backlog_max = 5 }, "LISTEN 6/5", true },
		{ "state",
		    { .state = SOCKET_LISTEN,
		        .backlog = 6,
		        .backlog_max = 10,
		        .joined = 1,
		        .joined_full = 1 },
		    "LISTEN 6/10", true },
		{ "state", { .state = SOCKET_LISTEN, .backlog = 6, .backlog_max = 10, .joined = 1 },
		    "LISTEN 6/10", false },
		{ "why", { .state = SOCKET_LISTEN }, "-", false },
		{ "why", { .cause = CAUSE_IDLE, .shares[CAUSE_IDLE] = 100 }, "idle 100%", false },
		{ "why", { .cause = CAUSE_APP, .shares[CAUSE_APP] = 51 }, "app 51%", false },
		{ "why", { .cause = CAUSE_PEER, .shares[CAUSE_PEER] = 71 }, "peer 71%", true },
		{ "why", { .cause = CAUSE_READER, .shares[CAUSE_READER] = 100 }, "reader 100%", true },
		{ "unread", { 0 }, "-", false },
		{ "unread", { .state = SOCKET_LISTEN }, "-", false },
		{ "unread", { .state = SOCKET_ESTABLISHED }, "0B", false },
		{ "unread", { .state = SOCKET_ESTABLISHED, .unread_bytes = 512 }, "512B", false },
		{ "unsent", { .state = SOCKET_ESTABLISHED, .unsent_bytes = 300, .unacked_bytes = 5 }, "305B",
		    false },
		{ "unsent",
		    { .state = SOCKET_ESTABLISHED, .unsent_bytes = UINT32_MAX, .unacked_bytes = UINT32_MAX },
		    "8.00GB", false },
		{ "idle", { .state = SOCKET_ESTABLISHED }, "-", false },
		{ "resent", { 0 }, "-", false },
		{ "resent", { .sent_bytes = 1000 }, "0%", false },
		{ "resent", { .sent_bytes = 10000, .retrans_bytes = 12 }, "0.12%", true },
		{ "resent", { .sent_bytes = 100, .retrans_bytes = 50 }, "50%", true },
		{ "rttmin", { 0 }, "-", false },
		{ "rttmin", { .rtt_min_us = 1234 }, "1.23ms", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		enum style style;
		const char *text = cell(cases[i].id, &cases[i].socket, &style);

		if (strcmp(text, cases[i].text) != 0 || (style == STYLE_ALERT) != cases[i].alerts)
			fail_msg("%s: '%s', not '%s', or of another style", cases[i].id, text, cases[i].text);
		assert_true(strlen(text) <= column_find(cases[i].id)->width_max);
	}
}

/* By weight: what somebody should look into is first. */
static void the_order_is_by_weight(void **state)
{
	static const uint8_t order[] = { CAUSE_NONE, CAUSE_IDLE, CAUSE_REMOTE, CAUSE_APP, CAUSE_QUEUE,
		CAUSE_BUFFER, CAUSE_READER, CAUSE_PEER, CAUSE_LOSS };
	uint64_t before = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(order); i++)
		for (uint8_t share = 50; share <= 100; share += 50) {
			struct row row = { 0 };

			row.session.socket.cause = order[i];
			row.session.socket.shares[order[i]] = order[i] ? share : 0;
			uint64_t rank = column_find("why")->rank(NULL, &row);

			assert_true(rank > before || order[i] == CAUSE_NONE);
			before = rank;
		}
}

static void a_sentence_has_the_evidence(void **state)
{
	char sentence[256];

	(void)state;
	assert_string_equal(standing_sentence(&(struct socket_summary){ 0 }, sentence, sizeof sentence), "");
	for (uint8_t cause = CAUSE_APP; cause < CAUSE_COUNT; cause++) {
		struct socket_summary socket = {
			.cause = cause, .unread_bytes = 7, .unsent_bytes = 100, .unacked_bytes = 11
		};

		socket.shares[cause] = 71;
		standing_sentence(&socket, sentence, sizeof sentence);
		assert_int_equal(strncmp(sentence, cause_name(cause), strlen(cause_name(cause))), 0);
		assert_non_null(strstr(sentence, " 71%: "));
		assert_int_equal(strstr(sentence, "; 7B unread") != NULL, cause == CAUSE_READER);
		assert_int_equal(strstr(sentence, "; 111B not acknowledged") != NULL,
		    cause == CAUSE_PEER || cause == CAUSE_LOSS || cause == CAUSE_QUEUE);
	}
}

/* Of a group the times add up, without those of what is idle; bytes too; of round trips it is the longest. */
static void groups_add_up(void **state)
{
	struct fixture *fixture = *state;
	struct row *rows = fixture->traffic.rows.rows;

	rows[0].session.socket = (struct socket_summary){ .state = SOCKET_ESTABLISHED,
		.cause = CAUSE_PEER,
		.shares = { [CAUSE_PEER] = 90, [CAUSE_IDLE] = 10 },
		.unread_bytes = UINT32_MAX,
		.sent_bytes = 100,
		.retrans_bytes = 1 };
	rows[0].session.rtt_us = 5;
	rows[0].session.retransmits = 2;
	rows[1].session.socket = (struct socket_summary){ .state = SOCKET_ESTABLISHED,
		.cause = CAUSE_IDLE,
		.shares = { [CAUSE_APP] = 30, [CAUSE_IDLE] = 70 },
		.unread_bytes = 9,
		.sent_bytes = 300 };
	rows[1].session.rtt_us = 4;
	rows[1].session.retransmits = 3;
	fixture->settings.grouping = fixture->context.grouping = GROUPING_PROCESS;
	for (int again = 0; again < 2;
	     again++) { /* a list that is built anew does not add to the one before */
		assert_string_equal(listed(fixture), "web:300 db:50");
		const struct session *web = &list_rows(&fixture->list, &fixture->context)->rows[0].session;
		const struct session *db = &list_rows(&fixture->list, &fixture->context)->rows[1].session;

		assert_int_equal(web->socket.cause, CAUSE_PEER);
		assert_int_equal(web->socket.shares[CAUSE_PEER], 75);
		assert_int_equal(web->socket.shares[CAUSE_APP], 25);
		assert_int_equal(web->socket.unread_bytes, UINT32_MAX);
		assert_int_equal(web->socket.sent_bytes, 400);
		assert_int_equal(web->socket.retrans_bytes, 1);
		assert_int_equal(web->rtt_us, 5);
		assert_int_equal(web->retransmits, 5);
		assert_int_equal(db->socket.cause, CAUSE_NONE);
		assert_int_equal(db->socket.state, STATE_UNKNOWN);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_tell_what_is_known),
		cmocka_unit_test(the_order_is_by_weight),
		cmocka_unit_test(a_sentence_has_the_evidence),
		cmocka_unit_test_setup_teardown(groups_add_up, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("standing", tests, NULL, NULL);
}
