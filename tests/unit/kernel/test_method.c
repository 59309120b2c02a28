/* SPDX-License-Identifier: Apache-2.0 */
/* Plans from a kernel's facts: on the recorded kernels (data/README.md), and with facts taken away from them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/error.h"
#include "kernel/kernel.h"
#include "kernel/method.h"
#include "recorded_kernels.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static void plan_well(
    struct probe_plan *plan, enum probe_method method, bool typed, const struct kernel *kernel)
{
	const char *why = NULL;

	if (!probe_plan_make(plan, method, typed, kernel, &why))
		fail_msg("%s is ruled out: %s", probe_method_name(method), why);
	assert_int_equal(plan->method, method);
}

static void expect_ruled_out(
    enum probe_method method, bool typed, const struct kernel *kernel, const char *reason)
{
	struct probe_plan plan;
	const char *why = NULL;

	assert_false(probe_plan_make(&plan, method, typed, kernel, &why));
	assert_non_null(why);
	if (!strstr(why, reason))
		fail_msg("the reason is \"%s\", not \"%s\"", why, reason);
}

struct expected_probe {
	enum probe_kind kind;
	enum kernel_symbol symbol;
	const char *function;
};

static void expect_probes(const struct probe_plan *plan, const struct expected_probe *expected, size_t count)
{
	assert_int_equal(plan->probe_count, count);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(plan->probes[i].function, expected[i].function);
		assert_int_equal(plan->probes[i].kind, expected[i].kind);
		assert_int_equal(plan->probes[i].symbol, expected[i].symbol);
		assert_true(probe_plan_has(plan, expected[i].symbol));
	}
}

#define EXPECT_PROBES(plan, ...)                                           \
	do {                                                               \
		const struct expected_probe expected_[] = { __VA_ARGS__ }; \
		expect_probes(plan, expected_, COUNT_OF(expected_));       \
	} while (0)

#define FEXIT(symbol, name)                              \
	{                                                \
		PROBE_KIND_FEXIT, symbol, "fentry_" name \
	}
/* Notices threads that end between entry and return. */
#define THREAD_EXIT                                                                 \
	{                                                                           \
		PROBE_KIND_RAW_TRACEPOINT, SYMBOL_SCHED_PROCESS_EXIT, "thread_exit" \
	}
#define KPROBES(symbol, name)                                   \
	{ PROBE_KIND_KPROBE, symbol, "kprobe_" name },          \
	{                                                       \
		PROBE_KIND_KRETPROBE, symbol, "kretprobe_" name \
	}

static void test_tracepoint_typed(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct probe_plan plan;

	(void)state;
	plan_well(&plan, PROBE_TRACEPOINT, true, &kernel);
	assert_true(plan.direct);
	EXPECT_PROBES(&plan, { PROBE_KIND_TYPED_TRACEPOINT, SYMBOL_SOCK_SEND_LENGTH, "tracepoint_send" },
	    { PROBE_KIND_TYPED_TRACEPOINT, SYMBOL_SOCK_RECV_LENGTH, "tracepoint_receive" },
	    { PROBE_KIND_TYPED_TRACEPOINT, SYMBOL_TCP_RCV_SPACE_ADJUST, "tracepoint_space_adjust" },
	    { PROBE_KIND_ITERATOR, SYMBOL_BPF_ITER_TASK_FILE, "iterator_sockets" });
}

/* Neither is of use without the other. */
static void test_tracepoint_without_splice(void **state)
{
	static const enum kernel_symbol needed[] = { SYMBOL_TCP_RCV_SPACE_ADJUST, SYMBOL_BPF_ITER_TASK_FILE };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(needed); i++) {
		struct kernel kernel = kernel_6_18();
		struct probe_plan plan;

		forget(&kernel, needed[i]);
		plan_well(&plan, PROBE_TRACEPOINT, true, &kernel);
		EXPECT_PROBES(&plan,
		    { PROBE_KIND_TYPED_TRACEPOINT, SYMBOL_SOCK_SEND_LENGTH, "tracepoint_send" },
		    { PROBE_KIND_TYPED_TRACEPOINT, SYMBOL_SOCK_RECV_LENGTH, "tracepoint_receive" });
	}
}

