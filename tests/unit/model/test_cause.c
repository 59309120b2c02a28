/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection waited for, from made facts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/util.h"
#include "model/cause.h"
#include "model/socket.h"

#define HZ 250
#define S UINT64_C(1000000000)

static const struct socket_clock usual = { .time_ns = 2 * S, .jiffies = 500, .hz = HZ };

/* A second between two passes, in which nothing happened. */
static struct socket_facts still(void)
{
	return (struct socket_facts){
		.state = SOCKET_ESTABLISHED, .passed_ns = S, .told_ns = 2 * S, .rtt_min_us = UINT32_MAX
	};
}

static void expect_whole(const struct socket_summary *summary)
{
	unsigned sum = 0;

	assert_in_range(summary->cause, CAUSE_APP, CAUSE_COUNT - 1);
	assert_int_equal(summary->shares[CAUSE_NONE], 0);
	for (int i = CAUSE_APP; i < CAUSE_COUNT; i++) {
		sum += summary->shares[i];
		assert_true(summary->shares[i] <= summary->shares[summary->cause]);
	}
	assert_int_equal(sum, 100);
}

/* ---- what it waited for ---- */

/* In jiffies of a second of 250: with the remote's window full, the send buffer full, and anything to be acknowledged. */
struct waits {
	const char *what;
	uint32_t peer, buffer, busy;
	struct socket_facts facts; /* and what else there is, of state, now and before */
	uint64_t rx_bytes, tx_bytes;
	uint8_t shares[CAUSE_COUNT];
};

