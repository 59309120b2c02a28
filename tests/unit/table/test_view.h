/* SPDX-License-Identifier: Apache-2.0 */
/* A view of a traffic, for the tests of the view. */
#ifndef TCPTOP_TEST_VIEW_H
#define TCPTOP_TEST_VIEW_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "model/traffic.h"
#include "names/names.h"
#include "table/view.h"
#include "make_session.h"

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof *(array))
#define HEIGHT 10

/* The view comes first, so that it stands for all of it. */
struct fixture {
	struct view view;
	struct traffic traffic, frozen;
};

static inline void merge(struct view *view, const struct session *sessions, size_t count)
{
	struct traffic *traffic = &((struct fixture *)view)->traffic;
	struct snapshot snapshot;

	snapshot_init(&snapshot);
	snapshot.interval_ns = 1000000000;
	snapshot.time.tv_sec = 1000 + traffic->tick;
	for (size_t i = 0; i < count; i++)
		*snapshot_add(&snapshot) = sessions[i];
	snapshot_total(&snapshot);
	assert_int_equal(traffic_merge(traffic, &snapshot, view_kept(view)), 0);
	view_changed(view);
	snapshot_fini(&snapshot);
	assert_int_equal(view_prepare(view, HEIGHT), 0);
}

/* The names listed, in order: "c b a". */
static inline const char *listed(struct view *view)
{
	static char text[512];

	text[0] = '\0';
	assert_int_equal(view_prepare(view, HEIGHT), 0);
	for (size_t i = 0; i < view->list.count; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "",
		    view_row(view, i)->session.comm);
	return text;
}

static inline const char *selected(struct view *view)
{
	assert_int_equal(view_prepare(view, HEIGHT), 0);
	const struct row *row = view_selected(view);

	return row ? row->session.comm : "";
}

static inline int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	struct names *names = names_open(NULL, NULL);

	if (!fixture || !names)
		return -1;
	traffic_init(&fixture->traffic);
	traffic_init(&fixture->frozen);
	view_init(&fixture->view, names, &fixture->traffic);
	*state = &fixture->view;
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *fixture = *state;
	struct names *names = fixture->view.context.names;

	view_fini(&fixture->view);
	traffic_fini(&fixture->traffic);
	traffic_fini(&fixture->frozen);
	names_close(names);
	free(fixture);
	return 0;
}

#define VIEW_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
