/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program text of kprobes, run here: a call between its entry and its return stands in its thread's place, or in the table where
 * another thread has that, and what does not return to us is missed once.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "fake_bpf.h"

static u64 bpf_get_current_task(void);
static u64 bpf_get_current_pid_tgid(void);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-const-variable"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#include "program_calls.inc"
#pragma GCC diagnostic pop

#include "fake_socket.h"

#if defined(__x86_64__)

/* Slots of struct pt_regs, and where a return goes: the kernel's trampoline, or where the call came from. */
enum { ARGUMENT = 14, RESULT = 10, STACK = 19, SLOTS = 21, TRAMPOLINE = 0x7777, CALLER = 0x1234 };

enum { PROCESS = 100, THREAD = 101, RIVAL = THREAD + CALL_PLACES };

static struct fake_object task;
static u32 thread_id;

static u64 bpf_get_current_task(void)
{
	return (u64)&task;
}

static u64 bpf_get_current_pid_tgid(void)
{
	return (u64)PROCESS << 32 | thread_id;
}

static int set_up(void **state)
{
	(void)state;
	fake_network();
	fake_cpu = 0;
	thread_id = THREAD;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

static void enter(struct fake_object *sk, u32 thread, u64 return_address)
{
	struct fake_object socket = { 0 };
	u64 registers[SLOTS] = { [ARGUMENT] = (u64)&socket, [STACK] = (u64)&return_address };

	FIELD_OF(u64, &socket, SOCKET_SK) = (u64)sk;
	thread_id = thread;
	kprobe_inet_sendmsg(registers);
}

static void leave(u32 thread, int result)
{
	u64 registers[SLOTS] = { [RESULT] = (u64)(s64)result };

	thread_id = thread;
	kretprobe_inet_sendmsg(registers);
}

static void end(u32 thread)
{
	thread_id = thread;
	thread_exit(NULL);
}

static u64 sent(struct fake_object *sk)
{
	struct session_key4 key = { 0 };
	struct session_value *value;
	struct front_slot4 *slot;

	session_key4_fill(&key, (u64)sk, (u64)sk, NET_NUMBER, PROCESS);
	value = sessions4_even.lookup(&key);
	slot = front_slot4(&key, 0, false);
	return (value ? value->tx_bytes : 0) + (is_same4(&slot->key, &key) ? slot->bytes : 0);
}

static s64 missed(void)
{
	u32 slot = 0;

	return (s64)*missed_runs.lookup(&slot);
}

static bool has_place(u32 thread)
{
	return owned_place((u64)PROCESS << 32 | thread) != NULL;
}

static void test_calls_of_one_thread(void **state)
{
	struct fake_object *sk = new_socket(40000);

	(void)state;
	for (int i = 0; i < 3; i++) {
		enter(sk, THREAD, TRAMPOLINE);
		leave(THREAD, 100);
	}
	leave(THREAD, 100); /* of no call */
	assert_int_equal(sent(sk), 300);
	assert_true(has_place(THREAD));
	assert_int_equal(pending_calls_table.count, 0);
	end(THREAD);
	assert_false(has_place(THREAD));
	assert_int_equal(owned_places_table.count, 0);
	assert_int_equal(missed(), 0);
	free(sk);
}

/* One waits in its place while the other one, who would have the same, calls. */
static void test_two_of_one_place(void **state)
{
	struct fake_object *waiting = new_socket(1), *calling = new_socket(2);

	(void)state;
	enter(waiting, THREAD, TRAMPOLINE);
	for (int i = 0; i < 5; i++) {
		enter(calling, RIVAL, TRAMPOLINE);
		leave(RIVAL, 7);
	}
	assert_true(has_place(THREAD) && !has_place(RIVAL));
	leave(THREAD, 1000);
	assert_int_equal(sent(waiting), 1000);
	assert_int_equal(sent(calling), 35);
	enter(calling, RIVAL, TRAMPOLINE); /* in the table; the place is free before it returns */
	end(THREAD);
	leave(RIVAL, 7);
	enter(calling, RIVAL, TRAMPOLINE);
	assert_true(has_place(RIVAL));
	leave(RIVAL, 7);
	assert_int_equal(sent(calling), 49);
	assert_int_equal(pending_calls_table.count, 0);
	assert_int_equal(missed(), 0);
	free(waiting);
	free(calling);
}

/* A call whose return was not replaced is missed as it begins; one that returns all the same is not. */
static void test_missed_returns(void **state)
{
	struct fake_object *sk = new_socket(40000);

	(void)state;
	enter(sk, THREAD, TRAMPOLINE);
	leave(THREAD, 10); /* shows where returns go */
	enter(sk, THREAD, CALLER);
	assert_int_equal(missed(), 1);
	enter(sk, THREAD, TRAMPOLINE); /* the next one: nothing is missed twice */
	assert_int_equal(missed(), 1);
	leave(THREAD, 10);
	enter(sk, THREAD, CALLER);
	assert_int_equal(missed(), 2);
	leave(THREAD, 10); /* by another tool's trampoline */
	assert_int_equal(missed(), 1);
	assert_int_equal(sent(sk), 30);
	enter(sk, THREAD, TRAMPOLINE);
	end(THREAD);
	assert_int_equal(missed(), 2);
	free(sk);
}

/* A call on something else, in a thread whose last one was missed: that is not what returns. */
static void test_other_sockets(void **state)
{
	struct fake_object *sk = new_socket(1), *datagrams = new_socket(2);

	(void)state;
	FIELD_OF(u16, datagrams, SK_PROTOCOL) = 17;
	enter(sk, THREAD, TRAMPOLINE);
	enter(datagrams, THREAD, TRAMPOLINE);
	leave(THREAD, 500);
	assert_int_equal(sent(sk), 0);
	assert_int_equal(missed(), 1);
	free(sk);
	free(datagrams);
}

/* What returns is what was called: an inner call of another function, whose entry was not ours, is not. */
static void test_other_functions(void **state)
{
	struct fake_object *sk = new_socket(40000);
	u64 registers[SLOTS] = { [RESULT] = 77 };

	(void)state;
	enter(sk, THREAD, TRAMPOLINE);
	kretprobe_inet_recvmsg(registers);
	assert_int_equal(sent(sk), 0);
	leave(THREAD, 5);
	assert_int_equal(sent(sk), 5);
	assert_int_equal(sessions4_even_table.count, 1);
	assert_int_equal(sessions4_even.lookup(sessions4_even_table.entries->key)->rx_bytes, 0);
	free(sk);
}

/* A thread that executes becomes its process's leader: the id that it had has no place any more. */
static void test_executes(void **state)
{
	struct fake_object *sk = new_socket(40000);

	(void)state;
	enter(sk, THREAD, TRAMPOLINE);
	leave(THREAD, 1);
	thread_id = PROCESS;
	thread_exec((u64[2]){ 0, THREAD });
	assert_false(has_place(THREAD));
	enter(sk, PROCESS, TRAMPOLINE);
	leave(PROCESS, 1);
	thread_exec((u64[2]){ 0, PROCESS }); /* the leader itself: it goes on */
	assert_true(has_place(PROCESS));
	assert_int_equal(sent(sk), 2);
	assert_int_equal(missed(), 0);
	free(sk);
}

static void test_full_table(void **state)
{
	struct fake_object *sk = new_socket(40000);

	(void)state;
	enter(sk, THREAD, TRAMPOLINE);
	pending_calls_table.capacity = 0;
	enter(sk, RIVAL, TRAMPOLINE);
	pending_calls_table.capacity = 32768;
	assert_int_equal(missed(), 1);
	leave(RIVAL, 9);
	leave(THREAD, 8);
	assert_int_equal(sent(sk), 8);
	free(sk);
}

#define RUN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(test_calls_of_one_thread),
		RUN(test_two_of_one_place),
		RUN(test_missed_returns),
		RUN(test_other_sockets),
		RUN(test_other_functions),
		RUN(test_executes),
		RUN(test_full_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static u64 bpf_get_current_task(void)
{
	return 0;
}

static u64 bpf_get_current_pid_tgid(void)
{
	return 0;
}

int main(void)
{
	puts("skipped: the text has the registers of another processor");
	return 77;
}

#endif
