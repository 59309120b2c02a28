/* SPDX-License-Identifier: Apache-2.0 */
/* Shares and the choice of the busiest link. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/util.h"
#include "model/link.h"

static struct link *add(struct links *links, uint32_t ifindex, uint64_t rx_bytes, uint64_t tx_bytes)
{
	struct link *link = links_add(links);

	assert_non_null(link);
	link->ifindex = ifindex;
	link->span_ns = NS_PER_S;
	link->counts[LINK_RX_BYTES] = rx_bytes;
	link->counts[LINK_TX_BYTES] = tx_bytes;
	return link;
}

static void test_shares(void **state)
{
	struct links links;
	struct link *link;

	(void)state;
	links_init(&links);
	link = add(&links, 2, 93750000, 1000000);
	assert_int_equal(link_used_percent(link), -1);
	link->speed_mbit = 1000;
	assert_int_equal(link_used_percent(link), 75);
	link->span_ns = 2 * NS_PER_S;
	assert_int_equal(link_used_percent(link), 38);
	link->span_ns = 0;
	assert_int_equal(link_used_percent(link), -1);
	link->span_ns = 1;
	assert_int_equal(link_used_percent(link), 999);
	link->tcp_rx_bytes = 85275000;
	assert_int_equal(link_tcp_percent(link), 90);
	link->tcp_tx_bytes = 93750000;
	assert_int_equal(link_tcp_percent(link), 100);
	link->tcp_rx_bytes = link->tcp_tx_bytes = LINK_TCP_UNKNOWN;
	assert_int_equal(link_tcp_percent(link), -1);
	link = add(&links, 3, 0, 0);
	assert_int_equal(link_tcp_percent(link), -1);
	links_fini(&links);
}

/* A message of 1,000 bytes passes in one interval and is received in the next: half of all bytes are TCP's in both. */
static void test_tcp_lately(void **state)
{
	struct links now, before;
	int least = 100, most = 0;

	(void)state;
	links_init(&before);
	for (unsigned tick = 0; tick < 40; tick++) {
		links_init(&now);
		struct link *link = add(&now, 2, tick % 2 ? 10 : 2000, 0);

		link->tcp_rx_bytes = tick % 2 ? 1000 : 0;
		assert_int_equal(link_tcp_percent(link), tick % 2 ? 100 : 0);
		links_go_on(&now, &before, 0.18f);
		int percent = link_tcp_percent(link);

		least = tick > 20 && percent < least ? percent : least;
		most = tick > 20 && percent > most ? percent : most;
		links_fini(&before);
		before = now;
	}
	links_fini(&before);
	assert_in_range(least, 35, 50);
	assert_in_range(most, 50, 65);
}

static void test_busiest(void **state)
{
	struct links links, copy;

	(void)state;
	links_init(&links);
	links_init(&copy);
	assert_null(links_busiest(&links));
	add(&links, 4, 0, 0);
	assert_null(links_busiest(&links));
	add(&links, LINK_LOOPBACK, 5000, 5000);
	assert_int_equal(links_busiest(&links)->ifindex, LINK_LOOPBACK);
	add(&links, 2, 10, 0);
	add(&links, 3, 0, 20);
	assert_int_equal(links_busiest(&links)->ifindex, 3);
	for (uint32_t i = 0; i < 500; i++)
		add(&links, 100 + i, 1, 1);
	links.unplaced_tx_bytes = 8;
	assert_int_equal(links_copy(&copy, &links), 0);
	links_reset(&links);
	assert_int_equal(copy.count, 504);
	assert_int_equal(copy.unplaced_tx_bytes, 8);
	assert_int_equal(links_find(&copy, 599)->ifindex, 599);
	assert_null(links_find(&copy, 600));
	links_fini(&links);
	links_fini(&copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_tcp_lately),
		cmocka_unit_test(test_busiest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
