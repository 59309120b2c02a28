/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences and objects of --diagnose, and when they come. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <locale.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/error.h"
#include "base/util.h"
#include "model/snapshot.h"
#include "output/renderer.h"

static void fill(struct snapshot *snapshot)
{
	snapshot_init(snapshot);
	struct session *java = snapshot_add(snapshot);

	*java = (struct session){
		.family = 4,
		.raddr = { 10, 0, 3, 7 },
		.lport = 1001,
		.rport = 9092,
		.pid = 2211,
		.netns = 7,
		.uid = 33,
		.comm = "ja\x1b[va",
		.rtt_us = 310,
		.tx_bytes = 5,
		.socket = { .state = SOCKET_ESTABLISHED,
		    .cause = CAUSE_PEER,
		    .shares = { [CAUSE_PEER] = 91, [CAUSE_APP] = 9 },
		    .unsent_bytes = 3 << 20,
		    .rtt_min_us = 200 },
	};
	struct session *listener = snapshot_add(snapshot);

	*listener = (struct session){
		.family = 6,
		.lport = 80,
		.netns = 7,
		.uid = UINT32_MAX,
		.socket = { .state = SOCKET_LISTEN, .backlog = 129, .backlog_max = 128 },
	};
	snapshot->sockets.count = 2;
}

static struct run run_of(uint64_t diagnoses)
{
	return (struct run){ .interval_ns = NS_PER_S,
		.live = true,
		.can_tell_sockets = true,
		.diagnoses = diagnoses,
		.output_fd = -1 };
}

/* The first pass, and two halves of a second; what was printed is for free(). */
static char *show(const struct renderer *renderer, struct snapshot *snapshot)
{
	struct renderer_request request = { 0 };
	struct run run = run_of(1);
	struct error error;
	char *output;
	size_t length;
	FILE *stream = open_memstream(&output, &length);
	void *state;

	assert_int_equal(renderer->open(&state, &run, stream, &error), 0);
	assert_int_equal(renderer->tick(state, &request), REACTION_NONE);
	snapshot->sockets.passed_ns = 0;
	assert_int_equal(renderer->show(state, snapshot, &error), 0);
	assert_int_equal(renderer->tick(state, &request), REACTION_INTERVAL);
	assert_int_equal(request.interval_ns, NS_PER_S / 2);
	snapshot->sockets.passed_ns = NS_PER_S / 2;
	assert_int_equal(renderer->show(state, snapshot, &error), 0);
	fflush(stream);
	assert_int_equal(length, 0);
	assert_int_equal(renderer->tick(state, &request), REACTION_NONE);
	assert_int_equal(renderer->show(state, snapshot, &error), 0);
	assert_int_equal(renderer->tick(state, &request), REACTION_QUIT);
	/* The interval that it ends with adds nothing. */
	assert_int_equal(renderer->show(state, snapshot, &error), 0);
	renderer->close(state);
	fclose(stream);
	return output;
}

static void sentences(void **state)
{
	struct snapshot snapshot;

	(void)state;
	fill(&snapshot);
	char *output = show(&renderer_diagnose, &snapshot);

	assert_string_equal(output, "2 sockets looked at for 1.0 s\n"
	                            " 1. no process, listening on :::80: backlog\n"
	                            "    Its queue is full (129 of 128): further ones will be turned away, "
	                            "as the process accepts too slowly.\n"
	                            "    This cannot tell whom it has turned away.\n"
	                            " 2. ja\\x1b[va (PID 2211) to 10.0.3.7:9092, 1 connection: peer 91%\n"
	                            "    The remote's receive window is full: it reads too slowly; 3.00MB "
	                            "not acknowledged, RTT 0.31 ms, "
	                            "shortest 0.2.\n"
	                            "    This cannot tell why the remote does not read.\n");
	free(output);
	snapshot_fini(&snapshot);
}

