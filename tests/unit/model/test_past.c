/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever is looked back at is what a straight run had there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/past.h"

enum { CONNECTIONS = 9000 };

/* Some move nothing. */
static void tell_socket(struct session *session)
{
	if (rand() % 3 == 0)
		session->rx_bytes = session->tx_bytes = 0;
	session->rtt_us = (uint32_t)rand() % 3;
	session->retransmits = (uint32_t)rand() % 3;
	session->socket = (struct socket_summary){
		.state = (uint8_t)(1 + rand() % (SOCKET_STATE_COUNT - 1)),
		.idle_s = (uint32_t)rand() % 10,
		.unread_bytes = (uint32_t)rand() % 100,
		.sent_bytes = (uint64_t)rand(),
		.cause = CAUSE_PEER,
		.shares = { [CAUSE_PEER] = 100 },
	};
}

/* Interval `tick` is the same each time that it is made. In every third there is a pass over sockets. */
static void make(struct snapshot *snapshot, uint32_t tick, unsigned sessions)
{
	srand(tick);
	snapshot_reset(snapshot);
	snapshot->interval_ns = 1000000000 + (uint64_t)rand() % 1000;
	snapshot->time.tv_sec = 1000 + tick;
	snapshot->missed_runs = tick % 3;
	snapshot->other.calls = tick % 5;
	snapshot->other.rx_bytes = tick;
	snapshot->sockets.follows = true;
	snapshot->sockets.cpu_ns = tick % 3 == 0;
	for (unsigned i = 0; i < sessions; i++) {
		struct session *session = snapshot_add(snapshot);
		uint32_t number = (uint32_t)rand() % CONNECTIONS;

		session->family = 4;
		session->pid = number % 7000;
		session->lport = (uint16_t)number;
		memcpy(session->raddr, &number, sizeof number);
		session->uid = UINT32_MAX;
		session->rx_bytes = (uint64_t)rand() << rand() % 20;
		session->tx_bytes = rand() % 2 ? 0 : (uint64_t)rand();
		session->accepted = (uint8_t)(rand() % 3);
		session->is_closed = rand() % 16 == 0;
		memset(session->comm, 'a' + (int)(number % 26), number % 15);
		if (tick % 3 == 0)
			tell_socket(session);
		if (rand() % 8 == 0) {
			struct ending *ending = snapshot_add_ending(snapshot);

			ending->connection = (struct session){ .family = 4, .lport = session->lport };
			memcpy(ending->connection.raddr, session->raddr, sizeof session->raddr);
			ending->ago_us = (uint64_t)rand() % 1000000;
		}
	}
	snapshot_total(snapshot);
}

static void expect_same(const struct traffic *a, const struct traffic *b)
{
	assert_int_equal(a->tick, b->tick);
	assert_int_equal(a->clock_ns, b->clock_ns);
	assert_int_equal(a->rx_bytes, b->rx_bytes);
	assert_int_equal(a->rx_total_bytes, b->rx_total_bytes);
	assert_int_equal(a->tx_total_bytes, b->tx_total_bytes);
	assert_int_equal(a->missed_total, b->missed_total);
	assert_int_equal(a->other_total.calls, b->other_total.calls);
	assert_int_equal(a->other_total.rx_bytes, b->other_total.rx_bytes);
	assert_int_equal(a->active, b->active);
	assert_int_equal(a->open, b->open);
	assert_int_equal(a->pass_tick, b->pass_tick);
	assert_memory_equal(&a->sockets, &b->sockets, sizeof a->sockets);
	assert_int_equal(a->rows_gone, b->rows_gone);
	assert_int_equal(a->rows.count, b->rows.count);
	assert_int_equal(a->gone[GROUPING_PROCESS].groups.count, b->gone[GROUPING_PROCESS].groups.count);
	assert_memory_equal(a->rx_rates, b->rx_rates, sizeof a->rx_rates);
	for (size_t i = 0; i < a->rows.count; i++) {
		const struct row *row = &a->rows.rows[i];
		size_t index = rows_find(&b->rows, &row->session);

		assert_int_not_equal(index, ROW_NONE);
		assert_memory_equal(row, &b->rows.rows[index], sizeof *row);
	}
}

