/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Lines: one object that says where it was counted; then one for each session of an interval, each connection that
 * ended and each link, and one for the interval. Before the first session of a cgroup there is one with its names.
 * Fields are only added. docs/recording.schema.json describes them.
 */
#include "output/json.h"

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
#include "base/util.h"
#include "model/services.h"
#include "model/snapshot.h"
#include "output/fields.h"
#include "output/origin.h"
#include "output/owners.h"
#include "output/renderer.h"
#include "output/seen.h"
#include "output/served.h"
#include "output/stamp.h"

#define ESCAPED_NAME_SIZE (6 * CONNECTION_REASON_SIZE + 1)
#define MEMBER_SIZE \
	(2 * (FIELD_KEY_MAX + sizeof ",\"_hex\":\"\"") + ESCAPED_NAME_SIZE + 2 * CONNECTION_REASON_SIZE)
#define STAMP_SIZE 128
#define WORDS_SIZE 2048
#define SCHEMA_VERSION 1

struct json {
	FILE *stream;
	const struct run *run;
	struct seen seen;         /* connections */
	struct seen seen_cgroups; /* what was written of them */
	struct owners owners;
	struct services services;
	uint64_t rx_bytes; /* of all intervals */
	uint64_t tx_bytes;
};

_Static_assert(
    MEMBER_SIZE > FIELD_KEY_MAX + sizeof ",\"\":\"\"" + ADDRESS_SIZE, "the longest member is a name");
_Static_assert((int)CONNECTION_REASON_SIZE > (int)FIELD_NAME_SIZE, "or a reason");

/* The members that all objects of an interval share. */
static void format_stamp(char *buffer, size_t size, const struct snapshot *snapshot)
{
	char time[STAMP_UTC_SIZE], seconds[STAMP_SECONDS_SIZE];

	stamp_utc(time, sizeof time, &snapshot->time);
	stamp_seconds(seconds, sizeof seconds, snapshot->interval_ns);
	snprintf(buffer, size, "\"time\":\"%s\",\"interval_s\":%s", time, seconds);
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

/* The text, and beside it, where its bytes are not valid UTF-8, those bytes: two hex digits each. */
static char *put_text(char *at, const struct field *field, const char *name, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	bool valid;

	at = put(put_key(at, field, ""), "\"");
	at += escape_json(at, 6 * length + 1, name, length, &valid);
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
	case FIELD_REASON:
		return put_text(at, field, value, strnlen(value, field_name_size(field) - 1));
	case FIELD_ADDRESS:
		at = put(put_key(at, field, ""), "\"");
		at += address_format(at, ((const struct session *)record)->family, (const uint8_t *)value);
		return put(at, "\"");
	case FIELD_TEXT:
	case FIELD_BOOL:
	case FIELD_ANSWER:
	case FIELD_FAMILY:
	case FIELD_STATE:
	case FIELD_CAUSE:
	case FIELD_END:
	case FIELD_OWNER:
	case FIELD_U8:
	case FIELD_U16:
	case FIELD_U32:
	case FIELD_U64:
		break;
	}
	const char *word = field_word(field, record);

	at = put_key(at, field, "");
	if (word)
		return put(put(put(at, "\""), word), "\"");
	return at + format_decimal(at, field_number(field, record));
}

/* One of any length. */
static int print_text(FILE *stream, const struct field *field, const void *record)
{
	const char *text = *(const char *const *)(const void *)((const char *)record + field->offset);
	char member[MEMBER_SIZE + 8 * (CGROUP_TOLD_TEXT_MAX + 1)];
	size_t length = (size_t)(put_text(member, field, text, strnlen(text, CGROUP_TOLD_TEXT_MAX)) - member);

	return fwrite(member, 1, length, stream) == length ? 0 : -1;
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
		if (field->type == FIELD_TEXT) {
			if (print_text(stream, field, record) != 0)
				return -1;
			continue;
		}
		size_t length = (size_t)(put_member(member, field, record) - member);

		if (fwrite(member, 1, length, stream) != length)
			return -1;
	}
	return 0;
}

int json_print_object(
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
		    json_print_object(stream, "link", &link_fields, link, stamp) != 0)
			return -1;
	}
	return 0;
}