/* Where the remote is on this host, it is named, and says why. */
static void the_other_end_is_named(void **state)
{
	struct snapshot snapshot;

	(void)state;
	fill(&snapshot);
	struct session *reader = &snapshot.sessions[1];
	const struct session *java = &snapshot.sessions[0];

	*reader = (struct session){
		.family = 4,
		.laddr = { 10, 0, 3, 7 },
		.lport = java->rport,
		.rport = java->lport,
		.pid = 812,
		.netns = 8,
		.comm = "re\"ader",
		.socket = { .state = SOCKET_ESTABLISHED,
		    .cause = CAUSE_READER,
		    .shares = { [CAUSE_READER] = 99 },
		    .unread_bytes = 2 << 20 },
	};
	char *text = show(&renderer_diagnose, &snapshot), *json = show(&renderer_diagnose_json, &snapshot);

	/* One finding of both, with the cause in front. */
	assert_non_null(strstr(text, " 1. re\"ader (PID 812) to 0.0.0.0:1001, 1 connection: reader 99%\n"));
	assert_non_null(
	    strstr(text, "; its other end on this host is ja\\x1b[va (PID 2211): it waits for this side to "
	                 "read (peer 91%), 3.00MB not acknowledged.\n"));
	assert_null(strstr(text, " 2. "));
	assert_non_null(strstr(json, "\"peer_pid\":2211,\"peer_comm\":\"ja\\u001b[va\""));
	free(text);
	free(json);
	snapshot_fini(&snapshot);
}

/* "Does not read" is said of who has read nothing; who reads too slowly, how fast. */
static void how_fast_it_reads(void **state)
{
	struct snapshot snapshot;

	(void)state;
	for (uint64_t read_bytes = 0; read_bytes <= 5 << 10; read_bytes += 5 << 10) {
		fill(&snapshot);
		struct session *reader = &snapshot.sessions[0];

		reader->rx_bytes = read_bytes; /* in each half of a second */
		reader->socket.cause = CAUSE_READER;
		reader->socket.shares[CAUSE_PEER] = 0;
		reader->socket.shares[CAUSE_READER] = 100;
		char *text = show(&renderer_diagnose, &snapshot);

		assert_int_equal(
		    strstr(text, "It reads slower than data arrives (10.0KB/s)") != NULL, read_bytes != 0);
		assert_int_equal(strstr(text, "does not read") != NULL, read_bytes == 0);
		free(text);
		snapshot_fini(&snapshot);
	}
}

/* Who listens on this host and has a full queue is the answer to who gets none. */
static void a_full_queue_and_who_waits_for_it(void **state)
{
	struct snapshot snapshot;

	(void)state;
	fill(&snapshot);
	struct session *client = &snapshot.sessions[0];

	snapshot.sessions[1].pid = 5;
	client->rport = 80;
	client->raddr[0] = 127;
	client->socket = (struct socket_summary){ .state = SOCKET_SYN_SENT, .retries = 3 };
	char *text = show(&renderer_diagnose, &snapshot), *json = show(&renderer_diagnose_json, &snapshot);

	assert_non_null(strstr(text, "Its queue is full (129 of 128)"));
	assert_non_null(strstr(
	    text, "; the connect of ja\\x1b[va (PID 2211) is not answered for that: asked again 3 times.\n"));
	assert_null(strstr(text, " 2. "));
	assert_non_null(strstr(json, "\"peer_pid\":2211"));
	assert_null(strstr(json, "\"kind\":\"unanswered\""));
	free(text);
	free(json);
	snapshot_fini(&snapshot);
}

/* What there is no room for is counted, and equals are in an order of their own, however much waits. */
static void more_than_ten(void **state)
{
	struct snapshot snapshot;

	(void)state;
	fill(&snapshot);
	snapshot.session_count = 1;
	for (uint32_t i = 0; i < 12; i++) {
		struct session *session = snapshot_add(&snapshot);

		*session = snapshot.sessions[0];
		session->pid = 3000 + i;
		session->socket.unsent_bytes = i * 100;
	}
	char *text = show(&renderer_diagnose, &snapshot), *json = show(&renderer_diagnose_json, &snapshot);

	assert_non_null(strstr(text, "\n10. ja\\x1b[va (PID 3008)"));
	assert_string_equal(text + strlen(text) - strlen("\n3 more\n"), "\n3 more\n");
	assert_non_null(strstr(json, "\"findings\":10,\"findings_left_out\":3,"));
	free(text);
	free(json);
	snapshot_fini(&snapshot);
}

