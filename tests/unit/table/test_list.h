/* SPDX-License-Identifier: Apache-2.0 */
/* Traffic of three connections, and its list. */
#ifndef TCPTOP_TEST_LIST_H
#define TCPTOP_TEST_LIST_H

#include <stdlib.h>

#include "model/traffic.h"
#include "names/names.h"
#include "table/list.h"
#include "table/order.h"
#include "make_session.h"

struct fixture {
	struct traffic traffic;
	struct list_settings settings;
	struct column_context context;
	struct list list;
};

static inline int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	const struct session sessions[] = {
		make("web", 1, "192.0.2.1", 1, 100, 10),
		make("web", 1, "192.0.2.2", 2, 200, 20),
		make("db", 2, "2001:db8::1", 3, 50, 5),
	};
	struct snapshot snapshot;

	if (!fixture)
		return -1;
	traffic_init(&fixture->traffic);
	list_init(&fixture->list);
	fixture->settings.epoch = 1;
	fixture->context.traffic = &fixture->traffic;
	snapshot_init(&snapshot);
	snapshot.interval_ns = 1000000000;
	for (size_t i = 0; i < sizeof sessions / sizeof sessions[0]; i++)
		*snapshot_add(&snapshot) = sessions[i];
	snapshot_total(&snapshot);
	*state = fixture;
	int err = traffic_merge(&fixture->traffic, &snapshot, NULL);

	snapshot_fini(&snapshot);
	return err;
}

static inline int tear_down(void **state)
{
	struct fixture *fixture = *state;

	list_fini(&fixture->list);
	traffic_fini(&fixture->traffic);
	free(fixture);
	return 0;
}

static inline const char *listed(struct fixture *fixture)
{
	static char text[16384];
	const struct rows *rows = list_rows(&fixture->list, &fixture->context);

	assert_int_equal(
	    list_build(&fixture->list, &fixture->settings, &fixture->context, column_find("rx")), 0);
	rows = list_rows(&fixture->list, &fixture->context);
	text[0] = '\0';
	for (size_t i = 0; i < fixture->list.count; i++) {
		const struct view_item *item = &fixture->list.items[i];

		assert_int_equal(
		    item->rank, column_find("rx")->rank(&fixture->context, &rows->rows[item->row]));
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s:%u", i ? " " : "",
		    rows->rows[item->row].session.comm, (unsigned)rows->rows[item->row].session.rx_bytes);
	}
	return text;
}

static inline const char *cell_text(struct fixture *fixture, const char *column, size_t item)
{
	static struct cell cell;

	cell = (struct cell){ .width = 40 };
	column_find(column)->format(&fixture->context,
	    &list_rows(&fixture->list, &fixture->context)->rows[fixture->list.items[item].row], &cell);
	return cell.text;
}

static inline void merge(struct fixture *fixture, const struct session *sessions, size_t count)
{
	struct snapshot snapshot;

	snapshot_init(&snapshot);
	snapshot.interval_ns = 1000000000;
	for (size_t i = 0; i < count; i++)
		*snapshot_add(&snapshot) = sessions[i];
	snapshot_total(&snapshot);
	assert_int_equal(traffic_merge(&fixture->traffic, &snapshot, NULL), 0);
	snapshot_fini(&snapshot);
}

#endif