static void test_tracepoint_raw(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct probe_plan plan;

	(void)state;
	plan_well(&plan, PROBE_TRACEPOINT, false, &kernel);
	assert_false(plan.direct);
	EXPECT_PROBES(&plan, { PROBE_KIND_RAW_TRACEPOINT, SYMBOL_SOCK_SEND_LENGTH, "tracepoint_send" },
	    { PROBE_KIND_RAW_TRACEPOINT, SYMBOL_SOCK_RECV_LENGTH, "tracepoint_receive" });

	forget_btf(&kernel);
	plan_well(&plan, PROBE_TRACEPOINT, false, &kernel);
	assert_false(plan.direct);
	assert_int_equal(plan.probe_count, 2);
	expect_ruled_out(PROBE_TRACEPOINT, true, &kernel, "no BTF");
}

/* BTF knows best, for tracepoints are also carried back; without it the version has to do. */
static void test_tracepoint_old_kernels(void **state)
{
	struct kernel kernel = kernel_6_1();
	struct probe_plan plan;

	(void)state;
	expect_ruled_out(PROBE_TRACEPOINT, true, &kernel, "sock_send_length");
	expect_ruled_out(PROBE_TRACEPOINT, false, &kernel, "6.3");
	kernel.version = KERNEL_VERSION_CODE(6, 3, 0);
	expect_ruled_out(PROBE_TRACEPOINT, true, &kernel, "sock_send_length");

	kernel = kernel_6_18();
	kernel.version = KERNEL_VERSION_CODE(5, 14, 0);
	plan_well(&plan, PROBE_TRACEPOINT, true, &kernel);
	forget_btf(&kernel);
	kernel.version = KERNEL_VERSION_CODE(6, 2, 255);
	expect_ruled_out(PROBE_TRACEPOINT, false, &kernel, "sock_send_length");
	kernel.version = KERNEL_VERSION_CODE(6, 3, 0);
	plan_well(&plan, PROBE_TRACEPOINT, false, &kernel);
}

static void test_fentry_6_1(void **state)
{
	struct kernel kernel = kernel_6_1();
	struct probe_plan plan;

	(void)state;
	plan_well(&plan, PROBE_FENTRY, true, &kernel);
	assert_true(plan.direct);
	EXPECT_PROBES(&plan, FEXIT(SYMBOL_INET_SENDMSG, "inet_sendmsg"),
	    FEXIT(SYMBOL_INET6_SENDMSG, "inet6_sendmsg"), FEXIT(SYMBOL_INET_RECVMSG, "inet_recvmsg"),
	    FEXIT(SYMBOL_INET6_RECVMSG, "inet6_recvmsg"), FEXIT(SYMBOL_INET_SENDPAGE, "inet_sendpage"),
	    FEXIT(SYMBOL_TCP_SPLICE_READ, "tcp_splice_read"),
	    FEXIT(SYMBOL_TCP_ZEROCOPY_RECEIVE, "tcp_zerocopy_receive"));
}

static void test_fentry_6_18(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct probe_plan plan;

	(void)state;
	plan_well(&plan, PROBE_FENTRY, true, &kernel);
	EXPECT_PROBES(&plan, FEXIT(SYMBOL_INET_SENDMSG, "inet_sendmsg"),
	    FEXIT(SYMBOL_INET6_SENDMSG, "inet6_sendmsg"), FEXIT(SYMBOL_INET_RECVMSG, "inet_recvmsg"),
	    FEXIT(SYMBOL_INET6_RECVMSG, "inet6_recvmsg"), FEXIT(SYMBOL_TCP_SPLICE_READ, "tcp_splice_read"),
	    FEXIT(SYMBOL_TCP_ZEROCOPY_RECEIVE, "tcp_zerocopy_receive"));
}

