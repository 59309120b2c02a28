/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Lines: one object for each session of an interval, each connection that ended and each link, then one for the
 * interval. Fields are only added.
 */
#include "output/renderer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/address.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/format.h"
#include "model/snapshot.h"
#include "output/fields.h"
#include "output/seen.h"

#define ESCAPED_NAME_SIZE (6 * FIELD_NAME_SIZE)
#define MEMBER_SIZE (2 * (FIELD_KEY_MAX + sizeof ",\"_hex\":\"\"") + ESCAPED_NAME_SIZE + 2 * FIELD_NAME_SIZE)
#define ID_SIZE 256
#define STAMP_SIZE 128
#define WORDS_SIZE 2048

struct json {
	FILE *stream;
	const struct run *run;
	struct seen seen;
};

_Static_assert(
    MEMBER_SIZE > FIELD_KEY_MAX + sizeof ",\"\":\"\"" + ADDRESS_SIZE, "the longest member is a name");

/* Seconds to the microsecond: six decimals, of which up to two trailing zeros are dropped. */
static void format_seconds(char *buffer, size_t size, uint64_t interval_ns)
{
	uint64_t interval_us = (interval_ns + 500) / 1000;
	int length =
	    snprintf(buffer, size, "%" PRIu64 ".%06" PRIu64, interval_us / 1000000, interval_us % 1000000);

	for (int spare = 2; spare > 0 && buffer[length - 1] == '0'; spare--)
		buffer[--length] = '\0';
}

/* The members that all objects of an interval share. */
static void format_stamp(char *buffer, size_t size, const struct snapshot *snapshot)
{
	char date[48], seconds[32];
	struct tm utc;

	gmtime_r(&snapshot->time.tv_sec, &utc);
	strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
	format_seconds(seconds, sizeof seconds, snapshot->interval_ns);
	snprintf(buffer, size, "\"time\":\"%s.%03ldZ\",\"interval_s\":%s", date,
	    snapshot->time.tv_nsec / 1000000, seconds);
}

/* Members are built without printf, which parses a format for each of them. Each put function returns the end. */
static char *put(char *at, const char *text)
{
	size_t length = strlen(text);

	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): a piece of a line, not a string */
	memcpy(at, text, length);
	return at + length;
}

static char *put_key(char *at, const struct field *field, const char *suffix)
{
	size_t length = strnlen(field->key, FIELD_KEY_MAX);

	at = put(at, ",\"");
	memcpy(at, field->key, length);
	at = put(at + length, suffix);
	return put(at, "\":");
}

/* The name, and beside it, where its bytes are not valid UTF-8, those bytes: two hex digits each. */
static char *put_name(char *at, const struct field *field, const char *name)
{
	static const char digits[] = "0123456789abcdef";
	size_t length = strnlen(name, FIELD_NAME_SIZE - 1);
	bool valid;

	at = put(put_key(at, field, ""), "\"");
	at += escape_json(at, ESCAPED_NAME_SIZE, name, length, &valid);
	at = put(at, "\"");
	if (valid)
		return at;
	at = put(put_key(at, field, "_hex"), "\"");
	for (size_t i = 0; i < length; i++) {
		*at++ = digits[(unsigned char)name[i] >> 4];
		*at++ = digits[name[i] & 0xF];
	}
	return put(at, "\"");
}

/* At most MEMBER_SIZE bytes. */
static char *put_member(char *at, const struct field *field, const void *record)
{
	const char *value = (const char *)record + field->offset;

	switch (field->type) {
	case FIELD_NAME:
		return put_name(at, field, value);
	case FIELD_ADDRESS:
		at = put(put_key(at, field, ""), "\"");
		at += address_format(at, ((const struct session *)record)->family, (const uint8_t *)value);
		return put(at, "\"");
	case FIELD_BOOL:
	case FIELD_ANSWER:
	case FIELD_FAMILY:
	case FIELD_U16:
	case FIELD_U32:
	case FIELD_U64:
		break;
	}
	at = put_key(at, field, "");
	return at + format_decimal(at, field_number(field, record));
}

static int print_fields(FILE *stream, const struct field_table *fields, const void *record)
{
	bool is_written = true;

	for (size_t i = 0; i < fields->count; i++) {
		const struct field *field = &fields->rows[i];
		char member[MEMBER_SIZE];

		if (field->presence != FIELD_JOINED)
			is_written = field_is_known(field, record);
		if (!is_written)
			continue;
		size_t length = (size_t)(put_member(member, field, record) - member);

		if (fwrite(member, 1, length, stream) != length)
			return -1;
	}
	return 0;
}

