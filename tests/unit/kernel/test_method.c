/* SPDX-License-Identifier: Apache-2.0 */
/* Plans from a kernel's facts: on the recorded kernels (data/README.md), and with facts taken away from them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "kernel/kernel.h"
#include "kernel/method.h"
#include "kernel/socket_calls.h"
#include "recorded_kernels.h"

static void plan_well(struct plan *plan, enum probe_method method, bool typed, const struct kernel *kernel)
{
	const char *why = NULL;

	if (!method_plan(plan, method_find(method), typed, kernel, &why))
		fail_msg("%s is ruled out: %s", probe_method_name(method), why);
	assert_int_equal(plan->method, method);
}

static void expect_ruled_out(
    enum probe_method method, bool typed, const struct kernel *kernel, const char *reason)
{
	struct plan plan;
	const char *why = NULL;

	assert_false(method_plan(&plan, method_find(method), typed, kernel, &why));
	assert_non_null(why);
	if (!strstr(why, reason))
		fail_msg("the reason is \"%s\", not \"%s\"", why, reason);
}

struct expected_probe {
	enum hook_kind kind;
	enum kernel_symbol symbol;
	const char *function;
};

static void expect_probes(const struct plan *plan, const struct expected_probe *expected, size_t count)
{
	assert_int_equal(plan->hook_count, count);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(plan->hooks[i].function, expected[i].function);
		assert_int_equal(plan->hooks[i].kind, expected[i].kind);
		assert_int_equal(plan->hooks[i].symbol, expected[i].symbol);
		assert_true(plan_has(plan, expected[i].symbol));
	}
}

#define EXPECT_PROBES(plan, ...)                                           \
	do {                                                               \
		const struct expected_probe expected_[] = { __VA_ARGS__ }; \
		expect_probes(plan, expected_, COUNT_OF(expected_));       \
	} while (0)

#define FEXIT(symbol, name)                        \
	{                                          \
		HOOK_FEXIT, symbol, "fentry_" name \
	}
/* Notices threads that end between entry and return. */
#define THREAD_EXIT                                                           \
	{                                                                     \
		HOOK_RAW_TRACEPOINT, SYMBOL_SCHED_PROCESS_EXIT, "thread_exit" \
	}
#define KPROBES(symbol, name)                             \
	{ HOOK_KPROBE, symbol, "kprobe_" name },          \
	{                                                 \
		HOOK_KRETPROBE, symbol, "kretprobe_" name \
	}

static void test_tracepoint_typed(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct plan plan;

	(void)state;
	plan_well(&plan, PROBE_TRACEPOINT, true, &kernel);
	assert_true(plan.direct);
	EXPECT_PROBES(&plan, { HOOK_TYPED_TRACEPOINT, SYMBOL_SOCK_SEND_LENGTH, "tracepoint_send" },
	    { HOOK_TYPED_TRACEPOINT, SYMBOL_SOCK_RECV_LENGTH, "tracepoint_receive" },
	    { HOOK_TYPED_TRACEPOINT, SYMBOL_TCP_RCV_SPACE_ADJUST, "tracepoint_space_adjust" },
	    { HOOK_ITERATOR, SYMBOL_BPF_ITER_TASK_FILE, "iterator_sockets" });
}

/* Neither is of use without the other. */
static void test_tracepoint_without_splice(void **state)
{
	static const enum kernel_symbol needed[] = { SYMBOL_TCP_RCV_SPACE_ADJUST, SYMBOL_BPF_ITER_TASK_FILE };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(needed); i++) {
		struct kernel kernel = kernel_6_18();
		struct plan plan;

		forget(&kernel, needed[i]);
		plan_well(&plan, PROBE_TRACEPOINT, true, &kernel);
		EXPECT_PROBES(&plan, { HOOK_TYPED_TRACEPOINT, SYMBOL_SOCK_SEND_LENGTH, "tracepoint_send" },
		    { HOOK_TYPED_TRACEPOINT, SYMBOL_SOCK_RECV_LENGTH, "tracepoint_receive" });
	}
}

