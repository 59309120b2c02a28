/* SPDX-License-Identifier: Apache-2.0 */
/* Child and parent in one process: a socket pair, and pipes in the places of programs, links and tables. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include "loader/message.h"
#include "loader/tracing.h"
#include "sockets.h"

/* Is fd the other end of reader, and not left open across exec? */
static void expect_connected(int fd, int reader)
{
	char sent = (char)(reader + 1), received = 0;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, &sent, 1), 1);
	assert_int_equal(read(reader, &received, 1), 1);
	assert_int_equal(received, sent);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

static void test_note(void **state)
{
	struct loader_message sent = { .kind = LOADER_NOTE, .note = "probe tracepoint: works" }, received;

	(void)state;
	assert_int_equal(loader_message_send(sockets[1], &sent, NULL), 0);
	assert_int_equal(loader_message_receive(sockets[0], &received, NULL), 0);
	assert_int_equal(received.kind, LOADER_NOTE);
	assert_string_equal(received.note, sent.note);
}

/* Several at once stay apart and in order. */
static void test_failure_after_notes(void **state)
{
	struct loader_message note = { .kind = LOADER_NOTE, .note = "one" }, received;
	struct loader_message failed = {
		.kind = LOADER_FAILED,
		.err = -ENOTSUP,
		.error = { .exit_code = EXIT_CODE_UNSUPPORTED,
		    .text = "no probe method works on this kernel\nfentry: no" },
	};

	(void)state;
	assert_int_equal(loader_message_send(sockets[1], &note, NULL), 0);
	strcpy(note.note, "two");
	assert_int_equal(loader_message_send(sockets[1], &note, NULL), 0);
	assert_int_equal(loader_message_send(sockets[1], &failed, NULL), 0);
	assert_int_equal(loader_message_receive(sockets[0], &received, NULL), 0);
	assert_string_equal(received.note, "one");
	assert_int_equal(loader_message_receive(sockets[0], &received, NULL), 0);
	assert_string_equal(received.note, "two");
	assert_int_equal(loader_message_receive(sockets[0], &received, NULL), 0);
	assert_int_equal(received.kind, LOADER_FAILED);
	assert_int_equal(received.err, -ENOTSUP);
	assert_memory_equal(&received.error, &failed.error, sizeof failed.error);
}

/* Some places are empty: each descriptor has to land in its own. */
static void test_ready(void **state)
{
	struct loader_message message = { .kind = LOADER_READY }, answer;
	struct tracing sent = ready_tracing(), received;
	int table, other_table, program, last_program, link;
	size_t before = count_descriptors();

	(void)state;
	sent.maps[MAP_GENERATION] = open_pipe(&table);
	sent.maps[MAP_COUNT - 1] = open_pipe(&other_table);
	sent.programs[1] = open_pipe(&program);
	sent.programs[HOOKS_MAX - 1] = open_pipe(&last_program);
	sent.links[0] = open_pipe(&link);
	assert_int_equal(loader_message_send(sockets[1], &message, &sent), 0);
	expect_connected(sent.links[0], link); /* still the sender's */
	tracing_close(&sent);
	assert_int_equal(loader_message_receive(sockets[0], &answer, &received), 0);
	assert_int_equal(answer.kind, LOADER_READY);

	assert_int_equal(received.start_ns, UINT64_C(123456789012345));
	assert_true(received.in_pid_namespace);
	assert_int_equal(received.plan.method, PROBE_FENTRY);
	assert_true(received.plan.direct);
	assert_int_equal(received.plan.hook_count, 2);
	assert_string_equal(received.plan.hooks[1].function, "fentry_inet_recvmsg");
	expect_connected(received.maps[MAP_GENERATION], table);
	expect_connected(received.maps[MAP_COUNT - 1], other_table);
	expect_connected(received.programs[1], program);
	expect_connected(received.programs[HOOKS_MAX - 1], last_program);
	expect_connected(received.links[0], link);
	assert_int_equal(received.maps[MAP_OTHER], -1);
	assert_int_equal(received.programs[0], -1);
	assert_int_equal(received.links[HOOKS_MAX - 1], -1);

	/* detached: the link's reader sees its end, the program's does not */
	char byte;

	tracing_detach(&received);
	assert_int_equal(read(link, &byte, 1), 0);
	assert_int_equal(read(program, &byte, 1), -1);
	tracing_close(&received);
	assert_int_equal(read(program, &byte, 1), 0);
	close(table), close(other_table), close(program), close(last_program), close(link);
	assert_int_equal(count_descriptors(), before);
}

/* As many as a struct tracing has room for. */
static void test_all_descriptors(void **state)
{
	struct loader_message message = { .kind = LOADER_READY }, answer;
	struct tracing sent = ready_tracing(), received;
	int readers[MAP_COUNT + 2 * HOOKS_MAX];
	size_t before = count_descriptors(), next = 0;

	(void)state;
	for (int i = 0; i < MAP_COUNT; i++)
		sent.maps[i] = open_pipe(&readers[next++]);
	for (int i = 0; i < HOOKS_MAX; i++)
		sent.programs[i] = open_pipe(&readers[next++]);
	for (int i = 0; i < HOOKS_MAX; i++)
		sent.links[i] = open_pipe(&readers[next++]);
	assert_int_equal(loader_message_send(sockets[1], &message, &sent), 0);
	tracing_close(&sent);
	assert_int_equal(loader_message_receive(sockets[0], &answer, &received), 0);
	next = 0;
	for (int i = 0; i < MAP_COUNT; i++)
		expect_connected(received.maps[i], readers[next++]);
	for (int i = 0; i < HOOKS_MAX; i++)
		expect_connected(received.programs[i], readers[next++]);
	for (int i = 0; i < HOOKS_MAX; i++)
		expect_connected(received.links[i], readers[next++]);
	tracing_close(&received);
	for (size_t i = 0; i < next; i++)
		close(readers[i]);
	assert_int_equal(count_descriptors(), before);
}