static const struct waits all_waits[] = {
	{ "writes a little", 0, 0, 0, { .state = SOCKET_ESTABLISHED }, 0, 10, { [CAUSE_APP] = 100 } },
	{ "writes as much as it reads", 0, 0, 0, { .state = SOCKET_ESTABLISHED }, 10, 10,
	    { [CAUSE_APP] = 100 } },
	{ "reads", 0, 0, 0, { .state = SOCKET_ESTABLISHED }, 11, 10, { [CAUSE_REMOTE] = 100 } },
	{ "neither", 0, 0, 0, { .state = SOCKET_ESTABLISHED }, 0, 0, { [CAUSE_IDLE] = 100 } },
	{ "the remote does not read", 250, 0, 250, { .state = SOCKET_ESTABLISHED }, 0, 0,
	    { [CAUSE_PEER] = 100 } },
	{ "nor often", 200, 0, 200, { .state = SOCKET_ESTABLISHED }, 0, 9,
	    { [CAUSE_PEER] = 80, [CAUSE_APP] = 20 } },
	{ "a small buffer", 0, 225, 250, { .state = SOCKET_ESTABLISHED }, 0, 9,
	    { [CAUSE_BUFFER] = 90, [CAUSE_QUEUE] = 10 } },
	{ "a buffer that one call fills", 0, 0, 250,
	    { .state = SOCKET_ESTABLISHED,
	        .send_buffer_bytes = 30000,
	        .send_queued_bytes = 20000,
	        .unsent_bytes = 0,
	        .flight_segments = 14,
	        .window_segments = 20 },
	    0, 9, { [CAUSE_BUFFER] = 100 } },
	{ "room in it", 0, 0, 250,
	    { .state = SOCKET_ESTABLISHED,
	        .send_buffer_bytes = 30000,
	        .send_queued_bytes = 19999,
	        .unsent_bytes = 0,
	        .flight_segments = 14,
	        .window_segments = 20 },
	    0, 9, { [CAUSE_QUEUE] = 100 } },
	{ "not all of it sent", 0, 0, 250,
	    { .state = SOCKET_ESTABLISHED,
	        .send_buffer_bytes = 30000,
	        .send_queued_bytes = 20000,
	        .unsent_bytes = 1,
	        .flight_segments = 14,
	        .window_segments = 20 },
	    0, 9, { [CAUSE_QUEUE] = 100 } },
	{ "a congestion window that is full", 0, 0, 250,
	    { .state = SOCKET_ESTABLISHED,
	        .send_buffer_bytes = 30000,
	        .send_queued_bytes = 20000,
	        .unsent_bytes = 0,
	        .flight_segments = 20,
	        .window_segments = 20 },
	    0, 9, { [CAUSE_QUEUE] = 100 } },
	{ "nothing under way", 0, 0, 250,
	    { .state = SOCKET_ESTABLISHED,
	        .send_buffer_bytes = 30000,
	        .send_queued_bytes = 20000,
	        .unsent_bytes = 0,
	        .flight_segments = 0,
	        .window_segments = 20 },
	    0, 9, { [CAUSE_QUEUE] = 100 } },
	{ "of it, some lost", 0, 0, 250,
	    { .state = SOCKET_ESTABLISHED,
	        .send_buffer_bytes = 30000,
	        .send_queued_bytes = 20000,
	        .unsent_bytes = 0,
	        .flight_segments = 14,
	        .window_segments = 20,
	        .now.retransmits = 1 },
	    0, 9, { [CAUSE_LOSS] = 100 } },
	{ "a long way", 0, 0, 125, { .state = SOCKET_ESTABLISHED }, 0, 9,
	    { [CAUSE_QUEUE] = 50, [CAUSE_APP] = 50 } },
	{ "a lost segment", 0, 0, 250, { .now.retransmits = 8, .before.retransmits = 7 }, 0, 9,
	    { [CAUSE_LOSS] = 100 } },
	{ "what was lost before", 0, 0, 250, { .now.retransmits = 7, .before.retransmits = 7 }, 0, 9,
	    { [CAUSE_QUEUE] = 100 } },
	{ "recovery", 0, 0, 250, { .congestion = 3 }, 0, 9, { [CAUSE_LOSS] = 100 } },
	{ "disorder", 0, 0, 250, { .congestion = 1 }, 0, 9, { [CAUSE_QUEUE] = 100 } },
	{ "nobody answers", 0, 0, 250, { .retries = 1 }, 0, 0, { [CAUSE_LOSS] = 100 } },
	{ "nobody reads here", 0, 0, 0, { .now.unread_bytes = 9000, .before.unread_bytes = 9000 }, 0, 0,
	    { [CAUSE_READER] = 100 } },
	{ "reads slowly", 0, 0, 0,
	    { .now.unread_bytes = 500,
	        .before.unread_bytes = 100,
	        .now.read_seq = 390,
	        .before.read_seq = UINT32_MAX - 9 },
	    400, 0, { [CAUSE_READER] = 25, [CAUSE_REMOTE] = 75 } },
	{ "reads less than waits", 0, 0, 0,
	    { .now.unread_bytes = 500, .before.unread_bytes = 500, .now.read_seq = 499 }, 499, 0,
	    { [CAUSE_READER] = 100 } },
	{ "unread but now", 0, 0, 0, { .now.unread_bytes = 500 }, 9, 0, { [CAUSE_REMOTE] = 100 } },
	{ "writes, and does not read", 125, 0, 125, { .now.unread_bytes = 9, .before.unread_bytes = 9 }, 0, 9,
	    { [CAUSE_PEER] = 50, [CAUSE_READER] = 50 } },
	{ "connects", 0, 0, 0, { .state = SOCKET_SYN_SENT }, 0, 0, { [CAUSE_QUEUE] = 100 } },
	{ "connects to nobody", 0, 0, 10, { .state = SOCKET_SYN_SENT, .retries = 2 }, 0, 0,
	    { [CAUSE_LOSS] = 100 } },
	{ "a jiffy too many", 100, 25, 251, { .state = SOCKET_ESTABLISHED }, 0, 9,
	    { [CAUSE_PEER] = 40, [CAUSE_BUFFER] = 10, [CAUSE_QUEUE] = 50 } },
	{ "far too many", 5000, 0, 10000, { .state = SOCKET_ESTABLISHED }, 0, 9,
	    { [CAUSE_PEER] = 50, [CAUSE_QUEUE] = 50 } },
	{ "a clock that went back", -1u, 0, -1u, { .state = SOCKET_ESTABLISHED }, 0, 9,
	    { [CAUSE_APP] = 100 } },
	{ "one of them", 0, 50, 25, { .state = SOCKET_ESTABLISHED }, 0, 9,
	    { [CAUSE_BUFFER] = 20, [CAUSE_APP] = 80 } },
};

