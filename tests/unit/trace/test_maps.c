/* SPDX-License-Identifier: Apache-2.0 */
/* Draining and swapping real tables: needs root for bpf(2), but no probe. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "cmocka_names.h"
#include "loader/tracing.h"
#include "model/snapshot.h"
#include "trace/maps.h"
#include "test_tracing.h"

static struct tracing tracing;
static struct maps maps;
static struct snapshot snapshot;

static int open_tables(void **state)
{
	(void)state;
	test_tracing_open(&tracing, 65536);
	snapshot_init(&snapshot);
	return maps_init(&maps, &tracing);
}

static int close_tables(void **state)
{
	(void)state;
	maps_fini(&maps);
	snapshot_fini(&snapshot);
	tracing_close(&tracing);
	return 0;
}

static void swap(void)
{
	struct error error = { 0 };
	uint64_t time_ns;

	if (maps_swap(&maps, &time_ns, &error) != 0)
		fail_msg("%s", error.text);
}

/* The sessions since the last call. */
static void swap_and_drain(void)
{
	struct error error = { 0 };

	swap();
	snapshot_reset(&snapshot);
	if (maps_drain(&maps, &snapshot, &error) != 0)
		fail_msg("%s", error.text);
}

static void add4(enum map table, uint32_t number, uint64_t rx_bytes, uint64_t tx_bytes)
{
	struct session_key4 key = { .raddr = htonl(0x0a000002), .laddr = htonl(0x0a000001), .pid = number };
	struct session_value value = { .rx_bytes = rx_bytes, .tx_bytes = tx_bytes };

	assert_int_equal(bpf_map_update_elem(tracing.maps[table], &key, &value, BPF_NOEXIST), 0);
}

static void add6(enum map table, uint32_t number, uint64_t rx_bytes, uint64_t tx_bytes)
{
	struct session_key6 key = { .raddr = { 0xfe, 0x80 }, .laddr = { [15] = 1 }, .pid = number };
	struct session_value value = { .rx_bytes = rx_bytes, .tx_bytes = tx_bytes };

	assert_int_equal(bpf_map_update_elem(tracing.maps[table], &key, &value, BPF_NOEXIST), 0);
}

static uint32_t current_generation(void)
{
	uint32_t slot = 0, generation = 2;

	assert_int_equal(bpf_map_lookup_elem(tracing.maps[MAP_GENERATION], &slot, &generation), 0);
	return generation;
}

