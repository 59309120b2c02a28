/* SPDX-License-Identifier: Apache-2.0 */
/* The page of links, and the busiest one in the title. */
#include "test_ui.h"

#include "model/link.h"

struct sample_link {
	uint32_t ifindex;
	const char *name;
	uint32_t speed_mbit;
	uint64_t rx_bytes, tx_bytes, drops, errors;
	uint64_t tcp_bytes; /* received, and half of them sent */
};

static const struct sample_link typical[] = {
	{ 1, "lo", 0, 900000000, 900000000, 0, 0, 800000000 },
	{ 2, "eth0", 1000, 62500000, 1000000, 3, 2, 30000000 },
	{ 3, "eth1", 2500, 1000000, 2000000, 0, 0, LINK_TCP_UNKNOWN },
	{ 4, "old\033[m", 100, 5000, 0, 0, 0, 1000 },
	{ 5, "idle0", 10000, 0, 0, 0, 0, LINK_TCP_UNKNOWN },
};

static void add_links(struct fixture *fixture, const struct sample_link *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct sample_link *from = &samples[i];
		struct link *link = links_add(&fixture->snapshot.links);

		assert_non_null(link);
		link->ifindex = from->ifindex;
		snprintf(link->name, sizeof link->name, "%s", from->name);
		link->speed_mbit = from->speed_mbit;
		link->span_ns = 1000000000;
		link->counts[LINK_RX_BYTES] = from->rx_bytes;
		link->counts[LINK_TX_BYTES] = from->tx_bytes;
		link->counts[LINK_RX_PACKETS] = from->rx_bytes / 1000;
		link->counts[LINK_TX_DROPS] = from->drops;
		link->counts[LINK_RX_ERRORS] = from->errors;
		link->tcp_rx_bytes = from->tcp_bytes;
		link->tcp_tx_bytes = from->tcp_bytes / 2;
	}
}

static void show_links(struct fixture *fixture, const struct sample_link *samples, size_t count)
{
	begin(fixture);
	add(fixture, "nginx", 1874, "203.0.113.84", 51312, 18000, 9400000);
	add_links(fixture, samples, count);
	show(fixture);
}

/* The line that begins with the link's name; NULL: none does. */
static const char *line_of(struct fixture *fixture, const char *name)
{
	for (unsigned y = 0; y < 40; y++)
		if (strncmp(fixture->glass.lines[y] + 1, name, strlen(name)) == 0)
			return fixture->glass.lines[y];
	return NULL;
}

static unsigned row_of(struct fixture *fixture, const char *name)
{
	const char *line = line_of(fixture, name);

	assert_non_null(line);
	return (unsigned)((line - fixture->glass.lines[0]) / (ptrdiff_t)sizeof fixture->glass.lines[0]);
}

static void what_a_link_has(void **state)
{
	struct fixture *fixture = *state;

	show_links(fixture, typical, ARRAY_LENGTH(typical));
	key(fixture, 'l');
	paint(fixture, 140, 40);
	/* used: the busier direction of the speed; TCP: half a part more of what is sent */
	assert_string_equal(line_of(fixture, "eth0"), " eth0              59.6MB/s    977KB/s   71%   50%    "
	                                              "1Gb/s        3       2      62500   28.6MB/s   "
	                                              "14.3MB/s");
	assert_non_null(
	    strstr(line_of(fixture, "eth1"), " 0%  2.5Gb/s ") ?: strstr(line_of(fixture, "eth1"), "2.5Gb/s"));
	assert_non_null(strstr(line_of(fixture, "old"), "100Mb/s"));
	assert_null(strchr(line_of(fixture, "old"), '\033'));
	assert_non_null(strstr(line_of(fixture, "idle0"), "10Gb/s"));
	/* no speed: "-", and no part of it */
	assert_non_null(strstr(line_of(fixture, "lo"), "    -        -"));
}

static void narrow_screens_have_the_first_columns(void **state)
{
	static const struct {
		unsigned width;
		const char *last, *missing;
	} cases[] = { { 53, "TCP", "USED" }, { 59, "USED", " OF" }, { 65, "OF", "DROPS" },
		{ 75, "DROPS", "ERRORS" }, { 89, "ERRORS", "PACKETS/S" }, { 113, "PACKETS/S", "TCP RX" },
		{ 114, "TCP TX", "XX" } };
	struct fixture *fixture = *state;

	show_links(fixture, typical, ARRAY_LENGTH(typical));
	key(fixture, 'l');
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		paint(fixture, cases[i].width, 40);
		const char *titles = line_of(fixture, "LINK");

		assert_non_null(titles);
		assert_string_equal(titles + strlen(titles) - strlen(cases[i].last), cases[i].last);
		assert_null(strstr(titles, cases[i].missing));
	}
}

