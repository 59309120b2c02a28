/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in front of the tables, of real maps: needs root for bpf(2), but no probe. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_names.h"
#include "loader/tracing.h"
#include "test_tracing.h"
#include "trace/fronts.h"

enum { EVEN, ODD };

static struct tracing tracing;
static struct fronts fronts;

static int open_fronts(void **state)
{
	int cpus = libbpf_num_possible_cpus();

	(void)state;
	tracing_init(&tracing);
	tracing.plan.fronts = FRONTS_MAX;
	tracing.cpu_count = (uint32_t)cpus;
	tracing.maps[MAP_FRONTS4] = test_map(BPF_MAP_TYPE_PERCPU_ARRAY, "test_fronts4", sizeof(uint32_t),
	    sizeof(struct front4), FRONT_INDEX(FRONTS_MAX, 0));
	tracing.maps[MAP_FRONTS6] = test_map(BPF_MAP_TYPE_PERCPU_ARRAY, "test_fronts6", sizeof(uint32_t),
	    sizeof(struct front6), FRONT_INDEX(FRONTS_MAX, 0));
	return fronts_init(&fronts, &tracing);
}

static int close_fronts(void **state)
{
	(void)state;
	fronts_fini(&fronts);
	tracing_close(&tracing);
	return 0;
}

static struct session_key4 key4(uint32_t number)
{
	return (struct session_key4){ .raddr = 1, .laddr = 2, .lport = 3, .pid = number, .netns = 7 };
}

static struct session_key6 key6(uint32_t number)
{
	return (struct session_key6){ .raddr = { 0xfe }, .laddr = { [15] = 1 }, .pid = number, .netns = 7 };
}

/* Writes a slot of a program's front on one CPU, beside what is there. */
static void put(
    bool is_6, uint32_t program, bool odd, uint32_t cpu, uint32_t slot, uint32_t number, uint64_t bytes)
{
	size_t size = is_6 ? sizeof(struct front6) : sizeof(struct front4);
	int fd = tracing.maps[is_6 ? MAP_FRONTS6 : MAP_FRONTS4];
	uint32_t index = FRONT_INDEX(program, odd);
	char *all = malloc(size * tracing.cpu_count);

	assert_non_null(all);
	assert_int_equal(bpf_map_lookup_elem(fd, &index, all), 0);
	void *front = all + size * cpu;

	if (is_6)
		((struct front6 *)front)->slots[slot] = (struct front_slot6){ key6(number), bytes, 0 };
	else
		((struct front4 *)front)->slots[slot] = (struct front_slot4){ key4(number), bytes };
	assert_int_equal(bpf_map_update_elem(fd, &index, all, BPF_ANY), 0);
	free(all);
}

static void put4(uint32_t program, bool odd, uint32_t cpu, uint32_t slot, uint32_t number, uint64_t bytes)
{
	put(false, program, odd, cpu, slot, number, bytes);
}

static void put6(uint32_t program, bool odd, uint32_t cpu, uint32_t slot, uint32_t number, uint64_t bytes)
{
	put(true, program, odd, cpu, slot, number, bytes);
}

static void drain(bool odd)
{
	assert_int_equal(fronts_drain(&fronts, odd), 0);
}

static void expect(const void *key, size_t key_size, uint64_t rx_bytes, uint64_t tx_bytes)
{
	uint64_t rx = 1000, tx = 2000;

	fronts_take(&fronts, key, key_size, &rx, &tx);
	assert_int_equal(rx - 1000, rx_bytes);
	assert_int_equal(tx - 2000, tx_bytes);
}

static void expect4(uint32_t number, uint64_t rx_bytes, uint64_t tx_bytes)
{
	struct session_key4 key = key4(number);

	expect(&key, sizeof key, rx_bytes, tx_bytes);
}

static void expect6(uint32_t number, uint64_t rx_bytes, uint64_t tx_bytes)
{
	struct session_key6 key = key6(number);

	expect(&key, sizeof key, rx_bytes, tx_bytes);
}

static void test_sums(void **state)
{
	uint32_t last = tracing.cpu_count - 1;

	(void)state;
	put4(0, EVEN, 0, 5, 1, 10);
	put4(2, EVEN, last, 99, 1, 100);
	put4(1, EVEN, 0, 5, 1, 7);
	put4(3, EVEN, last, 0, 1, 70);
	put6(0, EVEN, 0, FRONT_SLOTS - 1, 1, 11);
	put6(3, EVEN, last, 1, 1, 22);
	drain(EVEN);
	expect4(1, 77, 110);
	expect6(1, 22, 11);
	expect4(2, 0, 0);
	expect6(2, 0, 0);
}

/* What was drained is gone, with places that had no bytes; the other generation stands. */
static void test_generations(void **state)
{
	const struct front_slot4 free_slot = { 0 };
	uint32_t index = FRONT_INDEX(0, EVEN);
	struct front4 *all = calloc(tracing.cpu_count, sizeof *all);

	(void)state;
	assert_non_null(all);
	put4(0, EVEN, 0, 1, 1, 10);
	put4(0, EVEN, 0, 2, 2, 0);
	put4(0, ODD, 0, 1, 1, 500);
	drain(EVEN);
	expect4(1, 0, 10);
	assert_int_equal(bpf_map_lookup_elem(tracing.maps[MAP_FRONTS4], &index, all), 0);
	for (uint32_t slot = 0; slot < FRONT_SLOTS; slot++)
		assert_memory_equal(&all[0].slots[slot], &free_slot, sizeof free_slot);
	free(all);
	drain(EVEN);
	expect4(1, 0, 0);
	drain(ODD);
	expect4(1, 0, 500);
}

/* More than the first table of sums holds, some of which collide in it. */
static void test_many(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < FRONTS_MAX * FRONT_SLOTS; i++) {
		put4(i / FRONT_SLOTS, ODD, 0, i % FRONT_SLOTS, i, 1 + i);
		put6(i / FRONT_SLOTS, ODD, 0, i % FRONT_SLOTS, i, 5000 + i);
	}
	drain(ODD);
	for (uint32_t i = 0; i < FRONTS_MAX * FRONT_SLOTS; i++) {
		bool receives = i / FRONT_SLOTS % 2;

		expect4(i, receives ? 1 + i : 0, receives ? 0 : 1 + i);
		expect6(i, receives ? 5000 + i : 0, receives ? 0 : 5000 + i);
	}
	expect4(FRONTS_MAX * FRONT_SLOTS, 0, 0);
}

/* The hash that program and reader have in common spreads what differs in anything but the namespace. */
static void test_hash(void **state)
{
	unsigned used = 0;
	bool seen[FRONT_SLOTS] = { 0 };

	(void)state;
	for (uint16_t port = 0; port < FRONT_SLOTS; port++) {
		struct session_key4 key = {
			.raddr = 1, .laddr = 2, .rport = 443, .lport = 40000 + port, .pid = 9
		};
		bool *place = &seen[session_hash4(&key) >> (64 - FRONT_BITS)];

		used += !*place;
		*place = true;
	}
	/* at random 81 of 128 */
	assert_true(used >= FRONT_SLOTS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sums, open_fronts, close_fronts),
		cmocka_unit_test_setup_teardown(test_generations, open_fronts, close_fronts),
		cmocka_unit_test_setup_teardown(test_many, open_fronts, close_fronts),
		cmocka_unit_test(test_hash),
	};

	if (!test_tracing_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