/* One text of an array; the quotes are in it. */
static int print_item(FILE *stream, bool is_first, const char *text)
{
	char escaped[WORDS_SIZE];

	escape_json(escaped, sizeof escaped, text, strlen(text), NULL);
	return fprintf(stream, "%s\"%s\"", is_first ? "" : ",", escaped) < 0 ? -1 : 0;
}

/* By what the sessions, and so the totals, were chosen. */
static int print_words(const struct json *json)
{
	if (!json->run->words)
		return 0;
	return fputs(",\"filter\":", json->stream) < 0 ? -1
	                                               : print_item(json->stream, true, json->run->words);
}

static int print_method(const struct json *json)
{
	const struct run *run = json->run;

	if (fprintf(json->stream, ",\"probe\":\"%s\",\"not_counted\":[", probe_method_name(run->method)) < 0)
		return -1;
	for (size_t i = 0; i < run->not_counted_count; i++)
		if (print_item(json->stream, i == 0, run->not_counted[i]) < 0)
			return -1;
	return putc(']', json->stream) < 0 ? -1 : 0;
}

/* What chose the sessions of a recording comes before what chooses among them now. */
static int print_filters(const struct json *json)
{
	const struct run *run = json->run;
	const char *recorded = run->origin && run->origin->filters ? run->origin->filters : "";

	if (fprintf(json->stream, ",\"filters\":[%s", recorded) < 0)
		return -1;
	for (size_t i = 0; i < run->option_count; i++)
		if (print_item(json->stream, i == 0 && !*recorded, run->options[i]) < 0)
			return -1;
	return putc(']', json->stream) < 0 ? -1 : 0;
}

static int print_start_time(FILE *stream, const struct origin *origin)
{
	struct timespec time = { (time_t)(origin->start_ns / NS_PER_S), (long)(origin->start_ns % NS_PER_S) };
	char text[STAMP_UTC_SIZE];

	if (!origin->start_ns)
		return 0;
	stamp_utc(text, sizeof text, &time);
	return fprintf(stream, ",\"time\":\"%s\"", text) < 0 ? -1 : 0;
}

/* What a reader on another machine needs to know. A length of intervals was asked for only where it was counted. */
static int print_start(const struct json *json)
{
	static const struct origin unknown;
	const struct run *run = json->run;
	const struct origin *origin = run->origin ? run->origin : &unknown;
	char seconds[STAMP_SECONDS_SIZE];

	if (fprintf(json->stream, "{\"type\":\"start\",\"schema\":%d", SCHEMA_VERSION) < 0 ||
	    print_start_time(json->stream, origin) < 0 ||
	    print_fields(json->stream, &origin_fields, origin) < 0)
		return -1;
	stamp_seconds(seconds, sizeof seconds, run->interval_ns);
	if (run->live && fprintf(json->stream, ",\"interval_s\":%s", seconds) < 0)
		return -1;
	if (print_method(json) < 0 || print_filters(json) < 0 || print_words(json) < 0)
		return -1;
	return fputs("}\n", json->stream) < 0 ? -1 : 0;
}

/* Of a cgroup that no line has told of, or of which more is known by now. */
static int print_cgroup(
    struct json *json, const struct session *session, const struct snapshot *snapshot, const char *stamp)
{
	struct cgroup_description description;

	if (!session->cgroup_id || !owners_find(&json->owners, session, snapshot->time.tv_sec, &description))
		return 0;
	int is_new = seen_add_hash(&json->seen_cgroups, cgroup_told_hash(&description.facts));

	return is_new > 0
	           ? json_print_object(json->stream, "cgroup", &cgroup_fields, &description.facts, stamp)
	           : is_new;
}

/* The sums over the sessions are not rows of a table, since a reader computes them from the sessions. */
static int print_total(const struct json *json, const struct snapshot *snapshot, const char *stamp)
{
	if (fprintf(json->stream,
	        "{\"type\":\"interval\",%s,\"sessions\":%zu,\"rx_bytes\":%" PRIu64 ",\"tx_bytes\":%" PRIu64,
	        stamp, snapshot->session_count, snapshot->rx_bytes, snapshot->tx_bytes) < 0 ||
	    print_fields(json->stream, &other_fields, &snapshot->other) != 0 ||
	    fprintf(json->stream, ",\"total_rx_bytes\":%" PRIu64 ",\"total_tx_bytes\":%" PRIu64,
	        json->rx_bytes, json->tx_bytes) < 0 ||
	    print_method(json) < 0 || print_words(json) < 0 ||
	    print_fields(json->stream, &interval_fields, snapshot) != 0)
		return -1;
	return fputs("}\n", json->stream) < 0 ? -1 : 0;
}