/* In the order of the time when the page was opened; what is new comes behind, what has gone leaves no hole. */
static void each_keeps_its_place(void **state)
{
	static const struct sample_link later[] = {
		{ 9, "new0", 0, 999999999, 0, 0, 0, 0 },
		{ 4, "old\033[m", 100, 77000000, 0, 0, 0, 1000 },
		{ 2, "eth0", 1000, 1, 0, 0, 0, 0 },
	};
	struct fixture *fixture = *state;

	show_links(fixture, typical, ARRAY_LENGTH(typical));
	key(fixture, 'l');
	paint(fixture, 100, 40);
	assert_true(row_of(fixture, "lo") < row_of(fixture, "eth0"));
	assert_true(row_of(fixture, "eth0") < row_of(fixture, "eth1"));
	assert_true(row_of(fixture, "eth1") < row_of(fixture, "old"));
	assert_true(row_of(fixture, "old") < row_of(fixture, "idle0"));
	show_links(fixture, later, ARRAY_LENGTH(later));
	paint(fixture, 100, 40);
	assert_int_equal(row_of(fixture, "old"), row_of(fixture, "eth0") + 1);
	assert_int_equal(row_of(fixture, "new0"), row_of(fixture, "old") + 1);
	assert_null(line_of(fixture, "lo"));
	assert_null(line_of(fixture, "eth1"));
	/* opened anew, it is ordered anew */
	key(fixture, 'l');
	key(fixture, 'l');
	paint(fixture, 100, 40);
	assert_int_equal(row_of(fixture, "old"), row_of(fixture, "new0") + 1);
}

static void what_is_not_known_is_said(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	show(fixture);
	key(fixture, 'l');
	paint(fixture, 100, 40);
	assert_true(on_glass(fixture, 40, "The recording has no links in this interval."));
	assert_true(on_glass(fixture, 40, "has only the links that moved something"));
	fixture->ui.replay = false;
	paint(fixture, 100, 40);
	assert_true(on_glass(fixture, 40, "No link is known yet."));
	assert_true(on_glass(fixture, 40, "Interfaces of other network namespaces are not shown."));
	assert_false(on_glass(fixture, 40, "TCP may be more"));
	assert_false(on_glass(fixture, 40, "passes the filters"));
	begin(fixture);
	add_links(fixture, typical, ARRAY_LENGTH(typical));
	fixture->snapshot.links.unplaced_tx_bytes = 4000;
	fixture->run.filter_count = 1;
	show(fixture);
	paint(fixture, 100, 40);
	assert_false(on_glass(fixture, 40, "No link is known yet."));
	assert_true(on_glass(fixture, 40, "TCP may be more"));
	assert_true(on_glass(fixture, 40, "passes the filters"));
	/* more of what is not wholly TCP may be; of the loopback it is known */
	assert_non_null(strstr(line_of(fixture, "old"), "%+"));
	assert_null(strstr(line_of(fixture, "lo"), "%+"));
}

static void the_title_has_the_busiest(void **state)
{
	static const char *const filters[] = { "port 443" };
	struct fixture *fixture = *state;

	fixture->run.filters = filters;
	show_links(fixture, typical, ARRAY_LENGTH(typical));
	paint(fixture, 180, 24);
	assert_true(on_glass(fixture, 6, "eth0 50% of 1Gb/s TCP 71% drops 3"));
	/* of what filters leave out, TCP's part is not known */
	fixture->run.filter_count = 1;
	paint(fixture, 180, 24);
	assert_true(on_glass(fixture, 6, "eth0 50% of 1Gb/s drops 3"));
	fixture->run.filter_count = 0;
	/* the loopback only where no other moves a byte: it has no speed */
	show_links(fixture, typical, 1);
	paint(fixture, 180, 24);
	assert_true(on_glass(fixture, 6, "lo 1.68GB/s"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UI_TEST(what_a_link_has),
		UI_TEST(narrow_screens_have_the_first_columns),
		UI_TEST(each_keeps_its_place),
		UI_TEST(what_is_not_known_is_said),
		UI_TEST(the_title_has_the_busiest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
