/* SPDX-License-Identifier: Apache-2.0 */
/* A recording cannot make its reader take any amount of memory. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "model/snapshot.h"
#include "output/recording.h"

/* Each line of a cgroup may have long texts: their bytes are counted, not the lines. */
static void cgroups_of_an_interval_are_bounded(void **state)
{
	enum { LINES = 17000, TEXT = 4000 };
	struct recording *replay;
	struct snapshot snapshot;
	struct error error;
	char text[TEXT + 1];
	FILE *file = tmpfile();

	(void)state;
	assert_non_null(file);
	snapshot_init(&snapshot);
	memset(text, 'x', TEXT);
	text[TEXT] = '\0';
	for (int i = 1; i <= LINES; i++)
		fprintf(file, "{\"type\":\"cgroup\",\"cgroup_id\":%d,\"path\":\"/%s\"}\n", i, text);
	rewind(file);
	assert_int_equal(recording_open_stream(&replay, file, "a file", &error), 0);
	assert_true(recording_next(replay, &snapshot, &error) < 0);
	assert_non_null(strstr(error.text, "over 64 MB of cgroups"));
	recording_close(replay);
	snapshot_fini(&snapshot);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(cgroups_of_an_interval_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