/* On a terminal by words, as wide as it is. */
static void wrapped_on_a_terminal(void **state)
{
	struct winsize size = { .ws_row = 24, .ws_col = 50 };
	struct snapshot snapshot;
	struct run run = run_of(1);
	struct error error;
	char output[4096] = "";
	void *diagnose;
	int master, slave;

	(void)state;
	fill(&snapshot);
	assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
	FILE *stream = fdopen(dup(slave), "w");

	run.output_fd = slave; /* the stream itself need not have one */

	assert_int_equal(renderer_diagnose.open(&diagnose, &run, stream, &error), 0);
	for (int i = 0; i < 3; i++) {
		snapshot.sockets.passed_ns = i ? NS_PER_S / 2 : 0;
		assert_int_equal(renderer_diagnose.show(diagnose, &snapshot, &error), 0);
	}
	renderer_diagnose.close(diagnose);
	for (size_t used = 0; !strstr(output, "does not read.\r\n");) {
		ssize_t got = read(master, output + used, sizeof output - 1 - used);

		assert_true(got > 0);
		used += (size_t)got;
	}
	fclose(stream);
	close(slave);
	close(master);
	assert_non_null(
	    strstr(output, "\r\n    Its queue is full (129 of 128): further ones\r\n"
	                   "    will be turned away, as the process accepts\r\n    too slowly.\r\n"));
	for (char *rest = output, *line; (line = strsep(&rest, "\n"));)
		assert_true(strlen(line) <= 50 + 1);
	snapshot_fini(&snapshot);
}

/* In a file, where names are looked for as they are. */
static void names_keep_their_blanks(void **state)
{
	struct snapshot snapshot;

	(void)state;
	fill(&snapshot);
	strcpy(snapshot.sessions[0].comm, "a  b   c");
	char *output = show(&renderer_diagnose, &snapshot);

	assert_non_null(strstr(output, " a  b   c (PID 2211)"));
	free(output);
	snapshot_fini(&snapshot);
}

static void nothing_waits(void **state)
{
	struct snapshot snapshot;

	(void)state;
	fill(&snapshot);
	snapshot.session_count = 1;
	snapshot.sockets.count = 1;
	snapshot.sessions[0].socket.cause = CAUSE_IDLE;
	memset(snapshot.sessions[0].socket.shares, 0, CAUSE_COUNT);
	snapshot.sessions[0].socket.shares[CAUSE_IDLE] = 100;
	char *output = show(&renderer_diagnose, &snapshot);

	assert_string_equal(output, "nothing waits: 1 socket looked at for 1.0 s\n");
	free(output);
	snapshot_fini(&snapshot);
}

static void objects(void **state)
{
	struct snapshot snapshot;

	(void)state;
	fill(&snapshot);
	char *output = show(&renderer_diagnose_json, &snapshot), *rest = output, *line;
	json_t *objects[3];

	for (int i = 0; i < 3; i++) {
		line = strsep(&rest, "\n");
		objects[i] = json_loads(line, 0, NULL);
		assert_non_null(objects[i]);
	}
	assert_string_equal(rest, "");
	json_t *peer = objects[1];

	assert_string_equal(json_string_value(json_object_get(peer, "type")), "finding");
	assert_string_equal(json_string_value(json_object_get(peer, "kind")), "peer");
	assert_string_equal(json_string_value(json_object_get(peer, "raddr")), "10.0.3.7");
	assert_int_equal(json_integer_value(json_object_get(peer, "rank")), 2);
	assert_int_equal(json_integer_value(json_object_get(peer, "share_pct")), 91);
	assert_int_equal(json_integer_value(json_object_get(peer, "waited_ms")), 910);
	assert_int_equal(json_integer_value(json_object_get(peer, "unacked_bytes")), 3 << 20);
	assert_non_null(
	    strstr(json_string_value(json_object_get(peer, "text")), "the remote's receive window is full"));
	assert_null(json_object_get(peer, "backlog"));
	assert_null(json_object_get(peer, "serves")); /* who accepted is not known */
	assert_string_equal(json_string_value(json_object_get(peer, "limit")),
	    "This cannot tell why the remote does not read.");
	assert_int_equal(json_integer_value(json_object_get(objects[0], "serves")), 1);
	assert_int_equal(json_integer_value(json_object_get(objects[0], "backlog")), 129);
	assert_string_equal(json_string_value(json_object_get(objects[2], "type")), "diagnosis");
	assert_int_equal(json_integer_value(json_object_get(objects[2], "findings")), 2);
	for (int i = 0; i < 3; i++)
		json_decref(objects[i]);
	free(output);
	snapshot_fini(&snapshot);
}

