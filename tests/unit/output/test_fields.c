/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the tables, written by json and read by recording. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/util.h"
#include "model/snapshot.h"
#include "output/fields.h"
#include "output/recording.h"
#include "output/renderer.h"

static const struct field_table *const tables[] = { &session_fields, &ending_fields, &connection_fields,
	&other_fields, &interval_fields };

/* Writes the interval as a line for each object. For free(). */
static char *write_lines(const struct snapshot *snapshot, size_t *length)
{
	struct run run = { .interval_ns = 1000000000, .method = PROBE_TRACEPOINT };
	struct error error;
	char *lines;
	FILE *stream = open_memstream(&lines, length);
	void *json;

	assert_non_null(stream);
	assert_int_equal(renderer_json.open(&json, &run, stream, &error), 0);
	assert_int_equal(renderer_json.show(json, snapshot, &error), 0);
	renderer_json.close(json);
	fclose(stream);
	return lines;
}

/* The interval that the lines hold. For snapshot_fini. */
static void read_lines(char *lines, size_t length, struct snapshot *snapshot)
{
	struct recording *recording;
	struct error error = { 0 };

	snapshot_init(snapshot);
	assert_int_equal(recording_open_stream(&recording, fmemopen(lines, length, "r"), "lines", &error), 0);
	if (recording_start(recording, &error) != 0 || recording_next(recording, snapshot, &error) != 1)
		fail_msg("%s", error.text);
	recording_close(recording);
}

static void fill(struct snapshot *snapshot, uint8_t family)
{
	snapshot_init(snapshot);
	snapshot->time = (struct timespec){ .tv_sec = 1795344137 };
	snapshot->interval_ns = 1000000000;
	struct session *session = snapshot_add(snapshot);

	assert_non_null(session);
	session->family = family;
	struct ending *ending = snapshot_add_ending(snapshot);

	assert_non_null(ending);
	ending->connection = *session;
	/* or those that are joined to them would be left out */
	session->rtt_us = session->socket.state = session->socket.backlog_max = 1;
	snapshot->sockets.cpu_ns = snapshot->cost.total_ns = 1;
	snapshot->sockets.follows = true;
}

/* Through JSON and back; `key` is, or is not, a member of one of the objects. For snapshot_fini. */
static void expect_round_trip(
    struct snapshot *snapshot, const char *key, bool is_member, struct snapshot *back)
{
	char member[FIELD_KEY_MAX + 8];
	size_t length;
	char *lines = write_lines(snapshot, &length);

	snprintf(member, sizeof member, ",\"%s\":", key);
	if ((strstr(lines, member) != NULL) != is_member)
		fail_msg("%s is %s: %s", key, is_member ? "missing" : "there", lines);
	read_lines(lines, length, back);
	assert_int_equal(back->session_count, snapshot->session_count);
	free(lines);
}

static void *record_of(struct snapshot *snapshot, const struct field_table *table)
{
	return table == &session_fields      ? (void *)&snapshot->sessions[0]
	       : table == &ending_fields     ? (void *)&snapshot->endings[0]
	       : table == &connection_fields ? (void *)&snapshot->connections[0]
	       : table == &other_fields      ? (void *)&snapshot->other
	                                     : snapshot;
}

/* That of a connection alone: members of others have the same keys. */
static void fill_connection(struct snapshot *snapshot)
{
	struct connection *connection = snapshot_add_connection(snapshot);

	assert_non_null(connection);
	connection->session.family = snapshot->sessions[0].family;
	snapshot->session_count = snapshot->ending_count = 0;
}

