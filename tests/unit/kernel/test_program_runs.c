/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program text of typed tracepoints, run here: what stands in a program's front and in the tables is the sum of what calls
 * moved, and positions in sockets' streams are kept in their places, whoever else wants these.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_bpf.h"

static struct fake_object task, other_task, queue, other_queue, cfs, stack;

static u64 bpf_get_current_task(void);
static void *bpf_get_current_task_btf(void);
static u64 bpf_task_pt_regs(void *of);
static u64 bpf_get_socket_cookie(void *sk);
static void *bpf_skc_to_tcp_sock(void *sk);
static void *bpf_sock_from_file(void *file);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-const-variable"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#include "program_runs.inc"
#pragma GCC diagnostic pop

#include "fake_socket.h"

enum { STACK_TO_REGISTERS = 4096, OPEN_CALL = -38, RECVFROM = 45, SPLICE = 275, ESTABLISHED = 1 };

static unsigned asked_for_current;

static u64 bpf_get_current_task(void)
{
	asked_for_current++;
	return (u64)&task;
}

static void *bpf_get_current_task_btf(void)
{
	return &task;
}

static u64 bpf_task_pt_regs(void *of)
{
	return LOAD(u64, (u64)of, TASK_STACK) + STACK_TO_REGISTERS;
}

static u64 cookies;

static u64 bpf_get_socket_cookie(void *sk)
{
	u64 *cookie = (u64 *)((char *)sk + SK_COOKIE);

	if (!*cookie)
		*cookie = ++cookies;
	return *cookie;
}

static void *bpf_skc_to_tcp_sock(void *sk)
{
	return sk;
}

static void *bpf_sock_from_file(void *file)
{
	return file;
}