static void test_tracepoint_raw(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct plan plan;

	(void)state;
	plan_well(&plan, PROBE_TRACEPOINT, false, &kernel);
	assert_false(plan.direct);
	EXPECT_PROBES(&plan, { HOOK_RAW_TRACEPOINT, SYMBOL_SOCK_SEND_LENGTH, "tracepoint_send" },
	    { HOOK_RAW_TRACEPOINT, SYMBOL_SOCK_RECV_LENGTH, "tracepoint_receive" });

	forget_btf(&kernel);
	plan_well(&plan, PROBE_TRACEPOINT, false, &kernel);
	assert_false(plan.direct);
	assert_int_equal(plan.hook_count, 2);
	expect_ruled_out(PROBE_TRACEPOINT, true, &kernel, "no BTF");
}

/* BTF knows best, for tracepoints are also carried back; without it the version has to do. */
static void test_tracepoint_old_kernels(void **state)
{
	struct kernel kernel = kernel_6_1();
	struct plan plan;

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
	struct plan plan;

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
	struct plan plan;

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
	struct plan plan;

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
	struct plan plan;

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
	assert_int_equal(plan.hook_count, 2 * socket_call_count + 1);
}

static void test_no_kprobes(void **state)
{
	struct kernel kernel = kernel_6_18();

	(void)state;
	expect_ruled_out(PROBE_KPROBE, true, &kernel, "no kprobes");
	forget_btf(&kernel);
	expect_ruled_out(PROBE_KPROBE, true, &kernel, "no kprobes");
}

/* ---- the choice ---- */

/* What a trial of a method's first hook says, by kind. */
static int trial_results[HOOK_KRETPROBE + 1];
static size_t trials;

static int trial_attach(const struct hook *hook, const struct kernel *kernel)
{
	(void)kernel;
	trials++;
	return trial_results[hook->kind];
}

static const struct method_trial trial = { .attach = trial_attach };

static int choose(struct plan *plan, enum probe_method wanted, const struct kernel *kernel,
    const struct method_trial *by, struct method_refusal *refusal)
{
	trials = 0;
	return method_choose(plan, wanted, kernel, by, refusal);
}

static void test_choice_order(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct method_refusal refusal;
	struct plan plan;

	(void)state;
	kernel.kprobe_pmu_type = 6;
	memset(trial_results, 0, sizeof trial_results);
	assert_int_equal(choose(&plan, PROBE_AUTO, &kernel, &trial, &refusal), 0);
	assert_int_equal(plan.method, PROBE_TRACEPOINT);
	assert_true(plan.direct);
	assert_int_equal(trials, 1);

	/* BTF-typed programs are refused: plain raw ones of the same method come before another method */
	trial_results[HOOK_TYPED_TRACEPOINT] = -EPERM;
	assert_int_equal(choose(&plan, PROBE_AUTO, &kernel, &trial, &refusal), 0);
	assert_int_equal(plan.method, PROBE_TRACEPOINT);
	assert_false(plan.direct);
	assert_int_equal(plan.hooks[0].kind, HOOK_RAW_TRACEPOINT);

	trial_results[HOOK_RAW_TRACEPOINT] = -EPERM;
	assert_int_equal(choose(&plan, PROBE_AUTO, &kernel, &trial, &refusal), 0);
	assert_int_equal(plan.method, PROBE_FENTRY);

	trial_results[HOOK_FEXIT] = -524;
	assert_int_equal(choose(&plan, PROBE_AUTO, &kernel, &trial, &refusal), 0);
	assert_int_equal(plan.method, PROBE_KPROBE);

	trial_results[HOOK_KPROBE] = -EACCES;
	assert_int_equal(choose(&plan, PROBE_AUTO, &kernel, &trial, &refusal), -ENOTSUP);
	assert_int_equal(refusal.err_count, 3);
	assert_int_equal(refusal.errs[2], -EACCES);
	assert_non_null(strstr(refusal.why, "tracepoint: the kernel refuses it: "));
	assert_non_null(
	    strstr(refusal.why, "; fentry: the kernel refuses it: not supported on this processor; "));
}

