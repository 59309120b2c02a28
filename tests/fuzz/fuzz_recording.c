/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recording of any bytes. What is read of one can be written, read again, and written the same; and it can be shown in
 * all other forms, which are harmless text.
 */
#include "base/error.h"
#include "base/escape.h"
#include "base/util.h"
#include "fuzz.h"
#include "model/snapshot.h"
#include "output/recording.h"
#include "output/renderer.h"

/* What was written as JSON Lines. */
struct written {
	char *text;
	size_t length;
	size_t intervals;
	size_t sessions;
	int end; /* 0, or -errno: what is read has a fault */
};

static struct recording *open_bytes(const void *bytes, size_t size)
{
	struct recording *recording;
	struct error error;

	HOLDS(recording_open_stream(&recording, fmemopen((void *)bytes, size, "r"), "input", &error) == 0);
	return recording;
}

/* What other modules take for granted. */
static void check_sessions(const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->session_count; i++) {
		const struct session *session = &snapshot->sessions[i];

		HOLDS(session->family == 4 || session->family == 6);
		HOLDS(memchr(session->comm, '\0', sizeof session->comm));
		HOLDS(memchr(session->ifname, '\0', sizeof session->ifname));
	}
	HOLDS(snapshot->time.tv_nsec >= 0 && snapshot->time.tv_nsec < 1000000000);
}

/* Reads it all; each interval is written. */
static struct written rewrite(struct recording *recording)
{
	struct written written = { 0 };
	struct run run = { .interval_ns = 1000000000 };
	struct error error = { 0 };
	struct snapshot snapshot;
	FILE *stream = open_memstream(&written.text, &written.length);
	void *state;

	HOLDS(stream);
	snapshot_init(&snapshot);
	HOLDS(renderer_json.open(&state, &run, stream, &error) == 0);
	while ((written.end = recording_next(recording, &snapshot, &error)) > 0) {
		check_sessions(&snapshot);
		written.intervals++;
		written.sessions += snapshot.session_count;
		HOLDS(renderer_json.show(state, &snapshot, &error) == 0);
	}
	if (written.end < 0)
		HOLDS(error.text[0] && memchr(error.text, '\0', sizeof error.text));
	renderer_json.close(state);
	snapshot_fini(&snapshot);
	fclose(stream);
	return written;
}

/* What a terminal, or who reads lines, takes for nothing else than text. */
static void check_harmless(const char *text, size_t length)
{
	uint32_t character;

	for (size_t i = 0, taken; i < length; i += taken) {
		taken = escape_decode_utf8((const unsigned char *)text + i, length - i, &character);
		HOLDS(taken && (character >= ' ' || character == '\n' || character == '\r'));
		HOLDS(character < 0x7f || character > 0x9f);
	}
}

/* Reads it all, as the form shows it; those that tell losses on stderr get none. */
static void show(struct recording *recording, const struct renderer *renderer, bool on_stderr)
{
	struct run run = { .interval_ns = 1000000000, .series_places = 16 };
	struct error error = { 0 };
	struct snapshot snapshot;
	char *text;
	size_t length;
	FILE *stream = open_memstream(&text, &length);
	void *state;

	HOLDS(stream);
	snapshot_init(&snapshot);
	HOLDS(renderer->open(&state, &run, stream, &error) == 0);
	while (recording_next(recording, &snapshot, &error) > 0) {
		if (on_stderr) {
			snapshot.other = (struct session_other){ 0 };
			snapshot.missed_runs = 0;
		}
		HOLDS(renderer->show(state, &snapshot, &error) == 0);
	}
	renderer->close(state);
	snapshot_fini(&snapshot);
	fclose(stream);
	check_harmless(text, length);
	free(text);
}

static void show_in_all_forms(struct recording *recording)
{
	static const struct {
		const struct renderer *renderer;
		bool on_stderr;
	} forms[] = {
		{ &renderer_text, true },
		{ &renderer_csv, true },
		{ &renderer_openmetrics, false },
		{ &renderer_diagnose, false },
		{ &renderer_diagnose_json, false },
	};

	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		HOLDS(recording_seek(recording, 0) == 0);
		show(recording, forms[i].renderer, forms[i].on_stderr);
	}
}

static void expect_same(const struct written *written, const struct written *other)
{
	HOLDS(written->intervals == other->intervals);
	HOLDS(written->sessions == other->sessions);
	HOLDS(written->length == other->length);
	HOLDS(memcmp(written->text, other->text, written->length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct recording *recording = open_bytes(bytes, size);
	struct written written = rewrite(recording), again;

	/* From the beginning, as Home does on the screen. */
	if (written.intervals && recording_can_seek(recording)) {
		HOLDS(recording_seek(recording, 0) == 0);
		again = rewrite(recording);
		HOLDS(again.end == written.end);
		expect_same(&written, &again);
		free(again.text);
		check_harmless(written.text, written.length);
		show_in_all_forms(recording);
	}
	recording_close(recording);
	if (written.intervals) {
		recording = open_bytes(written.text, written.length);
		again = rewrite(recording);
		recording_close(recording);
		HOLDS(again.end == 0);
		expect_same(&written, &again);
		free(again.text);
	}
	free(written.text);
	return 0;
}