/* Each of several begins where the one before ended; the end of tracing ends one early. */
static void again_and_again(void **state)
{
	struct snapshot snapshot;
	struct run run = run_of(0);
	struct error error;
	char *output;
	size_t length;
	FILE *stream = open_memstream(&output, &length);
	void *diagnose;

	(void)state;
	fill(&snapshot);
	assert_int_equal(renderer_diagnose.open(&diagnose, &run, stream, &error), 0);
	for (int i = 0; i < 6; i++) {
		snapshot.sockets.passed_ns = i ? NS_PER_S / 2 : 0;
		snapshot.last = i == 5;
		assert_int_equal(renderer_diagnose.show(diagnose, &snapshot, &error), 0);
	}
	renderer_diagnose.close(diagnose);
	fclose(stream);
	assert_non_null(strstr(output, "looked at for 0.5 s"));
	int count = 0;

	for (const char *at = output; (at = strstr(at, "looked at for")); at++)
		count++;
	assert_int_equal(count, 3);
	free(output);
	snapshot_fini(&snapshot);
}

/* All of a recording, of which no interval is known to be the last. Without sockets, or with one pass, it is refused. */
static void of_a_recording(void **state)
{
	struct snapshot snapshot, end;
	struct run run = { .interval_ns = UINT64_MAX };
	struct error error = { 0 };
	char *output;
	size_t length;
	FILE *stream = open_memstream(&output, &length);
	void *diagnose;

	(void)state;
	fill(&snapshot);
	snapshot_init(&end);
	end.is_end = end.last = true;
	assert_int_equal(renderer_diagnose.open(&diagnose, &run, stream, &error), 0);
	assert_int_equal(renderer_diagnose.show(diagnose, &end, &error), -ENODATA);
	assert_non_null(strstr(error.text, "nothing of sockets"));
	assert_int_equal(error.exit_code, EXIT_CODE_UNSUPPORTED);
	snapshot.sockets.passed_ns = 0;
	assert_int_equal(renderer_diagnose.show(diagnose, &snapshot, &error), 0);
	assert_int_equal(renderer_diagnose.show(diagnose, &end, &error), -ENODATA);
	assert_non_null(strstr(error.text, "once"));
	snapshot.sockets.passed_ns = NS_PER_S;
	for (int i = 0; i < 4; i++)
		assert_int_equal(renderer_diagnose.show(diagnose, &snapshot, &error), 0);
	fflush(stream);
	assert_int_equal(length, 0);
	assert_int_equal(renderer_diagnose.show(diagnose, &end, &error), 0);
	assert_non_null(strstr(output, "looked at for 4.0 s"));
	renderer_diagnose.close(diagnose);
	fclose(stream);
	free(output);
	snapshot_fini(&snapshot);
	snapshot_fini(&end);
}

static void refused(void **state)
{
	struct snapshot snapshot;
	struct run run = run_of(1);
	struct error error;
	void *diagnose;

	(void)state;
	run.can_tell_sockets = false;
	assert_int_equal(renderer_diagnose.open(&diagnose, &run, stdout, &error), -ENOTSUP);
	assert_int_equal(error.exit_code, EXIT_CODE_UNSUPPORTED);
	run.can_tell_sockets = true;
	assert_int_equal(renderer_diagnose.open(&diagnose, &run, stdout, &error), 0);
	fill(&snapshot);
	snapshot.sockets.err = -EPERM;
	assert_int_equal(renderer_diagnose.show(diagnose, &snapshot, &error), -EPERM);
	assert_int_equal(error.exit_code, EXIT_CODE_UNSUPPORTED);
	renderer_diagnose.close(diagnose);
	snapshot_fini(&snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sentences),
		cmocka_unit_test(the_other_end_is_named),
		cmocka_unit_test(how_fast_it_reads),
		cmocka_unit_test(a_full_queue_and_who_waits_for_it),
		cmocka_unit_test(more_than_ten),
		cmocka_unit_test(wrapped_on_a_terminal),
		cmocka_unit_test(names_keep_their_blanks),
		cmocka_unit_test(nothing_waits),
		cmocka_unit_test(objects),
		cmocka_unit_test(again_and_again),
		cmocka_unit_test(of_a_recording),
		cmocka_unit_test(refused),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