static void test_swap(void **state)
{
	struct error error = { 0 };
	struct timespec before, after;
	uint64_t time_ns = 0;

	(void)state;
	assert_int_equal(current_generation(), 0);
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(maps_swap(&maps, &time_ns, &error), 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_int_equal(current_generation(), 1);
	assert_int_equal(maps.generation, 1);
	assert_uint_in_range(time_ns, (uint64_t)before.tv_sec * 1000000000 + before.tv_nsec,
	    (uint64_t)after.tv_sec * 1000000000 + after.tv_nsec);
	swap();
	assert_int_equal(current_generation(), 0);
}

static void test_try_swaps_nothing(void **state)
{
	(void)state;
	assert_int_equal(maps_try(&tracing), 0);
	assert_int_equal(current_generation(), 0);
}

/* The quiet generation alone is drained, and once. */
static void test_generations(void **state)
{
	(void)state;
	add4(MAP_SESSIONS4_EVEN, 1, 10, 0);
	add6(MAP_SESSIONS6_EVEN, 2, 0, 20);
	add4(MAP_SESSIONS4_ODD, 3, 300, 0);
	add6(MAP_SESSIONS6_ODD, 4, 0, 400);
	swap_and_drain();
	assert_int_equal(snapshot.session_count, 2);
	assert_int_equal(snapshot.rx_bytes, 10);
	assert_int_equal(snapshot.tx_bytes, 20);
	swap_and_drain();
	assert_int_equal(snapshot.session_count, 2);
	assert_int_equal(snapshot.rx_bytes, 300);
	assert_int_equal(snapshot.tx_bytes, 400);
	swap_and_drain();
	assert_int_equal(snapshot.session_count, 0);
	assert_int_equal(snapshot.rx_bytes + snapshot.tx_bytes, 0);
}

static void test_fields4(void **state)
{
	struct session_key4 key = { .rport = htons(6684), .lport = 22, .pid = 181, .netns = 4026531840 };
	struct session_value value = { 1021, UINT64_C(1) << 40, 4711, 1000, 4026531841, 98765, 1, ANSWER_YES,
		"" };

	(void)state;
	memcpy(value.comm, "sixteen bytes ok", sizeof value.comm);
	assert_int_equal(inet_pton(AF_INET, "100.66.3.172", &key.laddr), 1);
	assert_int_equal(inet_pton(AF_INET, "100.127.69.165", &key.raddr), 1);
	assert_int_equal(bpf_map_update_elem(tracing.maps[MAP_SESSIONS4_EVEN], &key, &value, BPF_NOEXIST), 0);
	swap_and_drain();
	assert_int_equal(snapshot.session_count, 1);

	const struct session *session = &snapshot.sessions[0];
	static const uint8_t laddr[16] = { 100, 66, 3, 172 }, raddr[16] = { 100, 127, 69, 165 };

	assert_int_equal(session->family, 4);
	assert_memory_equal(session->laddr, laddr, 16);
	assert_memory_equal(session->raddr, raddr, 16);
	assert_int_equal(session->lport, 22);
	assert_int_equal(session->rport, 6684);
	assert_int_equal(session->pid, 181);
	assert_int_equal(session->netns, 4026531840);
	assert_int_equal(session->rx_bytes, 1021);
	assert_int_equal(session->tx_bytes, UINT64_C(1) << 40);
	assert_int_equal(session->cgroup_id, 4711);
	assert_int_equal(session->uid, 1000);
	assert_int_equal(session->mntns, 4026531841);
	assert_int_equal(session->process_start_ms, 98765);
	assert_true(session->is_closed);
	assert_int_equal(session->accepted, ANSWER_YES);
	assert_string_equal(session->comm, "sixteen bytes ok");
}

static void test_fields6(void **state)
{
	struct session_key6 key = { .rport = htons(1), .lport = 65535, .pid = 4194304, .netns = 7 };
	struct session_value value = { .rx_bytes = 3, .comm = "a" };
	uint8_t laddr[16], raddr[16];

	(void)state;
	assert_int_equal(inet_pton(AF_INET6, "fe80::8a3:9dff:fed5:6b19", laddr), 1);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8:1:2:3:4:5:6", raddr), 1);
	memcpy(key.laddr, laddr, 16);
	memcpy(key.raddr, raddr, 16);
	assert_int_equal(bpf_map_update_elem(tracing.maps[MAP_SESSIONS6_EVEN], &key, &value, BPF_NOEXIST), 0);
	swap_and_drain();
	assert_int_equal(snapshot.session_count, 1);
	assert_int_equal(snapshot.sessions[0].family, 6);
	assert_memory_equal(snapshot.sessions[0].laddr, laddr, 16);
	assert_memory_equal(snapshot.sessions[0].raddr, raddr, 16);
	assert_int_equal(snapshot.sessions[0].lport, 65535);
	assert_int_equal(snapshot.sessions[0].rport, 1);
	assert_int_equal(snapshot.sessions[0].pid, 4194304);
	assert_int_equal(snapshot.sessions[0].ifindex, 0);
	assert_string_equal(snapshot.sessions[0].comm, "a");
}

/* Equal addresses on two links: two sessions of the map, and of the snapshot. */
static void test_links(void **state)
{
	struct session_key6 key = {
		.raddr = { 0xfe, 0x80 }, .laddr = { 0xfe, 0x80, [15] = 1 }, .pid = 5, .ifindex = 3
	};
	struct session_value first = { .rx_bytes = 10000 }, second = { .rx_bytes = 50000 };
	const int fd = tracing.maps[MAP_SESSIONS6_EVEN];

	(void)state;
	assert_int_equal(bpf_map_update_elem(fd, &key, &first, BPF_NOEXIST), 0);
	key.ifindex = 4;
	assert_int_equal(bpf_map_update_elem(fd, &key, &second, BPF_NOEXIST), 0);
	swap_and_drain();
	assert_int_equal(snapshot.session_count, 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
		    snapshot.sessions[i].rx_bytes, snapshot.sessions[i].ifindex == 3 ? 10000 : 50000);
	assert_int_equal(snapshot.sessions[0].ifindex + snapshot.sessions[1].ifindex, 7);
	assert_int_not_equal(session_compare_key(&snapshot.sessions[0], &snapshot.sessions[1]), 0);
}

/* What stands in front of a table comes with its session. */
static void test_fronts(void **state)
{
	struct session_key4 key = { .pid = 1, .netns = 7 };
	struct session_value value = { .rx_bytes = 1, .tx_bytes = 2 };
	struct front4 front = { .slots[3] = { key, 1000 } };
	uint32_t index = FRONT_INDEX(1, 0);

	(void)state;
	maps_fini(&maps);
	tracing.plan.fronts = 2;
	tracing.cpu_count = 1; /* as a map of one */
	tracing.maps[MAP_FRONTS4] = test_map(BPF_MAP_TYPE_ARRAY, "fronts4", sizeof index, sizeof front, 4);
	assert_int_equal(bpf_map_update_elem(tracing.maps[MAP_FRONTS4], &index, &front, BPF_ANY), 0);
	assert_int_equal(maps_init(&maps, &tracing), 0);
	assert_int_equal(bpf_map_update_elem(tracing.maps[MAP_SESSIONS4_EVEN], &key, &value, BPF_NOEXIST), 0);
	swap_and_drain();
	assert_int_equal(snapshot.session_count, 1);
	assert_int_equal(snapshot.rx_bytes, 1001);
	assert_int_equal(snapshot.tx_bytes, 2);
}

#define MANY 20000

/* Each of many sessions has to come once, with its own bytes. */
static void expect_many(void)
{
	uint8_t *seen = calloc(MANY, 1);

	assert_non_null(seen);
	for (uint32_t i = 0; i < MANY; i++) {
		if (i % 2)
			add4(MAP_SESSIONS4_EVEN, i, i, 1);
		else
			add6(MAP_SESSIONS6_EVEN, i, 1, i);
	}
	swap_and_drain();
	assert_int_equal(snapshot.session_count, MANY);
	for (size_t i = 0; i < snapshot.session_count; i++) {
		const struct session *session = &snapshot.sessions[i];
		bool odd = session->pid % 2;

		assert_uint_in_range(session->pid, 0, MANY - 1);
		assert_int_equal(seen[session->pid]++, 0);
		assert_int_equal(session->family, odd ? 4 : 6);
		assert_int_equal(odd ? session->rx_bytes : session->tx_bytes, session->pid);
		assert_int_equal(odd ? session->tx_bytes : session->rx_bytes, 1);
	}
	free(seen);
	assert_int_equal(snapshot.rx_bytes + snapshot.tx_bytes, (uint64_t)MANY * (MANY - 1) / 2 + MANY);
	swap_and_drain();
	swap_and_drain();
	assert_int_equal(snapshot.session_count, 0);
}

static void test_many(void **state)
{
	(void)state;
	expect_many();
}

/* Buckets that hold more than a batch has room for: the kernel says ENOSPC and the batch has to grow. */
static void test_batch_grows(void **state)
{
	(void)state;
	maps.batch_count = 1;
	expect_many();
	assert_uint_in_range(maps.batch_count, 2, 64);
}

/* Cgroups that were made: each once, whole, whichever generation is written, and also with buckets that outgrow a batch. */
static void test_cgroups(void **state)
{
	enum { CGROUPS = 3000 };
	bool seen[CGROUPS] = { false };
	struct cgroup_path path;

	(void)state;
	maps.batch_count = 1;
	for (uint64_t id = 0; id < CGROUPS; id++) {
		memset(&path, 'x', sizeof path); /* what the program's table may have behind the end */
		snprintf(path.text, sizeof path.text, "/slice/%" PRIu64, id);
		assert_int_equal(bpf_map_update_elem(tracing.maps[MAP_CGROUPS], &id, &path, BPF_NOEXIST), 0);
	}
	swap_and_drain();
	assert_int_equal(snapshot.session_count, 0);
	assert_int_equal(snapshot.cgroup_count, CGROUPS);
	for (size_t i = 0; i < CGROUPS; i++) {
		uint64_t id = snapshot.cgroups[i].id;

		assert_uint_in_range(id, 0, CGROUPS - 1);
		assert_false(seen[id]);
		seen[id] = true;
		snprintf(path.text, sizeof path.text, "/slice/%" PRIu64, id);
		assert_string_equal(snapshot.cgroups[i].path.text, path.text);
	}
	swap_and_drain();
	assert_int_equal(snapshot.cgroup_count, 0);
}

static void set_other(uint64_t calls, uint64_t rx_bytes, uint64_t tx_bytes)
{
	struct session_other other = { calls, rx_bytes, tx_bytes };
	uint32_t slot = 0;

	assert_int_equal(bpf_map_update_elem(tracing.maps[MAP_OTHER], &slot, &other, BPF_ANY), 0);
}

static void expect_other(uint64_t calls, uint64_t rx_bytes, uint64_t tx_bytes)
{
	swap_and_drain();
	assert_int_equal(snapshot.other.calls, calls);
	assert_int_equal(snapshot.other.rx_bytes, rx_bytes);
	assert_int_equal(snapshot.other.tx_bytes, tx_bytes);
}

/* The kernel's counters only grow: each interval gets what they grew by, and totals include it. */
static void test_other(void **state)
{
	(void)state;
	expect_other(0, 0, 0);
	set_other(3, 100, 7);
	expect_other(3, 100, 7);
	expect_other(0, 0, 0);
	set_other(10, 150, UINT64_C(1) << 50);
	add4(MAP_SESSIONS4_ODD, 1, 1000, 2000);
	expect_other(7, 50, (UINT64_C(1) << 50) - 7);
	assert_int_equal(snapshot.rx_bytes, 1050);
	assert_int_equal(snapshot.tx_bytes, (UINT64_C(1) << 50) - 7 + 2000);
}

static void test_missed_runs(void **state)
{
	uint64_t missed = 5;
	uint32_t slot = 0;

	(void)state;
	swap_and_drain();
	assert_int_equal(snapshot.missed_runs, 0); /* the table is kprobe's alone */
	tracing.maps[MAP_MISSED_RUNS] = bpf_map_create(BPF_MAP_TYPE_ARRAY, "test_missed", 4, 8, 1, NULL);
	assert_true(tracing.maps[MAP_MISSED_RUNS] >= 0);
	assert_int_equal(bpf_map_update_elem(tracing.maps[MAP_MISSED_RUNS], &slot, &missed, BPF_ANY), 0);
	swap_and_drain();
	assert_int_equal(snapshot.missed_runs, 5);
	missed = 7;
	assert_int_equal(bpf_map_update_elem(tracing.maps[MAP_MISSED_RUNS], &slot, &missed, BPF_ANY), 0);
	swap_and_drain();
	assert_int_equal(snapshot.missed_runs, 2);
	/* a return that came all the same takes one back: never below nothing, and the sum is what remains */
	missed = 6;
	assert_int_equal(bpf_map_update_elem(tracing.maps[MAP_MISSED_RUNS], &slot, &missed, BPF_ANY), 0);
	swap_and_drain();
	assert_int_equal(snapshot.missed_runs, 0);
	missed = 9;
	assert_int_equal(bpf_map_update_elem(tracing.maps[MAP_MISSED_RUNS], &slot, &missed, BPF_ANY), 0);
	swap_and_drain();
	assert_int_equal(snapshot.missed_runs, 2);
	swap_and_drain();
	assert_int_equal(snapshot.missed_runs, 0);
}

static void close_table(enum map table)
{
	close(tracing.maps[table]);
	tracing.maps[table] = -1;
}

/* -4 and -6 leave a family's tables out. */
static void test_one_family(void **state)
{
	(void)state;
	close_table(MAP_SESSIONS6_EVEN);
	close_table(MAP_SESSIONS6_ODD);
	add4(MAP_SESSIONS4_EVEN, 1, 10, 0);
	swap_and_drain();
	assert_int_equal(snapshot.session_count, 1);
	close_table(MAP_SESSIONS4_EVEN);
	close_table(MAP_SESSIONS4_ODD);
	swap_and_drain();
	assert_int_equal(snapshot.session_count, 0);
}

static void test_errors(void **state)
{
	struct error error = { 0 };
	uint64_t time_ns;

	(void)state;
	close_table(MAP_OTHER);
	assert_int_equal(maps_drain(&maps, &snapshot, &error), -EBADF);
	assert_int_equal(error.exit_code, EXIT_CODE_RUNTIME);
	assert_non_null(strstr(error.text, "cannot read the tables"));
	close_table(MAP_BARRIER_SLOT);
	assert_int_equal(maps_try(&tracing), -EBADF);
	assert_int_equal(maps_swap(&maps, &time_ns, &error), -EBADF);
	assert_non_null(strstr(error.text, "cannot wait for running programs"));
	close_table(MAP_GENERATION);
	assert_int_equal(maps_swap(&maps, &time_ns, &error), -EBADF);
	assert_non_null(strstr(error.text, "cannot swap the tables"));
}

/*
 * Programs run without pause on two threads while tables are swapped and drained: a drain that did not wait
 * for them would delete an entry that one is about to add to.
 */
static void test_conservation(void **state)
{
	struct test_load load;
	uint64_t drained = 0, truth;

	(void)state;
	test_load_start(&load, &tracing);
	/* on a busy host the threads may get to run only after the first forty */
	for (int i = 0; i < 40 || (drained <= 1000 && i < 100000); i++) {
		swap_and_drain();
		assert_uint_in_range(snapshot.session_count, 0, TEST_LOAD_SESSIONS);
		drained += snapshot.rx_bytes;
	}
	truth = test_load_stop(&load);
	swap_and_drain();
	drained += snapshot.rx_bytes;
	assert_true(truth > 1000);
	if (drained != truth)
		fail_msg("%" PRIu64 " of %" PRIu64 " bytes were drained", drained, truth);
	swap_and_drain();
	assert_int_equal(snapshot.session_count, 0);
}

/* Another process's system calls, which the wait is not for: their entries are drained late, but are not lost. */
static void test_conservation_of_system_calls(void **state)
{
	uint64_t drained = 0, added = 0;
	uint32_t number = 0;

	(void)state;
	for (int round = 0; round < 10; round++) {
		enum map current = current_generation() ? MAP_SESSIONS4_ODD : MAP_SESSIONS4_EVEN;

		for (int i = 0; i < 100; i++, number++) {
			add4(current, number, 1 + number, 0);
			added += 1 + number;
		}
		swap_and_drain();
		drained += snapshot.rx_bytes;
		/* the generation was read before the swap, what is written after it goes to the quiet one */
		add4(current, number++, 1000000, 0);
		added += 1000000;
	}
	swap_and_drain();
	drained += snapshot.rx_bytes;
	swap_and_drain();
	drained += snapshot.rx_bytes;
	assert_int_equal(drained, added);
}

#define test_with_tables(test) cmocka_unit_test_setup_teardown(test, open_tables, close_tables)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_tables(test_swap),
		test_with_tables(test_try_swaps_nothing),
		test_with_tables(test_generations),
		test_with_tables(test_fields4),
		test_with_tables(test_fields6),
		test_with_tables(test_links),
		test_with_tables(test_fronts),
		test_with_tables(test_many),
		test_with_tables(test_batch_grows),
		test_with_tables(test_cgroups),
		test_with_tables(test_other),
		test_with_tables(test_missed_runs),
		test_with_tables(test_one_family),
		test_with_tables(test_errors),
		test_with_tables(test_conservation),
		test_with_tables(test_conservation_of_system_calls),
	};

	if (!test_tracing_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests_name("tables", tests, NULL, NULL);
}