/* By listening port, where there was a pass over sockets and lives of connections are noted. */
static int print_services(struct json *json, const struct snapshot *snapshot, const char *stamp)
{
	char more[STAMP_SIZE + sizeof ",\"span_ns\":18446744073709551615"];
	int told = services_add(&json->services, snapshot);

	if (told < 0)
		return told;
	snprintf(more, sizeof more, "%s,\"span_ns\":%" PRIu64, stamp, json->services.span_ns);
	for (size_t i = 0; told && i < json->services.count; i++) {
		const struct service *service = &json->services.items[i];

		if (print_cgroup(json, &service->session, snapshot, stamp) < 0 ||
		    json_print_object(json->stream, "service", &service_fields, service, more) != 0)
			return -1;
	}
	return 0;
}

static int print_interval(
    struct json *json, const struct snapshot *snapshot, const struct session_rank *ranks)
{
	char stamp[STAMP_SIZE];

	format_stamp(stamp, sizeof stamp, snapshot);
	for (size_t i = 0; i < snapshot->session_count; i++) {
		if (print_cgroup(json, ranks[i].session, snapshot, stamp) < 0 ||
		    json_print_object(json->stream, "session", &session_fields, ranks[i].session, stamp) != 0)
			return -1;
	}
	add_to_sum(&json->rx_bytes, snapshot->rx_bytes);
	add_to_sum(&json->tx_bytes, snapshot->tx_bytes);
	/* What a filter did not let pass has not been seen, nor what moved nothing. */
	for (size_t i = 0; i < snapshot->ending_count; i++) {
		const struct ending *ending = &snapshot->endings[i];

		if (seen_has(&json->seen, &ending->connection) &&
		    json_print_object(json->stream, "closed", &ending_fields, ending, stamp) != 0)
			return -1;
	}
	for (size_t i = 0; i < snapshot->connection_count; i++) {
		const struct connection *connection = &snapshot->connections[i];

		if (print_cgroup(json, &connection->session, snapshot, stamp) < 0 ||
		    json_print_object(json->stream, "connection", &connection_fields, connection, stamp) != 0)
			return -1;
	}
	if (print_services(json, snapshot, stamp) != 0 ||
	    print_links(json->stream, &snapshot->links, stamp) != 0 ||
	    print_total(json, snapshot, stamp) != 0)
		return -1;
	return fflush(json->stream) == 0 ? 0 : -1;
}

static int json_begin(void *state, struct error *error)
{
	struct json *json = state;

	seen_fini(&json->seen_cgroups);
	errno = 0;
	return print_start(json) != 0 || fflush(json->stream) != 0 ? error_set_output(error) : 0;
}

static void json_close(void *state)
{
	struct json *json = state;

	if (!json)
		return;
	seen_fini(&json->seen_cgroups);
	seen_fini(&json->seen);
	services_fini(&json->services);
	free(json);
}

static int json_open(void **state, const struct run *run, FILE *stream, struct error *error)
{
	struct json *json = calloc(1, sizeof *json);

	*state = NULL;
	if (!json)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
	owners_init(&json->owners, run);
	json->stream = stream;
	json->run = run;
	/* Each interval is flushed as a whole: a terminal's line buffering would cost a write for each row. */
	setvbuf(stream, NULL, _IOFBF, BUFSIZ);
	int err = json_begin(json, error);

	if (err)
		json_close(json);
	else
		*state = json;
	return err;
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

	if (owners_begin(&json->owners, snapshot) < 0 ||
	    seen_add(&json->seen, snapshot->sessions, snapshot->session_count) < 0) {
		free(ranks);
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
	}
	errno = 0;
	if (print_interval(json, snapshot, ranks) != 0)
		err = error_set_output(error);
	free(ranks);
	return err;
}

const struct renderer renderer_json = {
	.name = "json",
	.shown_bytes = SNAPSHOT_RANK_BYTES + SEEN_BYTES,
	.shows_more = true,
	.open = json_open,
	.begin = json_begin,
	.show = json_show,
	.close = json_close,
};