/* A run of `ticks` intervals, then steps to random moments, each compared with a run that ended there. */
static void look_around(uint32_t ticks, unsigned sessions, unsigned steps)
{
	struct traffic now, straight, seen;
	struct snapshot snapshot;
	struct past past;
	bool replaced = false;

	snapshot_init(&snapshot);
	past_init(&past);
	traffic_init(&now);
	traffic_init(&seen);
	for (uint32_t tick = 1; tick <= ticks; tick++) {
		make(&snapshot, tick, sessions);
		assert_int_equal(past_merge(&past, &now, &snapshot, NULL), 0);
		assert_true(past.bytes + packed_traffic_bytes(&past.base) <= PAST_BYTES_MAX ||
		            past.count <= PAST_INTERVALS_MIN);
		assert_true(past.count <= PAST_INTERVALS);
		replaced |= past.has_next && past_base(&past);
	}
	assert_int_equal(replaced, sessions >= 40000);
	assert_int_equal(past_last(&past), ticks);
	for (unsigned step = 0; step < steps; step++) {
		uint32_t span = past_last(&past) - past_first(&past) + 1;
		uint32_t tick = step == 0   ? past_first(&past)
		                : step == 1 ? ticks
		                            : past_first(&past) + (step * 7919) % span;

		assert_int_equal(past_at(&past, 1000 + tick), tick);
		assert_int_equal(past_show(&past, tick, &seen), 0);
		traffic_init(&straight);
		for (uint32_t at = 1; at <= tick; at++) {
			make(&snapshot, at, sessions);
			assert_int_equal(traffic_merge(&straight, &snapshot, NULL), 0);
		}
		expect_same(&seen, &straight);
		traffic_fini(&straight);
	}
	assert_int_equal(past_at(&past, 1000 + ticks + 1), ticks + 1);
	traffic_fini(&seen);
	traffic_fini(&now);
	past_fini(&past);
	snapshot_fini(&snapshot);
}

static void any_moment_is_that_of_a_straight_run(void **state)
{
	(void)state;
	look_around(1, 10, 2);
	look_around(40, 50, 12);
	look_around(PAST_INTERVALS + 30, 20, 12);
	/* so many that the base is replaced by one that was packed before */
	look_around(14, 40000, 3);
}

/*
 * Each interval is handed out as it was added, ends and all, from the first that is kept: of 100 connections that
 * come and go, in an order that changes.
 */
static void intervals_are_handed_out_as_they_were(void **state)
{
	struct traffic now, seen;
	struct snapshot snapshot;
	struct past past;
	const struct snapshot *out;
	uint32_t tick;

	(void)state;
	snapshot_init(&snapshot);
	past_init(&past);
	traffic_init(&now);
	traffic_init(&seen);
	for (tick = 1; tick <= PAST_INTERVALS + 9; tick++) {
		make(&snapshot, tick, 3000);
		for (size_t i = 0; i < snapshot.session_count; i++)
			snapshot.sessions[i].pid %= 100;
		assert_int_equal(past_merge(&past, &now, &snapshot, NULL), 0);
	}
	assert_int_equal(past_show(&past, past_base(&past), &seen), 0);
	for (tick = past_base(&past) + 1; (out = past_step(&past, &seen)) != NULL; tick++) {
		assert_int_equal(seen.tick, tick);
		make(&snapshot, tick, 3000);
		for (size_t i = 0; i < snapshot.session_count; i++)
			snapshot.sessions[i].pid %= 100;
		assert_int_equal(out->session_count, snapshot.session_count);
		assert_memory_equal(
		    out->sessions, snapshot.sessions, out->session_count * sizeof *out->sessions);
		assert_int_equal(out->ending_count, snapshot.ending_count);
		assert_memory_equal(out->endings, snapshot.endings, out->ending_count * sizeof *out->endings);
		assert_int_equal(out->rx_bytes, snapshot.rx_bytes);
		assert_int_equal(out->missed_runs, snapshot.missed_runs);
	}
	assert_int_equal(tick, PAST_INTERVALS + 10);
	traffic_fini(&seen);
	traffic_fini(&now);
	past_fini(&past);
	snapshot_fini(&snapshot);
}