static void test_choice_of_one(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct method_refusal refusal;
	struct plan plan;

	(void)state;
	memset(trial_results, 0, sizeof trial_results);
	assert_int_equal(choose(&plan, PROBE_FENTRY, &kernel, &trial, &refusal), 0);
	assert_int_equal(plan.method, PROBE_FENTRY);
	/* no other takes the place of the one that was asked for */
	trial_results[HOOK_FEXIT] = -EPERM;
	assert_int_equal(choose(&plan, PROBE_FENTRY, &kernel, &trial, &refusal), -ENOTSUP);
	assert_int_equal(trials, 1);
	/* nothing is tried: the facts decide */
	assert_int_equal(choose(&plan, PROBE_FENTRY, &kernel, NULL, &refusal), 0);
	assert_int_equal(trials, 0);
	forget_btf(&kernel);
	assert_int_equal(choose(&plan, PROBE_FENTRY, &kernel, NULL, &refusal), -ENOTSUP);
	assert_non_null(strstr(refusal.why, "fentry: this kernel has no BTF"));
}

static void expect_spots(const struct plan *plan, const char *const *expected, size_t count)
{
	const struct blind_spot *spots[NOT_COUNTED_MAX];
	size_t found = plan_blind_spots(spots, plan);

	for (size_t i = 0; i < found && i < count; i++) {
		assert_string_equal(spots[i]->id, expected[i]);
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
	struct plan plan;

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
	struct plan plan;

	(void)state;
	plan_well(&plan, PROBE_TRACEPOINT, true, &kernel);
	plan.hook_count = 2;
	assert_false(plan_has(&plan, SYMBOL_TCP_RCV_SPACE_ADJUST));
	EXPECT_SPOTS(&plan, "splice_out", "zerocopy_receive", "splice_tls", "splice_io_uring");
}

/* Where runs are skipped: tracepoints have no trampoline and no map of calls under way. */
static void test_blind_spots_when_preemptible(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct plan plan;

	(void)state;
	kernel.fully_preemptible = true;
	plan_well(&plan, PROBE_TRACEPOINT, true, &kernel);
	assert_true(plan.preemptible);
	EXPECT_SPOTS(&plan, "splice_tls", "splice_io_uring", "splice_unfollowed");
	kernel = kernel_6_1();
	kernel.fully_preemptible = true;
	plan_well(&plan, PROBE_FENTRY, true, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "call_before_start", BLIND_SPOT_PREEMPTED);
	plan_well(&plan, PROBE_KPROBE, true, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "call_before_start", "many_waiting_calls", BLIND_SPOT_PREEMPTED);
}

/* As many as one kernel could have to declare. */
static void test_blind_spots_fit(void **state)
{
	const struct blind_spot *spots[NOT_COUNTED_MAX];

	(void)state;
	for (size_t i = 0; i < method_count; i++) {
		const struct plan nothing_hooked = { .method = methods[i]->id, .preemptible = true };
		size_t found = plan_blind_spots(spots, &nothing_hooked);

		assert_true(found > 0 && found < NOT_COUNTED_MAX);
		for (size_t a = 0; a < found; a++)
			for (size_t b = 0; b < a; b++)
				assert_string_not_equal(spots[a]->id, spots[b]->id);
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
		cmocka_unit_test(test_choice_order),
		cmocka_unit_test(test_choice_of_one),
		cmocka_unit_test(test_blind_spots),
		cmocka_unit_test(test_blind_spots_after_attaching),
		cmocka_unit_test(test_blind_spots_when_preemptible),
		cmocka_unit_test(test_blind_spots_fit),
	};

	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