static int set_up(void **state)
{
	u32 slot = 0, ready = 1;

	(void)state;
	fake_network();
	FIELD_OF(u64, &task, TASK_CFS_RQ) = FIELD_OF(u64, &other_task, TASK_CFS_RQ) = (u64)&cfs;
	FIELD_OF(u64, &task, TASK_STACK) = FIELD_OF(u64, &other_task, TASK_STACK) = (u64)&stack;
	FIELD_OF(u32, &task, TASK_TGID) = 4711;
	FIELD_OF(u32, &other_task, TASK_TGID) = 4712;
	FIELD_OF(u64, &cfs, CFS_RQ_RQ) = (u64)&queue;
	FIELD_OF(u64, &queue, RQ_CURR) = (u64)&task;
	FIELD_OF(u64, &other_queue, RQ_CURR) = (u64)&other_task;
	fake_cpu = 0;
	fake_storage_refused = false;
	asked_for_current = 0;
	splice_ready.update(&slot, &ready);
	iterator_sockets((u64[4]){ 0 }); /* finds where registers are */
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

static void in_call(u32 number)
{
	FIELD_OF(s64, &stack, STACK_TO_REGISTERS + REGS_BEFORE) = OPEN_CALL;
	FIELD_OF(u32, &stack, STACK_TO_REGISTERS + REGS_SYSCALL) = number;
}

static void move(struct fake_object *sk, bool sends, int result)
{
	u64 arguments[3] = { (u64)sk, (u64)(s64)result, 0 };

	if (sends)
		tracepoint_send(arguments);
	else
		tracepoint_receive(arguments);
}

/* Its entry in the even table, without what stands in fronts; NULL: none. */
static struct session_value *entry_of(struct fake_object *sk, u32 pid)
{
	struct session_key4 key = { 0 };

	session_key4_fill(&key, (u64)sk, (u64)sk, NET_NUMBER, pid);
	return sessions4_even.lookup(&key);
}

/* What fronts of a program hold for it, on all CPUs, in a generation. */
static u64 in_fronts(struct fake_object *sk, u32 program, bool odd)
{
	unsigned before = fake_cpu;
	struct session_key4 key = { 0 };
	u64 bytes = 0;

	session_key4_fill(&key, (u64)sk, (u64)sk, NET_NUMBER, FIELD_OF(u32, &task, TASK_TGID));
	for (fake_cpu = 0; fake_cpu < FAKE_CPUS; fake_cpu++) {
		struct front_slot4 *slot = front_slot4(&key, program, odd);

		bytes += is_same4(&slot->key, &key) ? slot->bytes : 0;
	}
	fake_cpu = before;
	return bytes;
}

static void test_front_after_the_table(void **state)
{
	struct fake_object *sk = new_socket(40000);

	(void)state;
	move(sk, true, 100);
	assert_int_equal(entry_of(sk, 4711)->tx_bytes, 100);
	assert_int_equal(in_fronts(sk, 0, false), 0);
	for (int i = 0; i < 5; i++)
		move(sk, true, 64);
	assert_int_equal(entry_of(sk, 4711)->tx_bytes, 100); /* the front knows it */
	assert_int_equal(in_fronts(sk, 0, false), 5 * 64);
	move(sk, false, 33);
	assert_int_equal(entry_of(sk, 4711)->rx_bytes, 33); /* the other program's does not */
	move(sk, false, -EAGAIN);
	move(sk, false, 0);
	assert_int_equal(entry_of(sk, 4711)->rx_bytes + in_fronts(sk, 1, false), 33);
	assert_int_equal(entry_of(sk, 4711)->uid, 7);
	free(sk);
}

/* A session whose place is another one's stays with the table; and each CPU has its own. */
static void test_front_is_owned(void **state)
{
	struct fake_object *first = new_socket(40000), *second = NULL;
	struct session_key4 key = { 0 }, rival = { 0 };

	(void)state;
	session_key4_fill(&key, (u64)first, (u64)first, NET_NUMBER, 4711);
	for (u32 port = 1; port < 40000 && !second; port++) {
		second = new_socket(port);
		session_key4_fill(&rival, (u64)second, (u64)second, NET_NUMBER, 4711);
		if (front_slot4(&rival, 0, false) != front_slot4(&key, 0, false)) {
			free(second);
			second = NULL;
		}
	}
	assert_non_null(second);
	for (int i = 0; i < 3; i++) {
		move(first, true, 10);
		move(second, true, 7);
	}
	assert_int_equal(entry_of(first, 4711)->tx_bytes, 10);
	assert_int_equal(in_fronts(first, 0, false), 20);
	assert_int_equal(entry_of(second, 4711)->tx_bytes, 21);
	fake_cpu = 1;
	FIELD_OF(u64, &cfs, CFS_RQ_RQ) = (u64)&queue;
	move(second, true, 7); /* looked up, and takes the place on this CPU */
	move(second, true, 7);
	assert_int_equal(entry_of(second, 4711)->tx_bytes, 28);
	assert_int_equal(in_fronts(second, 0, false), 7);
	free(first);
	free(second);
}

static void test_generations(void **state)
{
	struct fake_object *sk = new_socket(40000);
	u32 slot = 0, odd = 1;

	(void)state;
	move(sk, true, 10);
	move(sk, true, 10);
	generation.update(&slot, &odd);
	move(sk, true, 3);
	move(sk, true, 4);
	assert_int_equal(entry_of(sk, 4711)->tx_bytes + in_fronts(sk, 0, false), 20);
	assert_int_equal(in_fronts(sk, 0, true), 4);
	free(sk);
}

static void test_full_table(void **state)
{
	struct fake_object *sk = new_socket(40000);
	u32 slot = 0;

	(void)state;
	sessions4_even_table.capacity = 0;
	move(sk, true, 10);
	move(sk, false, 5);
	move(sk, false, 5);
	sessions4_even_table.capacity = 65536;
	assert_int_equal(other.lookup(&slot)->calls, 3);
	assert_int_equal(other.lookup(&slot)->tx_bytes, 10);
	assert_int_equal(other.lookup(&slot)->rx_bytes, 10);
	assert_int_equal(in_fronts(sk, 0, false), 0); /* what is in no table takes no place */
	move(sk, true, 10);
	assert_int_equal(entry_of(sk, 4711)->tx_bytes, 10);
	free(sk);
}

/* Each CPU asks once who runs, and then its run queue tells, whoever it is. */
static void test_current_task(void **state)
{
	struct fake_object *sk = new_socket(40000);

	(void)state;
	for (int i = 0; i < 3; i++)
		move(sk, true, 1);
	assert_int_equal(asked_for_current, 2); /* the entry's description asks, too */
	FIELD_OF(u64, &queue, RQ_CURR) = (u64)&other_task;
	move(sk, true, 5);
	assert_int_equal(asked_for_current, 3); /* for a description alone */
	assert_int_equal(entry_of(sk, 4712)->tx_bytes, 5);
	assert_int_equal(entry_of(sk, 4711)->tx_bytes + in_fronts(sk, 0, false), 3);
	fake_cpu = 1; /* a queue on which somebody else runs is not this CPU's: it is asked each time */
	FIELD_OF(u64, &cfs, CFS_RQ_RQ) = (u64)&other_queue;
	asked_for_current = 0;
	for (int i = 0; i < 3; i++)
		move(sk, false, 1);
	assert_int_equal(asked_for_current, 3);
	FIELD_OF(u64, &other_queue, RQ_CURR) = (u64)&task;
	for (int i = 0; i < 3; i++)
		move(sk, false, 1);
	assert_int_equal(asked_for_current, 4);
	assert_int_equal(entry_of(sk, 4711)->rx_bytes + in_fronts(sk, 1, false), 6);
	free(sk);
}

#if defined(__x86_64__)

/* The socket has been read so far, by this system call; the kernel has bytes for it beyond. */
static void read_to(struct fake_object *sk, u32 position, u32 call)
{
	u32 first = FIELD_OF(u32, sk, TCP_RCV_NXT) - (u32)FIELD_OF(u64, sk, TCP_BYTES_RECEIVED);

	in_call(call);
	FIELD_OF(u32, sk, TCP_COPIED_SEQ) = first + position;
	tracepoint_space_adjust((u64[1]){ (u64)sk });
}

/* A socket to which a million bytes have come, whose sequence numbers begin shortly before they wrap. */
static struct fake_object *new_receiver(u32 port)
{
	struct fake_object *sk = new_socket(port);

	FIELD_OF(u64, sk, TCP_BYTES_RECEIVED) = 1000000;
	FIELD_OF(u32, sk, TCP_RCV_NXT) = (u32)-500 + 1000000;
	FIELD_OF(u8, sk, SK_STATE) = ESTABLISHED;
	FIELD_OF(u32, sk, SK_LOCK_OWNED) = 1;
	return sk;
}

static void set_state(struct fake_object *sk, int to)
{
	FIELD_OF(u8, sk, SK_STATE) = to;
	tracepoint_set_state((u64[3]){ (u64)sk, ESTABLISHED, to });
}

static u64 spliced(struct fake_object *sk)
{
	struct session_value *value = entry_of(sk, 4711);

	return value ? value->rx_bytes : 0;
}

static bool has_place(struct fake_object *sk)
{
	return owned_consumed(FIELD_OF(u64, sk, SK_COOKIE)) != NULL;
}

static void test_splice_among_receives(void **state)
{
	struct fake_object *sk = new_receiver(40000);

	(void)state;
	read_to(sk, 10, SPLICE); /* since its birth */
	read_to(sk, 110, RECVFROM);
	read_to(sk, 115, SPLICE);
	assert_int_equal(spliced(sk), 15);
	for (u32 position = 200; position < 1000; position += 100)
		read_to(sk, position, RECVFROM);
	assert_true(has_place(sk));
	read_to(sk, 1001, SPLICE);
	assert_int_equal(spliced(sk), 15 + 101);
	FIELD_OF(s64, &stack, STACK_TO_REGISTERS + REGS_BEFORE) = 0; /* work at the end of the call */
	FIELD_OF(u32, sk, TCP_COPIED_SEQ) += 10;
	tracepoint_space_adjust((u64[1]){ (u64)sk });
	FIELD_OF(u32, sk, SK_LOCK_OWNED) = 0; /* a softirq */
	read_to(sk, 1100, SPLICE);
	assert_int_equal(spliced(sk), 15 + 101);
	free(sk);
}

static void take_places(struct fake_object *sk)
{
	for (u32 position = 1; position <= 10; position++)
		read_to(sk, position, RECVFROM);
}

/* Sockets that would have the same place: the first one has it until it closes. */
static void test_place_of_two(void **state)
{
	struct fake_object *first = new_receiver(1), *second = new_receiver(2), *third = new_receiver(3);

	(void)state;
	FIELD_OF(u64, first, SK_COOKIE) = 1;
	for (u64 cookie = 2, found = 0; found < 2; cookie++)
		if (consumed_number(cookie) == consumed_number(1))
			FIELD_OF(u64, found++ ? third : second, SK_COOKIE) = cookie;
	take_places(first);
	take_places(second);
	assert_true(has_place(first) && !has_place(second));
	read_to(first, 15, SPLICE);
	read_to(second, 17, SPLICE);
	assert_int_equal(spliced(first), 5);
	assert_int_equal(spliced(second), 7);
	set_state(first, TCP_CLOSE);
	assert_false(has_place(first));
	take_places(third);
	assert_true(has_place(third));
	read_to(first, 18, SPLICE); /* what had come before it was closed */
	read_to(second, 18, SPLICE);
	read_to(third, 18, SPLICE);
	assert_int_equal(spliced(first), 5 + 3);
	assert_int_equal(spliced(second), 7 + 1);
	assert_int_equal(spliced(third), 8);
	free(first);
	free(second);
	free(third);
}

/* Places of sockets with cookies as a CPU gets them are spread. */
static void test_places_are_spread(void **state)
{
	/* so many CPUs with so many sockets each; places that random ones would take, nine tenths of which will do */
	static const struct {
		unsigned cpus, sockets, places;
	} cases[] = { { 64, 32, 1611 }, { 64, 100, 3237 }, { 2, 1000, 1583 }, { 8, 200, 1325 },
		{ 128, 10, 1099 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool taken[CONSUMED_PLACES] = { false };
		unsigned places = 0;

		for (u64 cpu = 0; cpu < cases[i].cpus; cpu++)
			for (u64 cookie = 1; cookie <= cases[i].sockets; cookie++)
				taken[consumed_number(cpu * 4096 + cookie)] = true;
		for (size_t place = 0; place < CONSUMED_PLACES; place++)
			places += taken[place];
		if (places * 10 < cases[i].places * 9)
			fail_msg("%u CPUs, %u sockets: %u places", cases[i].cpus, cases[i].sockets, places);
	}
}

static void test_connects_again(void **state)
{
	struct fake_object *sk = new_receiver(40000);

	(void)state;
	take_places(sk);
	assert_true(has_place(sk));
	set_state(sk, TCP_SYN_SENT); /* though nobody told that it closed */
	assert_false(has_place(sk));
	FIELD_OF(u32, sk, TCP_RCV_NXT) = 77000;
	FIELD_OF(u64, sk, TCP_BYTES_RECEIVED) = 1000;
	read_to(sk, 20, SPLICE);
	assert_int_equal(spliced(sk), 20);
	free(sk);
}

/* A closed socket takes no place, which it would never leave. */
static void test_closed_socket(void **state)
{
	struct fake_object *sk = new_receiver(40000);

	(void)state;
	set_state(sk, TCP_CLOSE);
	take_places(sk);
	assert_false(has_place(sk));
	read_to(sk, 12, SPLICE);
	assert_int_equal(spliced(sk), 2);
	free(sk);
}

/* Without memory for its state nothing that was received is taken for spliced later. */
static void test_no_option_memory(void **state)
{
	struct fake_object *sk = new_receiver(40000);
	u32 slot = 0;

	(void)state;
	fake_storage_refused = true;
	read_to(sk, 1000, RECVFROM);
	assert_int_equal(*missed_runs.lookup(&slot), 1);
	fake_storage_refused = false;
	read_to(sk, 1010, SPLICE); /* from here on it is followed */
	read_to(sk, 1015, SPLICE);
	assert_int_equal(spliced(sk), 5);
	free(sk);
}

/* One that is older than the tracing has its position from the iterator. */
static void test_older_socket(void **state)
{
	struct fake_object *sk = new_receiver(40000), file = { 0 };

	(void)state;
	FIELD_OF(u32, sk, TCP_COPIED_SEQ) = (u32)-500 + 400;
	FIELD_OF(u64, &file, SOCKET_SK) = (u64)sk;
	iterator_sockets((u64[4]){ 0, 0, 0, (u64)&file });
	read_to(sk, 450, SPLICE);
	assert_int_equal(spliced(sk), 50);
	free(sk);
}

#endif

#define RUN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(test_front_after_the_table),
		RUN(test_front_is_owned),
		RUN(test_generations),
		RUN(test_full_table),
		RUN(test_current_task),
#if defined(__x86_64__) /* the text's numbers of system calls are those of this processor */
		RUN(test_splice_among_receives),
		RUN(test_place_of_two),
		RUN(test_places_are_spread),
		RUN(test_connects_again),
		RUN(test_closed_socket),
		RUN(test_no_option_memory),
		RUN(test_older_socket),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