static void expect_number(const struct field_table *table, const struct field *field, uint64_t number)
{
	bool is_member = field->presence != FIELD_KNOWN || number != field->absent;
	struct snapshot snapshot, back;

	fill(&snapshot, 4);
	if (table == &connection_fields)
		fill_connection(&snapshot);
	field_set_number(field, record_of(&snapshot, table), number);
	assert_int_equal(field_number(field, record_of(&snapshot, table)), number);
	if (table == &ending_fields) { /* of a connection that was never seen nothing is written */
		snapshot.sessions[0] = snapshot.endings[0].connection;
		snapshot.sessions[0].rtt_us = 1;
	}
	snapshot_total(&snapshot);
	expect_round_trip(&snapshot, field->key, is_member, &back);
	assert_int_equal(field_number(field, record_of(&back, table)), number);
	if (table == &ending_fields) {
		assert_int_equal(back.ending_count, 1);
		assert_memory_equal(&back.endings[0], &snapshot.endings[0], sizeof(struct ending));
	}
	if (table == &connection_fields)
		assert_memory_equal(
		    &back.connections[0], &snapshot.connections[0], sizeof(struct connection));
	if (table == &session_fields) /* no other member has changed either */
		assert_memory_equal(&back.sessions[0], &snapshot.sessions[0], sizeof(struct session));
	snapshot_fini(&snapshot);
	snapshot_fini(&back);
}

static void numbers_come_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(tables); i++) {
		for (size_t k = 0; k < tables[i]->count; k++) {
			const struct field *field = &tables[i]->rows[k];

			if (field->type == FIELD_ADDRESS || field->type == FIELD_NAME ||
			    field->type == FIELD_REASON)
				continue;
			expect_number(tables[i], field, field->type == FIELD_FAMILY ? 4 : 1);
			expect_number(tables[i], field, field_max(field));
			if (field->type == FIELD_FAMILY)
				continue;
			expect_number(tables[i], field, 0);
			expect_number(tables[i], field, field_max(field) - 1);
			expect_number(tables[i], field, field->absent);
		}
	}
}

static void addresses_come_back(void **state)
{
	(void)state;
	for (size_t k = 0; k < session_fields.count; k++) {
		const struct field *field = &session_fields.rows[k];

		if (field->type != FIELD_ADDRESS)
			continue;
		for (uint8_t family = 4; family <= 6; family += 2) {
			static const uint8_t bytes[] = { 0x00, 0xff, 0x5a };

			for (size_t i = 0; i < sizeof bytes; i++) {
				struct snapshot snapshot, back;

				fill(&snapshot, family);
				memset((char *)&snapshot.sessions[0] + field->offset, bytes[i],
				    family == 4 ? 4 : 16);
				expect_round_trip(&snapshot, field->key, true, &back);
				assert_memory_equal(
				    &back.sessions[0], &snapshot.sessions[0], sizeof(struct session));
				snapshot_fini(&snapshot);
				snapshot_fini(&back);
			}
		}
	}
}

/* The longest of each kind: text, six bytes of JSON for each of the name, bytes that are not UTF-8. */
static void names_come_back(void **state)
{
	static const char *const names[] = {
		"",
		"x",
		"0123456789abcdef",
		"\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1",
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\xff",
		"\"\\\xc3",
	};

	(void)state;
	for (size_t k = 0; k < session_fields.count; k++) {
		const struct field *field = &session_fields.rows[k];

		for (size_t i = 0; field->type == FIELD_NAME && i < COUNT_OF(names); i++) {
			struct snapshot snapshot, back;

			fill(&snapshot, 6);
			snprintf(
			    (char *)&snapshot.sessions[0] + field->offset, FIELD_NAME_SIZE, "%s", names[i]);
			expect_round_trip(
			    &snapshot, field->key, field->presence != FIELD_KNOWN || *names[i], &back);
			assert_memory_equal(&back.sessions[0], &snapshot.sessions[0], sizeof(struct session));
			snapshot_fini(&snapshot);
			snapshot_fini(&back);
		}
	}
}

static void reasons_come_back(void **state)
{
	static const char *const reasons[] = { "", "tcp_abort_on_close", "0123456789012345678901234567890",
		"\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\xff" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(reasons); i++) {
		struct snapshot snapshot, back;

		fill(&snapshot, 6);
		fill_connection(&snapshot);
		snprintf(snapshot.connections[0].reason, CONNECTION_REASON_SIZE, "%s", reasons[i]);
		expect_round_trip(&snapshot, "reason", *reasons[i], &back);
		assert_memory_equal(
		    &back.connections[0], &snapshot.connections[0], sizeof(struct connection));
		snapshot_fini(&snapshot);
		snapshot_fini(&back);
	}
}