static void each_wait_has_its_cause(void **state)
{
	static const uint32_t starts[] = { 0, 4711, UINT32_MAX - 5 }; /* the clocks overflow in between */

	(void)state;
	for (size_t i = 0; i < 3 * COUNT_OF(all_waits); i++) {
		const struct waits *waits = &all_waits[i / 3];
		struct socket_facts facts = waits->facts;
		struct socket_summary summary;
		uint32_t start = starts[i % 3];

		facts.state = facts.state ?: SOCKET_ESTABLISHED;
		facts.passed_ns = S;
		facts.told_ns = 2 * S;
		facts.before.peer_jiffies = facts.before.buffer_jiffies = facts.before.busy_jiffies = start;
		facts.now.peer_jiffies = start + waits->peer;
		facts.now.buffer_jiffies = start + waits->buffer;
		facts.now.busy_jiffies = start + waits->busy;
		cause_summarise(&summary, &facts, &usual, waits->rx_bytes, waits->tx_bytes);
		expect_whole(&summary);
		for (int cause = 0; cause < CAUSE_COUNT; cause++)
			if (summary.shares[cause] != waits->shares[cause])
				fail_msg("%s: %s has %u%%, not %u%%", waits->what, cause_name((uint8_t)cause),
				    summary.shares[cause], waits->shares[cause]);
	}
}

static void shares_of_any_facts_add_up_to_100(void **state)
{
	(void)state;
	srand(7);
	for (unsigned i = 0; i < 100000; i++) {
		struct socket_facts facts = still();
		struct socket_summary summary;

		facts.told_ns = S + 1 + (uint64_t)rand() % (3 * S);
		facts.now.peer_jiffies = (uint32_t)rand() % 300;
		facts.now.buffer_jiffies = (uint32_t)rand() % 300;
		facts.now.busy_jiffies = (uint32_t)rand() % 900;
		facts.now.unread_bytes = facts.before.unread_bytes = (uint32_t)rand() % 3;
		facts.now.read_seq = (uint32_t)rand() % 20;
		facts.retries = rand() % 2;
		cause_summarise(&summary, &facts, &usual, (uint64_t)rand() % 2, (uint64_t)rand() % 2);
		expect_whole(&summary);
	}
}

static void without_a_pass_before_there_is_none(void **state)
{
	struct socket_facts facts[5] = { still(), still(), still(), still(), still() };
	struct socket_clock clock[5] = { usual, usual, usual, usual, usual };

	(void)state;
	facts[0].passed_ns = 0;
	facts[1].state = SOCKET_LISTEN;
	facts[2].told_ns = facts[2].passed_ns;
	clock[3].hz = 0;
	clock[4].since_ns = S + 1; /* that pass was of another time that sockets were followed */
	for (size_t i = 0; i < COUNT_OF(facts); i++) {
		static const uint8_t none[CAUSE_COUNT];
		struct socket_summary summary;
		bool has_before = i != 0 && i != 4;

		facts[i].now.bytes_sent = 1000;
		facts[i].now.bytes_retrans = 10;
		facts[i].now.busy_jiffies = 100;
		cause_summarise(&summary, &facts[i], &clock[i], 1, 1);
		assert_int_equal(summary.cause, CAUSE_NONE);
		assert_memory_equal(summary.shares, none, sizeof none);
		assert_int_equal(summary.sent_bytes, has_before ? 1000 : 0);
		assert_int_equal(summary.retrans_bytes, has_before ? 10 : 0);
	}
}

/* ---- how it stands ---- */

