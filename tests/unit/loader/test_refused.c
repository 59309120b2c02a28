/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that no child sends: garbled, cut, too long, with descriptors that nobody asked for. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "loader/message.h"
#include "base/passing.h"
#include "loader/tracing.h"
#include "model/session.h"
#include "sockets.h"

/* Bytes and descriptors as no loader_message_send puts them together. */
static void send_raw(const void *bytes, size_t size, const int *fds, size_t count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control = { 0 };
	struct iovec part = { (void *)bytes, size };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

	if (count) {
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(count * sizeof *fds);
		control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(count * sizeof *fds) };
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof *fds);
	}
	assert_int_equal(sendmsg(sockets[1], &header, 0), size);
}

struct whole {
	struct loader_message message;
	struct tracing tracing;
};

/* Refused, with nothing taken and nothing left open, be it that descriptors came along or not. */
static void expect_refused(const char *what, const struct whole *whole, size_t size)
{
	for (size_t count = 0; count <= 3; count++) {
		struct tracing tracing = ready_tracing(), untouched = tracing;
		struct loader_message received;
		size_t before = count_descriptors();
		int fds[3], readers[3];

		for (size_t i = 0; i < count; i++)
			fds[i] = open_pipe(&readers[i]);
		send_raw(whole, size, fds, count);
		for (size_t i = 0; i < count; i++)
			close(fds[i]);
		int result = loader_message_receive(sockets[0], &received, &tracing);

		if (result != -EPROTO)
			fail_msg("%s with %zu descriptors: %d", what, count, result);
		assert_memory_equal(&tracing, &untouched, sizeof tracing);
		for (size_t i = 0; i < count; i++)
			close(readers[i]);
		assert_int_equal(count_descriptors(), before);
	}
}

/* Each garbles another part of a message that would be taken. */
static void unknown_kind(struct whole *whole)
{
	whole->message.kind = LOADER_READY + 1;
}

static void negative_kind(struct whole *whole)
{
	memset(&whole->message.kind, 0xff, sizeof whole->message.kind);
}

static void endless_note(struct whole *whole)
{
	memset(whole->message.note, 'x', sizeof whole->message.note);
}

static void endless_error(struct whole *whole)
{
	memset(whole->message.error.text, 'x', sizeof whole->message.error.text);
}

static void odd_bool_of_error(struct whole *whole)
{
	memset(&whole->message.error.of_output, 0xa5, 1);
}

static void odd_bool(struct whole *whole)
{
	memset(&whole->tracing.plan.direct, 2, 1);
}

static void no_method(struct whole *whole)
{
	whole->tracing.plan.method = PROBE_AUTO;
}

static void unknown_method(struct whole *whole)
{
	whole->tracing.plan.method = 1000;
}

static void too_many_hooks(struct whole *whole)
{
	whole->tracing.plan.hook_count = HOOKS_MAX + 1;
}

static void too_many_fronts(struct whole *whole)
{
	whole->tracing.plan.fronts = FRONTS_MAX + 1;
	whole->tracing.cpu_count = 2;
}

static void fronts_of_no_processor(struct whole *whole)
{
	whole->tracing.plan.fronts = FRONTS_MAX;
	whole->tracing.cpu_count = 0;
}

static void unknown_hook(struct whole *whole)
{
	whole->tracing.plan.hooks[1].kind = HOOK_KIND_COUNT;
}

static void unknown_symbol(struct whole *whole)
{
	whole->tracing.plan.hooks[1].symbol = SYMBOL_COUNT;
}

static void unknown_duty(struct whole *whole)
{
	whole->tracing.plan.hooks[1].duty = HOOK_DUTY_COUNT;
}

static void endless_function(struct whole *whole)
{
	memset(whole->tracing.plan.hooks[0].function, 'x', sizeof whole->tracing.plan.hooks[0].function);
}

static void endless_reset_reason(struct whole *whole)
{
	char *last = whole->tracing.reset_reasons[RESET_REASONS_MAX - 1];

	memset(last, 'x', sizeof whole->tracing.reset_reasons[0]);
}

static void too_many_descriptors_told(struct whole *whole)
{
	memset(whole->tracing.maps, 0, sizeof whole->tracing.maps);
}

static void odd_descriptor(struct whole *whole)
{
	whole->tracing.programs[0] = -7;
	memset(whole->tracing.links, 0, sizeof whole->tracing.links);
}

static void success_that_failed(struct whole *whole)
{
	whole->message.kind = LOADER_FAILED;
	whole->message.error.exit_code = EXIT_CODE_RUNTIME;
}