static void test_nobody_speaks(void **state)
{
	struct loader_message received;

	(void)state;
	close(sockets[1]);
	sockets[1] = -1;
	assert_int_equal(loader_message_receive(sockets[0], &received, NULL), -ENODATA);
}

/* What was said before the end is heard; a peer that ends with unread messages is an end like any other. */
static void test_end_after_message(void **state)
{
	struct loader_message sent = { .kind = LOADER_NOTE, .note = "last" }, received;

	(void)state;
	assert_int_equal(loader_message_send(sockets[1], &sent, NULL), 0);
	assert_int_equal(loader_message_send(sockets[0], &sent, NULL), 0);
	close(sockets[1]);
	sockets[1] = -1;
	int result = loader_message_receive(sockets[0], &received, NULL);

	if (result == 0) {
		assert_string_equal(received.note, "last");
		result = loader_message_receive(sockets[0], &received, NULL);
	}
	assert_int_equal(result, -ENODATA);
}

/* No SIGPIPE: this test would end. */
static void test_nobody_listens(void **state)
{
	struct loader_message sent = { .kind = LOADER_NOTE };

	(void)state;
	close(sockets[0]);
	sockets[0] = -1;
	assert_int_equal(loader_message_send(sockets[1], &sent, NULL), -EPIPE);
}

static void test_bad_socket(void **state)
{
	struct loader_message message = { .kind = LOADER_NOTE };
	int end;

	(void)state;
	close(open_pipe(&end));
	assert_int_equal(loader_message_send(end, &message, NULL), -ENOTSOCK);
	assert_int_equal(loader_message_receive(end, &message, NULL), -ENOTSOCK);
	close(end);
}

/* Not whole: nothing of it may be taken for an answer. */
static void test_truncated(void **state)
{
	struct loader_message message = { .kind = LOADER_READY }, received;
	struct tracing tracing = ready_tracing(), untouched = tracing;
	const size_t lengths[] = { 1, sizeof message.kind, sizeof message - 1, sizeof message,
		sizeof message + sizeof tracing - 1 };
	static const enum loader_message_kind kinds[] = { LOADER_READY, LOADER_NOTE, LOADER_FAILED };

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
			char bytes[sizeof message + sizeof tracing];

			if (kinds[kind] != LOADER_READY && lengths[i] >= sizeof message)
				continue; /* whole for such a kind */
			message.kind = kinds[kind];
			memcpy(bytes, &message, sizeof message);
			memcpy(bytes + sizeof message, &tracing, sizeof tracing);
			assert_int_equal(send(sockets[1], bytes, lengths[i], 0), lengths[i]);
			memset(&received, 0, sizeof received);
			if (loader_message_receive(sockets[0], &received, &tracing) >= 0)
				fail_msg("%zu bytes of kind %d were taken for a message", lengths[i],
				    (int)kinds[kind]);
			assert_memory_equal(&tracing, &untouched, sizeof tracing);
		}
	}
}

/* Whole, but without the descriptors that it speaks of. */
static void test_ready_without_descriptors(void **state)
{
	struct loader_message message = { .kind = LOADER_READY }, received;
	struct tracing tracing = ready_tracing(), untouched = tracing;
	struct iovec parts[] = { { &message, sizeof message }, { &tracing, sizeof tracing } };

	(void)state;
	tracing.links[0] = 3;
	assert_int_equal(writev(sockets[1], parts, 2), sizeof message + sizeof tracing);
	tracing = untouched;
	assert_int_equal(loader_message_receive(sockets[0], &received, &tracing), -EPROTO);
	assert_memory_equal(&tracing, &untouched, sizeof tracing);
}

/* The receiver's limit on open files cuts the list short: it has to say so and keep none of them. */
static void expect_too_many(int room)
{
	struct loader_message message = { .kind = LOADER_READY }, received;
	struct tracing sent = ready_tracing(), tracing = sent, untouched = sent;
	struct rlimit limit, low;
	int readers[4];

	for (int i = 0; i < 4; i++)
		sent.programs[i] = open_pipe(&readers[i]);
	assert_int_equal(loader_message_send(sockets[1], &message, &sent), 0);
	tracing_close(&sent);
	size_t before = count_descriptors();
	int lowest_free = dup(0);

	/* from the lowest free number on there is room for so many (the numbers up to it are all taken) */
	close(lowest_free);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	low.rlim_cur = lowest_free + room;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	int result = loader_message_receive(sockets[0], &received, &tracing);

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(result, -EMFILE);
	assert_memory_equal(&tracing, &untouched, sizeof tracing);
	assert_int_equal(count_descriptors(), before);
	for (int i = 0; i < 4; i++)
		close(readers[i]);
}

static void test_too_many_open_files(void **state)
{
	(void)state;
	expect_too_many(0);
	expect_too_many(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_sockets(test_note),
		test_with_sockets(test_failure_after_notes),
		test_with_sockets(test_ready),
		test_with_sockets(test_all_descriptors),
		test_with_sockets(test_nobody_speaks),
		test_with_sockets(test_end_after_message),
		test_with_sockets(test_nobody_listens),
		test_with_sockets(test_bad_socket),
		test_with_sockets(test_truncated),
		test_with_sockets(test_ready_without_descriptors),
		test_with_sockets(test_too_many_open_files),
	};

	return cmocka_run_group_tests_name("loader_message", tests, NULL, NULL);
}