static void a_listener_has_a_backlog_and_nothing_else(void **state)
{
	struct socket_facts facts = still();
	struct socket_summary summary;

	(void)state;
	facts.backlog = 6;
	facts.backlog_max = 5;
	facts.drops = 4;
	facts.unsent_bytes = facts.unacked_bytes = facts.now.unread_bytes = 3; /* the same words of memory */
	facts.rtt_min_us = 2;
	cause_summarise(&summary, &facts, &usual, 0, 0);
	assert_int_equal(summary.backlog + summary.backlog_max + summary.drops, 0);
	assert_int_equal(summary.unsent_bytes, 3);
	assert_int_equal(summary.unacked_bytes, 3);
	assert_int_equal(summary.unread_bytes, 3);
	assert_int_equal(summary.rtt_min_us, 2);
	facts.state = SOCKET_LISTEN;
	cause_summarise(&summary, &facts, &usual, 0, 0);
	assert_int_equal(summary.state, SOCKET_LISTEN);
	assert_int_equal(summary.backlog, 6);
	assert_int_equal(summary.backlog_max, 5);
	assert_int_equal(summary.drops, 4);
	assert_int_equal(summary.unsent_bytes + summary.unacked_bytes + summary.unread_bytes, 0);
	assert_int_equal(summary.rtt_min_us, 0);
}

static void what_was_never_measured_is_not_known(void **state)
{
	struct socket_facts facts = still();
	struct socket_summary summary;

	(void)state;
	cause_summarise(&summary, &facts, &usual, 0, 0);
	assert_int_equal(summary.rtt_min_us, 0);
	assert_int_equal(summary.rx_idle_ms + summary.tx_idle_ms + summary.idle_s + summary.age_ms, 0);
	facts.born_ns = 2 * S - 5;
	facts.retries = 3;
	facts.probes = 9;
	cause_summarise(&summary, &facts, &usual, 0, 0);
	assert_int_equal(summary.age_ms, 1);
	assert_int_equal(summary.retries, 9);
	facts.born_ns = S / 2;
	cause_summarise(&summary, &facts, &usual, 0, 0);
	assert_int_equal(summary.age_ms, 1500);
}

static void idle_times_are_those_of_the_jiffies(void **state)
{
	static const struct {
		uint64_t jiffies;
		uint32_t at;
		uint32_t ms;
	} cases[] = {
		{ 1000, 1000, 1 },                   /* now: from 1 on, as 0 is never */
		{ 1000, 999, 4 }, { 1000, 1001, 1 }, /* after the clock was read */
		{ 1000, 750, 1000 },
		{ UINT64_C(0x100000010), 0xfffffff0, 128 }, /* the lower half has overflowed */
		{ UINT64_C(0x300000010), 0x0f, 4 }, { 250 * 86400 * 30u, 0, 86400000 * 30u },
		{ UINT64_C(4294900000), 0, UINT32_MAX }, /* more milliseconds than there is room for */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct socket_clock clock = { .time_ns = 2 * S, .jiffies = cases[i].jiffies, .hz = HZ };
		struct socket_facts facts = still();
		struct socket_summary summary;

		facts.now.bytes_received = 1;
		facts.received_jiffies = cases[i].at;
		cause_summarise(&summary, &facts, &clock, 0, 0);
		assert_int_equal(summary.rx_idle_ms, cases[i].ms);
		assert_int_equal(summary.tx_idle_ms, 0);
		assert_int_equal(summary.idle_s, cases[i].ms / 1000);
		facts.now.bytes_sent = 1; /* the later of both counts */
		facts.sent_jiffies = (uint32_t)clock.jiffies - 1;
		cause_summarise(&summary, &facts, &clock, 0, 0);
		assert_int_equal(summary.tx_idle_ms, 4);
		assert_int_equal(summary.idle_s, 0);
		clock.hz = 0;
		cause_summarise(&summary, &facts, &clock, 0, 0);
		assert_int_equal(summary.rx_idle_ms + summary.tx_idle_ms + summary.idle_s, 0);
	}
}