static void test_fentry_ruled_out(void **state)
{
	static const enum kernel_symbol required[] = { SYMBOL_INET_SENDMSG, SYMBOL_INET_RECVMSG };
	struct kernel kernel;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(required); i++) {
		kernel = kernel_6_1();
		forget(&kernel, required[i]);
		expect_ruled_out(PROBE_FENTRY, true, &kernel, "BTF does not know inet_sendmsg");
	}
	forget_btf(&kernel);
	expect_ruled_out(PROBE_FENTRY, true, &kernel, "no BTF");
}

static void test_kprobe_6_1(void **state)
{
	struct kernel kernel = kernel_6_1();
	struct probe_plan plan;

	(void)state;
	plan_well(&plan, PROBE_KPROBE, true, &kernel);
	assert_false(plan.direct);
	EXPECT_PROBES(&plan, KPROBES(SYMBOL_INET_SENDMSG, "inet_sendmsg"),
	    KPROBES(SYMBOL_INET6_SENDMSG, "inet6_sendmsg"), KPROBES(SYMBOL_INET_RECVMSG, "inet_recvmsg"),
	    KPROBES(SYMBOL_INET6_RECVMSG, "inet6_recvmsg"), KPROBES(SYMBOL_INET_SENDPAGE, "inet_sendpage"),
	    KPROBES(SYMBOL_TCP_SPLICE_READ, "tcp_splice_read"),
	    KPROBES(SYMBOL_TCP_ZEROCOPY_RECEIVE, "tcp_zerocopy_receive"), THREAD_EXIT);
}

/* BTF leaves optional functions out; required ones stay, and attaching tells. */
static void test_kprobe_with_less(void **state)
{
	struct kernel kernel = kernel_6_1();
	struct probe_plan plan;

	(void)state;
	forget(&kernel, SYMBOL_INET6_SENDMSG);
	forget(&kernel, SYMBOL_INET_SENDPAGE);
	forget(&kernel, SYMBOL_INET_SENDMSG);
	plan_well(&plan, PROBE_KPROBE, true, &kernel);
	EXPECT_PROBES(&plan, KPROBES(SYMBOL_INET_SENDMSG, "inet_sendmsg"),
	    KPROBES(SYMBOL_INET_RECVMSG, "inet_recvmsg"), KPROBES(SYMBOL_INET6_RECVMSG, "inet6_recvmsg"),
	    KPROBES(SYMBOL_TCP_SPLICE_READ, "tcp_splice_read"),
	    KPROBES(SYMBOL_TCP_ZEROCOPY_RECEIVE, "tcp_zerocopy_receive"), THREAD_EXIT);

	/* without BTF all are tried */
	forget_btf(&kernel);
	plan_well(&plan, PROBE_KPROBE, true, &kernel);
	assert_int_equal(plan.probe_count, 2 * probe_hook_count + 1);
}

static void test_no_kprobes(void **state)
{
	struct kernel kernel = kernel_6_18();

	(void)state;
	expect_ruled_out(PROBE_KPROBE, true, &kernel, "no kprobes");
	forget_btf(&kernel);
	expect_ruled_out(PROBE_KPROBE, true, &kernel, "no kprobes");
}

static void test_auto(void **state)
{
	struct kernel kernel = kernel_6_18();

	(void)state;
	assert_int_equal(probe_auto_count, 3);
	assert_int_equal(probe_auto_order[0], PROBE_TRACEPOINT);
	assert_int_equal(probe_auto_order[1], PROBE_FENTRY);
	assert_int_equal(probe_auto_order[2], PROBE_KPROBE);
	expect_ruled_out(PROBE_AUTO, true, &kernel, "not a method");
}

static void expect_spots(const struct probe_plan *plan, const char *const *expected, size_t count)
{
	const struct probe_blind_spot *spots[NOT_COUNTED_MAX];
	size_t found = probe_blind_spots(spots, plan);

	for (size_t i = 0; i < found && i < count; i++) {
		assert_string_equal(spots[i]->path, expected[i]);
		assert_true(strlen(spots[i]->reason) > 10);
	}
	assert_int_equal(found, count);
}

#define EXPECT_SPOTS(plan, ...)                                         \
	do {                                                            \
		static const char *const expected_[] = { __VA_ARGS__ }; \
		expect_spots(plan, expected_, COUNT_OF(expected_));     \
	} while (0)

