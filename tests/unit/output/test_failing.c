/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disk is full from any byte on: whatever is being written then, each form of output tells it, and has written what there was room
 * for. Nothing is held back in a buffer (setvbuf(3) is wrapped), so that each write can be the first that fails.
 */
#include "output/renderer.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "golden/golden.h"
#include "names/names.h"
#include "output/origin.h"
#include "tell_names.h"

int __wrap_setvbuf(FILE *stream, char *buffer, int mode, size_t size);
int __real_setvbuf(FILE *stream, char *buffer, int mode, size_t size);

int __wrap_setvbuf(FILE *stream, char *buffer, int mode, size_t size)
{
	(void)buffer, (void)mode, (void)size;
	return __real_setvbuf(stream, NULL, _IONBF, 0);
}

struct disk {
	char bytes[65536];
	size_t length, room;
};

static ssize_t put(void *cookie, const char *bytes, size_t size)
{
	struct disk *disk = cookie;
	size_t left = disk->room - disk->length, taken = size < left ? size : left;

	memcpy(disk->bytes + disk->length, bytes, taken);
	disk->length += taken;
	if (taken == size)
		return (ssize_t)size;
	errno = ENOSPC;
	return 0;
}

static const char *const options[] = { "--pid=1,2", "--comm=a\"b" };
static const char *const not_counted[] = { "splice_io_uring", "odd\"id" };
static const struct origin origin = { .version = "9.8.7",
	.host = "web1",
	.boot_id = "01234567-89ab-cdef-0123-456789abcdef",
	.kernel = "6.18.1",
	.start_ns = UINT64_C(1795344136122000000),
	.monotonic_ms = 4711 };
static const struct cgroup_told web = { .id = 4711,
	.texts = { [CGROUP_NAME] = "shop/web/main", [CGROUP_PATH] = "/kubepods/web", [CGROUP_POD] = "web" } };

/* 0, or what open, show or finish has returned. */
static int show(const struct renderer *renderer, const struct run *run, const struct snapshot *snapshot,
    struct disk *disk)
{
	FILE *stream = fopencookie(disk, "w", (cookie_io_functions_t){ .write = put });
	struct error error = { 0 };
	void *state;

	assert_non_null(stream);
	assert_int_equal(__real_setvbuf(stream, NULL, _IONBF, 0), 0);
	int err = renderer->open(&state, run, stream, &error);

	if (!err) {
		err = renderer->show(state, snapshot, &error);
		err = err ?: renderer->finish ? renderer->finish(state, &error) : 0;
		renderer->close(state);
	} else {
		assert_null(state);
	}
	fclose(stream);
	if (err) {
		assert_int_equal(error.exit_code, EXIT_CODE_OUTPUT);
		assert_true(error.of_output);
		assert_string_equal(error.text, "cannot write the output: No space left on device");
	}
	return err;
}

static void fail_at_each_byte(const struct renderer *renderer, const struct snapshot *snapshot)
{
	struct run run = { .interval_ns = 1000000000,
		.live = true,
		.method = PROBE_TRACEPOINT,
		.no_summary = true, /* which is the host's */
		.not_counted = not_counted,
		.not_counted_count = ARRAY_LENGTH(not_counted),
		.origin = &origin,
		.options = options,
		.option_count = ARRAY_LENGTH(options),
		.words = "comm:x",
		.series_places = 100,
		.names = names_open(NULL, NULL) };
	static struct disk whole, part;

	tell_names(run.names, &web);
	whole.length = 0;
	whole.room = sizeof whole.bytes;
	assert_int_equal(show(renderer, &run, snapshot, &whole), 0);
	assert_true(whole.length > 0 && whole.length < whole.room);
	for (part.room = 0; part.room < whole.length; part.room++) {
		part.length = 0;
		if (show(renderer, &run, snapshot, &part) != -ENOSPC)
			fail_msg("-o %s, room for %zu of %zu bytes: not told", renderer->name, part.room,
			    whole.length);
		assert_int_equal(part.length, part.room);
		assert_memory_equal(part.bytes, whole.bytes, part.length);
	}
	part.length = 0;
	assert_int_equal(show(renderer, &run, snapshot, &part), 0);
	names_close(run.names);
}

static void fail_in_all(const struct snapshot *snapshot)
{
	static const struct renderer *const renderers[] = { &renderer_json, &renderer_csv, &renderer_text,
		&renderer_openmetrics };

	for (size_t i = 0; i < ARRAY_LENGTH(renderers); i++)
		fail_at_each_byte(renderers[i], snapshot);
}

static void sessions(void **state)
{
	struct snapshot snapshot;

	(void)state;
	sample_fill(&snapshot, sample_find("both"));
	snapshot.sessions[0].cgroup_id = web.id;
	fail_in_all(&snapshot);
	snapshot_fini(&snapshot);
}

static void sockets(void **state)
{
	struct snapshot snapshot;

	(void)state;
	sample_fill_sockets(&snapshot);
	fail_in_all(&snapshot);
	/* the other forms tell this on stderr */
	snapshot.other = (struct session_other){ .calls = 3, .rx_bytes = 1001, .tx_bytes = 7 };
	snapshot.missed_runs = 12;
	snapshot_total(&snapshot);
	fail_at_each_byte(&renderer_json, &snapshot);
	snapshot_fini(&snapshot);
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(sessions), cmocka_unit_test(sockets) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