/* ---- jiffies a second ---- */

static uint64_t jiffies_at(unsigned hz, uint64_t ms)
{
	return (UINT64_C(1) << 32) - UINT64_C(300) * hz + ms * hz / 1000;
}

static void the_ticks_of_any_kernel_are_found(void **state)
{
	static const unsigned rates[] = { 100, 250, 300, 1000 };
	static const uint64_t seconds[] = { 1, 60, 250, 350, 3600, 86400, 86400 * 60, 86400 * 1500 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rates); i++) {
		for (size_t k = 0; k < COUNT_OF(seconds); k++)
			for (int off_ms = -900; off_ms <= 900; off_ms += 900) {
				uint64_t ms = seconds[k] * 1000;

				assert_int_equal(cause_find_hz(jiffies_at(rates[i], ms),
				                     (ms + (uint64_t)off_ms) * 1000000),
				    rates[i]);
			}
		/* five minutes after the start they all read 2^32: a later reading tells */
		assert_int_equal(cause_find_hz(jiffies_at(rates[i], 300000), 300 * S), 0);
	}
	assert_int_equal(cause_find_hz(jiffies_at(1024, 3600000), 3600 * S), 0);
	assert_int_equal(cause_find_hz(0, 3600 * S), 0);
}

/* ---- several ---- */

static void idle_connections_do_not_weigh_in_a_sum(void **state)
{
	static const struct socket_summary peer = { .shares = { [CAUSE_PEER] = 90, [CAUSE_IDLE] = 10 } };
	static const struct socket_summary app = { .shares = { [CAUSE_APP] = 30, [CAUSE_IDLE] = 70 } };
	static const struct socket_summary idle = { .shares = { [CAUSE_IDLE] = 100 } };
	struct cause_sum sum = { 0 };
	struct socket_summary summary = { 0 };

	(void)state;
	cause_take(&summary, &sum);
	assert_int_equal(summary.cause, CAUSE_NONE);
	cause_add(&sum, &idle);
	cause_take(&summary, &sum);
	expect_whole(&summary);
	assert_int_equal(summary.shares[CAUSE_IDLE], 100);
	cause_add(&sum, &peer);
	cause_add(&sum, &app);
	for (int i = 0; i < 1000; i++)
		cause_add(&sum, &idle);
	cause_take(&summary, &sum);
	expect_whole(&summary);
	assert_int_equal(summary.cause, CAUSE_PEER);
	assert_int_equal(summary.shares[CAUSE_PEER], 75);
	assert_int_equal(summary.shares[CAUSE_APP], 25);
}

static void names_are_of_what_there_is(void **state)
{
	(void)state;
	assert_null(cause_name(CAUSE_NONE));
	assert_null(cause_name(CAUSE_COUNT));
	assert_string_equal(cause_name(CAUSE_READER), "reader");
	assert_null(socket_state_name(STATE_UNKNOWN));
	assert_null(socket_state_name(SOCKET_STATE_COUNT));
	assert_null(socket_state_name(UINT8_MAX));
	assert_string_equal(socket_state_name(8), "CLOSE_WAIT");
	assert_string_equal(socket_state_name(10), "LISTEN");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_wait_has_its_cause),
		cmocka_unit_test(shares_of_any_facts_add_up_to_100),
		cmocka_unit_test(without_a_pass_before_there_is_none),
		cmocka_unit_test(a_listener_has_a_backlog_and_nothing_else),
		cmocka_unit_test(what_was_never_measured_is_not_known),
		cmocka_unit_test(idle_times_are_those_of_the_jiffies),
		cmocka_unit_test(the_ticks_of_any_kernel_are_found),
		cmocka_unit_test(idle_connections_do_not_weigh_in_a_sum),
		cmocka_unit_test(names_are_of_what_there_is),
	};

	return cmocka_run_group_tests_name("cause", tests, NULL, NULL);
}