static void test_blind_spots(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct probe_plan plan;

	(void)state;
	plan_well(&plan, PROBE_TRACEPOINT, true, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "splice_io_uring", "splice_unfollowed");
	plan_well(&plan, PROBE_TRACEPOINT, false, &kernel);
	EXPECT_SPOTS(&plan, "splice_out", "zerocopy_receive", "splice_tls", "splice_io_uring");

	kernel = kernel_6_1();
	plan_well(&plan, PROBE_FENTRY, true, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "call_before_start");
	plan_well(&plan, PROBE_KPROBE, true, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "call_before_start", "many_waiting_calls");
	forget(&kernel, SYMBOL_TCP_SPLICE_READ);
	plan_well(&plan, PROBE_FENTRY, true, &kernel);
	EXPECT_SPOTS(&plan, "splice_out", "splice_tls", "call_before_start");
	forget(&kernel, SYMBOL_TCP_ZEROCOPY_RECEIVE);
	plan_well(&plan, PROBE_KPROBE, true, &kernel);
	EXPECT_SPOTS(
	    &plan, "splice_out", "zerocopy_receive", "splice_tls", "call_before_start", "many_waiting_calls");
}

/* What could not be attached has left the plan (loader): then it is declared. */
static void test_blind_spots_after_attaching(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct probe_plan plan;

	(void)state;
	plan_well(&plan, PROBE_TRACEPOINT, true, &kernel);
	plan.probe_count = 2;
	assert_false(probe_plan_has(&plan, SYMBOL_TCP_RCV_SPACE_ADJUST));
	EXPECT_SPOTS(&plan, "splice_out", "zerocopy_receive", "splice_tls", "splice_io_uring");
}

/* Where runs are skipped: tracepoints have no trampoline and no map of calls under way. */
static void test_blind_spots_when_preemptible(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct probe_plan plan;

	(void)state;
	kernel.fully_preemptible = true;
	plan_well(&plan, PROBE_TRACEPOINT, true, &kernel);
	assert_true(plan.preemptible);
	EXPECT_SPOTS(&plan, "splice_tls", "splice_io_uring", "splice_unfollowed");
	kernel = kernel_6_1();
	kernel.fully_preemptible = true;
	plan_well(&plan, PROBE_FENTRY, true, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "call_before_start", PROBE_PREEMPTED);
	plan_well(&plan, PROBE_KPROBE, true, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "call_before_start", "many_waiting_calls", PROBE_PREEMPTED);
}

/* As many as one kernel could have to declare. */
static void test_blind_spots_fit(void **state)
{
	static const enum probe_method methods[] = { PROBE_TRACEPOINT, PROBE_FENTRY, PROBE_KPROBE };
	const struct probe_blind_spot *spots[NOT_COUNTED_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(methods); i++) {
		const struct probe_plan nothing_hooked = { .method = methods[i], .preemptible = true };
		size_t found = probe_blind_spots(spots, &nothing_hooked);

		assert_true(found > 0 && found < NOT_COUNTED_MAX);
		for (size_t a = 0; a < found; a++)
			for (size_t b = 0; b < a; b++)
				assert_string_not_equal(spots[a]->path, spots[b]->path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tracepoint_typed),
		cmocka_unit_test(test_tracepoint_without_splice),
		cmocka_unit_test(test_tracepoint_raw),
		cmocka_unit_test(test_tracepoint_old_kernels),
		cmocka_unit_test(test_fentry_6_1),
		cmocka_unit_test(test_fentry_6_18),
		cmocka_unit_test(test_fentry_ruled_out),
		cmocka_unit_test(test_kprobe_6_1),
		cmocka_unit_test(test_kprobe_with_less),
		cmocka_unit_test(test_no_kprobes),
		cmocka_unit_test(test_auto),
		cmocka_unit_test(test_blind_spots),
		cmocka_unit_test(test_blind_spots_after_attaching),
		cmocka_unit_test(test_blind_spots_when_preemptible),
		cmocka_unit_test(test_blind_spots_fit),
	};

	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