/* type: of the object, whose members are the record's. */
static int print_object(
    FILE *stream, const char *type, const struct field_table *fields, const void *record, const char *stamp)
{
	if (fprintf(stream, "{\"type\":\"%s\",%s", type, stamp) < 0 ||
	    print_fields(stream, fields, record) != 0)
		return -1;
	return fputs("}\n", stream) < 0 ? -1 : 0;
}

/* An idle link has no line, or hundreds of containers would have one each in every interval. */
static int print_links(FILE *stream, const struct links *links, const char *stamp)
{
	static const uint64_t idle[LINK_COUNTS];

	for (size_t i = 0; i < links->count; i++) {
		const struct link *link = &links->items[i];

		if (memcmp(link->counts, idle, sizeof idle) != 0 &&
		    print_object(stream, "link", &link_fields, link, stamp) != 0)
			return -1;
	}
	return 0;
}

/* By what the sessions, and so the totals, were chosen. */
static int print_words(const struct json *json)
{
	char escaped[WORDS_SIZE];

	if (!json->run->words)
		return 0;
	escape_json(escaped, sizeof escaped, json->run->words, strlen(json->run->words), NULL);
	return fprintf(json->stream, ",\"filter\":\"%s\"", escaped);
}

/* The sums over the sessions are not rows of a table, since a reader computes them from the sessions. */
static int print_total(const struct json *json, const struct snapshot *snapshot, const char *stamp)
{
	if (fprintf(json->stream,
	        "{\"type\":\"interval\",%s,\"sessions\":%zu,\"rx_bytes\":%" PRIu64 ",\"tx_bytes\":%" PRIu64,
	        stamp, snapshot->session_count, snapshot->rx_bytes, snapshot->tx_bytes) < 0 ||
	    print_fields(json->stream, &other_fields, &snapshot->other) != 0 ||
	    fprintf(json->stream, ",\"probe\":\"%s\",\"not_counted\":[",
	        probe_method_name(json->run->method)) < 0)
		return -1;
	for (size_t i = 0; i < json->run->not_counted_count; i++) {
		const char *id = json->run->not_counted[i];
		char escaped[ID_SIZE];

		escape_json(escaped, sizeof escaped, id, strlen(id), NULL);
		if (fprintf(json->stream, "%s\"%s\"", i ? "," : "", escaped) < 0)
			return -1;
	}
	if (putc(']', json->stream) < 0 || print_words(json) < 0 ||
	    print_fields(json->stream, &interval_fields, snapshot) != 0)
		return -1;
	return fputs("}\n", json->stream) < 0 ? -1 : 0;
}

static int print_interval(
    const struct json *json, const struct snapshot *snapshot, const struct session_rank *ranks)
{
	char stamp[STAMP_SIZE];

	format_stamp(stamp, sizeof stamp, snapshot);
	for (size_t i = 0; i < snapshot->session_count; i++) {
		if (print_object(json->stream, "session", &session_fields, ranks[i].session, stamp) != 0)
			return -1;
	}
	/* What a filter did not let pass has not been seen, nor what moved nothing. */
	for (size_t i = 0; i < snapshot->ending_count; i++) {
		const struct ending *ending = &snapshot->endings[i];

		if (seen_has(&json->seen, &ending->connection) &&
		    print_object(json->stream, "closed", &ending_fields, ending, stamp) != 0)
			return -1;
	}
	if (print_links(json->stream, &snapshot->links, stamp) != 0 ||
	    print_total(json, snapshot, stamp) != 0)
		return -1;
	return fflush(json->stream) == 0 ? 0 : -1;
}

static int json_open(void **state, const struct run *run, FILE *stream, struct error *error)
{
	struct json *json = calloc(1, sizeof *json);

	*state = json;
	if (!json)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
	json->stream = stream;
	json->run = run;
	/* Each interval is flushed as a whole: a terminal's line buffering would cost a write for each row. */
	setvbuf(stream, NULL, _IOFBF, BUFSIZ);
	return 0;
}

static int json_show(void *state, const struct snapshot *snapshot, struct error *error)
{
	if (snapshot->is_end)
		return 0;
	struct session_rank *ranks = snapshot_rank(snapshot);
	int err = 0;

	if (!ranks)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory: %zu connections to sort",
		    snapshot->session_count);
	struct json *json = state;

	if (seen_add(&json->seen, snapshot->sessions, snapshot->session_count) < 0) {
		free(ranks);
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
	}
	errno = 0;
	if (print_interval(json, snapshot, ranks) != 0)
		err = error_set_output(error);
	free(ranks);
	return err;
}

static void json_close(void *state)
{
	struct json *json = state;

	if (json)
		seen_fini(&json->seen);
	free(json);
}

const struct renderer renderer_json = {
	.name = "json",
	.shows_more = true,
	.open = json_open,
	.show = json_show,
	.close = json_close,
};