static void failure_that_is_success(struct whole *whole)
{
	whole->message.kind = LOADER_FAILED;
	whole->message.err = -EPERM;
	whole->message.error.exit_code = EXIT_CODE_OK;
}

static void failure_of_no_exit_code(struct whole *whole)
{
	whole->message.kind = LOADER_FAILED;
	whole->message.err = -EPERM;
	whole->message.error.exit_code = 255;
}

static void test_garbled(void **state)
{
	static const struct {
		const char *name;
		void (*garble)(struct whole *whole);
		bool short_one; /* without a struct tracing */
	} cases[] = {
#define GARBLED(function, short_one) { #function, function, short_one }
		GARBLED(unknown_kind, false),
		GARBLED(unknown_kind, true),
		GARBLED(negative_kind, false),
		GARBLED(negative_kind, true),
		GARBLED(endless_note, false),
		GARBLED(endless_error, false),
		GARBLED(odd_bool_of_error, false),
		GARBLED(odd_bool, false),
		GARBLED(no_method, false),
		GARBLED(unknown_method, false),
		GARBLED(too_many_hooks, false),
		GARBLED(too_many_fronts, false),
		GARBLED(fronts_of_no_processor, false),
		GARBLED(unknown_hook, false),
		GARBLED(unknown_symbol, false),
		GARBLED(unknown_duty, false),
		GARBLED(endless_function, false),
		GARBLED(endless_reset_reason, false),
		GARBLED(too_many_descriptors_told, false),
		GARBLED(odd_descriptor, false),
		GARBLED(success_that_failed, true),
		GARBLED(failure_that_is_success, true),
		GARBLED(failure_of_no_exit_code, true),
#undef GARBLED
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct whole whole = { { .kind = LOADER_READY }, ready_tracing() };

		cases[i].garble(&whole);
		expect_refused(
		    cases[i].name, &whole, cases[i].short_one ? sizeof whole.message : sizeof whole);
	}
}

/* Of a kind that brings none; cut; or longer than any message is. */
static void test_descriptors_of_refused_messages(void **state)
{
	struct whole whole = { { .kind = LOADER_NOTE }, ready_tracing() };
	static char endless[sizeof whole + 100];
	const size_t lengths[] = { 1, sizeof whole.message - 1, sizeof whole.message + 1, sizeof whole - 1 };

	(void)state;
	_Static_assert(sizeof whole == sizeof whole.message + sizeof whole.tracing, "no padding between");
	for (int kind = LOADER_NOTE; kind <= LOADER_READY; kind++) {
		whole.message.kind = (enum loader_message_kind)kind;
		for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
			expect_refused("of another length", &whole, lengths[i]);
		memcpy(endless, &whole, sizeof whole);
		expect_refused("too long", (const struct whole *)(void *)endless, sizeof endless);
	}
	struct tracing tracing = ready_tracing();
	struct loader_message received;
	size_t before = count_descriptors();
	int reader, fd = open_pipe(&reader);

	whole.message.kind = LOADER_NOTE;
	send_raw(&whole, sizeof whole.message, &fd, 1);
	close(fd);
	assert_int_equal(loader_message_receive(sockets[0], &received, &tracing), -EPROTO);
	close(reader);
	assert_int_equal(count_descriptors(), before);
}

/* What goes between a process and a child that keeps another user: one descriptor at most, and no byte more. */
static void test_passing(void **state)
{
	int number = 7, received = 0, fds[2], readers[2], fd;
	size_t before = count_descriptors();

	(void)state;
	for (size_t count = 0; count <= 2; count++)
		for (size_t size = 1; size <= 2 * sizeof number; size++) {
			char bytes[2 * sizeof number] = { 7 };

			for (size_t i = 0; i < count; i++)
				fds[i] = open_pipe(&readers[i]);
			send_raw(bytes, size, fds, count);
			for (size_t i = 0; i < count; i++)
				close(fds[i]);
			int result = passing_receive(sockets[0], &received, sizeof received, &fd);
			bool taken = size == sizeof number && count <= 1;

			assert_int_equal(result, taken ? 0 : -1);
			assert_int_equal(fd >= 0, taken && count == 1);
			if (taken)
				assert_int_equal(received, number);
			if (fd >= 0)
				close(fd);
			for (size_t i = 0; i < count; i++)
				close(readers[i]);
			assert_int_equal(count_descriptors(), before);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_sockets(test_garbled),
		test_with_sockets(test_descriptors_of_refused_messages),
		test_with_sockets(test_passing),
	};

	return cmocka_run_group_tests_name("loader_refused", tests, NULL, NULL);
}
