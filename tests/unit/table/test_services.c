/* SPDX-License-Identifier: Apache-2.0 */
/* Groups by the port that accepted a connection. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "test_list.h"

/* By the port that accepted them; what this side connected is one group, and what is not known another. */
static void services_are_listening_ports(void **state)
{
	static const struct {
		uint8_t accepted;
		uint16_t lport, rport;
		uint64_t rx_bytes;
	} connections[] = {
		{ ANSWER_YES, 443, 50000, 1 },
		{ ANSWER_YES, 443, 50001, 2 },
		{ ANSWER_YES, 5432, 443, 4 },
		{ ANSWER_NO, 443, 50002, 8 }, /* bound to it, and yet it connected */
		{ ANSWER_NO, 50000, 443, 16 },
		{ ANSWER_UNKNOWN, 443, 50003, 32 },
	};
	struct fixture *fixture = *state;
	struct session sessions[sizeof connections / sizeof connections[0]];

	for (size_t i = 0; i < sizeof connections / sizeof connections[0]; i++) {
		sessions[i] = make("x", 10 + (uint32_t)i, i & 1 ? "192.0.2.9" : "2001:db8::9",
		    connections[i].rport, connections[i].rx_bytes, 0);
		sessions[i].lport = connections[i].lport;
		sessions[i].accepted = connections[i].accepted;
	}
	fixture->context.all = true;
	merge(fixture, sessions, sizeof sessions / sizeof sessions[0]);
	fixture->settings.grouping = fixture->context.grouping = GROUPING_SERVICE;
	listed(fixture);
	assert_int_equal(fixture->list.count, 4);
	for (size_t i = 0; i < fixture->list.count; i++) {
		const char *text = cell_text(fixture, "service", i);
		uint64_t rx_bytes = list_rows(&fixture->list, &fixture->context)
		                        ->rows[fixture->list.items[i].row]
		                        .session.rx_bytes;

		assert_int_equal(rx_bytes, strcmp(text, ":443") == 0       ? 3
		                           : strcmp(text, ":5432") == 0    ? 4
		                           : strcmp(text, "outgoing") == 0 ? 24
		                                                           : 32);
	}
	/* It was a listener's all the time, though the kernel does not tell any more. */
	sessions[0].accepted = ANSWER_UNKNOWN;
	merge(fixture, sessions, 1);
	listed(fixture);
	assert_int_equal(fixture->list.count, 4);
	match_set(&fixture->settings.words, "listen:443");
	fixture->settings.epoch++;
	fixture->settings.grouping = fixture->context.grouping = GROUPING_NONE;
	listed(fixture);
	assert_int_equal(fixture->list.count, 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(services_are_listening_ports, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