/* What moves on and on takes few bytes: 500 connections are looked back at for as long as one is. */
static void what_moves_on_takes_little(void **state)
{
	struct traffic now;
	struct snapshot snapshot;
	struct past past;

	(void)state;
	snapshot_init(&snapshot);
	past_init(&past);
	traffic_init(&now);
	for (uint32_t tick = 1; tick <= PAST_INTERVALS + 1; tick++) {
		make(&snapshot, 1, 500);
		for (size_t i = 0; i < snapshot.session_count; i++)
			snapshot.sessions[i].rx_bytes = (uint64_t)rand() % (1 << 20);
		snapshot.ending_count = 0;
		assert_int_equal(past_merge(&past, &now, &snapshot, NULL), 0);
	}
	assert_in_range(past.count, 120, PAST_INTERVALS);
	print_message("%zu bytes for %zu intervals of 500 connections, %zu for the base\n", past.bytes,
	    past.count, packed_traffic_bytes(&past.base));
	traffic_fini(&now);
	past_fini(&past);
	snapshot_fini(&snapshot);
}

/* Rows have gone, and fewer intervals fit. */
static void also_with_many_connections(void **state)
{
	(void)state;
	look_around(30, 4000, 4);
}

static void what_is_cut_is_forgotten(void **state)
{
	struct traffic traffic, seen;
	struct snapshot snapshot;
	struct past past;

	(void)state;
	snapshot_init(&snapshot);
	past_init(&past);
	traffic_init(&traffic);
	traffic_init(&seen);
	assert_int_equal(past_first(&past), 0);
	for (uint32_t tick = 1; tick <= 5; tick++) {
		make(&snapshot, tick, 3);
		assert_int_equal(past_merge(&past, &traffic, &snapshot, NULL), 0);
	}
	past_cut(&past, 3);
	assert_int_equal(past_first(&past), 1);
	assert_int_equal(past_last(&past), 3);
	/* The totals were set to zero: before it there is nothing to look at. */
	assert_int_equal(traffic_reset(&traffic, 1005, NULL), 0);
	assert_int_equal(past_begin(&past, &traffic), 0);
	assert_int_equal(past_first(&past), 5);
	assert_int_equal(past_last(&past), 5);
	assert_int_equal(past_show(&past, 5, &seen), 0);
	expect_same(&seen, &traffic);
	assert_int_equal(past.bytes, 0);
	traffic_fini(&seen);
	traffic_fini(&traffic);
	past_fini(&past);
	snapshot_fini(&snapshot);
}

static bool no_memory;

/* What is packed grows by realloc. */
void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_realloc(void *memory, size_t size)
{
	return no_memory ? NULL : __real_realloc(memory, size);
}

/* Nothing can be looked back at then, and from the next interval on all that follows. */
static void without_memory_it_begins_later(void **state)
{
	struct traffic traffic, seen;
	struct snapshot snapshot;
	struct past past;

	(void)state;
	snapshot_init(&snapshot);
	past_init(&past);
	traffic_init(&traffic);
	traffic_init(&seen);
	for (uint32_t tick = 1; tick <= 9; tick++) {
		make(&snapshot, tick, 20);
		if (tick == 4 || tick == 5) {
			no_memory = true;
			if (tick == 4)
				assert_int_equal(past_begin(&past, &traffic), -ENOMEM);
			assert_int_equal(past_merge(&past, &traffic, &snapshot, NULL), 0);
			assert_int_equal(past.count, 0);
			assert_int_equal(past_show(&past, 3, &seen), -ENOMEM);
			no_memory = false;
		} else {
			assert_int_equal(past_merge(&past, &traffic, &snapshot, NULL), 0);
		}
	}
	assert_int_equal(past_first(&past), 5);
	assert_int_equal(past_last(&past), 9);
	assert_int_equal(past_show(&past, 9, &seen), 0);
	expect_same(&seen, &traffic);
	traffic_fini(&seen);
	traffic_fini(&traffic);
	past_fini(&past);
	snapshot_fini(&snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_moment_is_that_of_a_straight_run),
		cmocka_unit_test(intervals_are_handed_out_as_they_were),
		cmocka_unit_test(what_moves_on_takes_little),
		cmocka_unit_test(also_with_many_connections),
		cmocka_unit_test(what_is_cut_is_forgotten),
		cmocka_unit_test(without_memory_it_begins_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