/* retransmits are counted only where the round-trip time is known; of a chain the nearest row before that is none of it. */
static void joined_members_follow_the_row_before(void **state)
{
	struct snapshot snapshot, back;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(tables); i++) {
		const struct field *decides = NULL;

		for (size_t k = 0; k < tables[i]->count; k++) {
			const struct field *field = &tables[i]->rows[k];

			if (field->presence != FIELD_JOINED) {
				decides = field;
				continue;
			}
			assert_non_null(decides);
			assert_int_equal(decides->presence, FIELD_KNOWN);
			for (uint64_t known = 0; known < 2; known++) {
				fill(&snapshot, 4);
				field_set_number(
				    decides, record_of(&snapshot, tables[i]), decides->absent + known);
				field_set_number(field, record_of(&snapshot, tables[i]), 7);
				expect_round_trip(&snapshot, field->key, known, &back);
				assert_int_equal(field_number(field, record_of(&back, tables[i])),
				    known ? 7 : field->absent);
				snapshot_fini(&snapshot);
				snapshot_fini(&back);
			}
		}
	}
}

/* Every number has a word, which no other has; a word that is none is an error. */
static void words_come_back(void **state)
{
	(void)state;
	for (size_t k = 0; k < session_fields.count; k++) {
		const struct field *field = &session_fields.rows[k];
		struct session session = { 0 };

		if (field->type != FIELD_STATE && field->type != FIELD_CAUSE) {
			assert_null(field_word(field, &session));
			continue;
		}
		assert_null(field_word(field, &session));
		for (uint64_t number = 1; number <= field_max(field); number++) {
			struct session back = { 0 };

			field_set_number(field, &session, number);
			json_t *object = json_pack("{s:s}", field->key, field_word(field, &session));

			assert_null(field_read(field, object, &back));
			assert_int_equal(field_number(field, &back), number);
			json_decref(object);
		}
		json_t *const wrong[] = { json_string("?"), json_string(""), json_integer(1), json_null() };

		for (size_t i = 0; i < COUNT_OF(wrong); i++) {
			json_t *object = json_object();

			json_object_set_new(object, field->key, wrong[i]);
			assert_non_null(field_read(field, object, &session));
			json_decref(object);
		}
	}
}

/* What the writer and the reader rely on. */
static void rows_are_sound(void **state)
{
	bool has_family = false;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(tables); i++) {
		assert_int_not_equal(tables[i]->rows[0].presence, FIELD_JOINED);
		for (size_t k = 0; k < tables[i]->count; k++) {
			const struct field *field = &tables[i]->rows[k];

			assert_true(strlen(field->key) <= FIELD_KEY_MAX);
			has_family = has_family || field->type == FIELD_FAMILY;
			if (field->type == FIELD_ADDRESS)
				assert_true(has_family &&
				            (tables[i] == &session_fields || tables[i] == &ending_fields ||
				                tables[i] == &connection_fields));
			if (field->type == FIELD_ADDRESS)
				assert_int_equal(field->presence, FIELD_REQUIRED);
			if (field->type == FIELD_NAME || field->type == FIELD_REASON)
				assert_true(
				    field->presence == FIELD_REQUIRED || field->presence == FIELD_KNOWN);
			for (size_t j = 0; j < k; j++)
				assert_string_not_equal(tables[i]->rows[j].key, field->key);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_come_back),
		cmocka_unit_test(addresses_come_back),
		cmocka_unit_test(names_come_back),
		cmocka_unit_test(reasons_come_back),
		cmocka_unit_test(joined_members_follow_the_row_before),
		cmocka_unit_test(words_come_back),
		cmocka_unit_test(rows_are_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
