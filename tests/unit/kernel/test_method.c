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
#include "model/session.h"
#include "kernel/socket_calls.h"
#include "planning.h"
#include "recorded_kernels.h"

static void expect_ruled_out(enum probe_method method, const struct kernel *kernel, const char *reason)
{
	struct planner planner = { .kernel = kernel };
	struct plan plan;

	assert_false(method_plan(&plan, method_find(method), &planner));
	assert_int_not_equal(planner.err, 0);
	if (!strstr(planner.why, reason))
		fail_msg("the reason is \"%s\", not \"%s\"", planner.why, reason);
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
/* Notices threads that end, or change their ids, between entry and return. */
#define THREADS(exit_kind)                                                    \
	{ exit_kind, SYMBOL_SCHED_PROCESS_EXIT, "thread_exit" },              \
	{                                                                     \
		HOOK_RAW_TRACEPOINT, SYMBOL_SCHED_PROCESS_EXEC, "thread_exec" \
	}
#define KPROBES(symbol, name)                             \
	{ HOOK_KPROBE, symbol, "kprobe_" name },          \
	{                                                 \
		HOOK_KRETPROBE, symbol, "kretprobe_" name \
	}

#define SEND(kind)                                               \
	{                                                        \
		kind, SYMBOL_SOCK_SEND_LENGTH, "tracepoint_send" \
	}
#define RECEIVE(kind)                                               \
	{                                                           \
		kind, SYMBOL_SOCK_RECV_LENGTH, "tracepoint_receive" \
	}
/* kprobe, kretprobe, and what stands by for it. */
#define STANDBY(symbol, name) { HOOK_FEXIT, symbol, "standby_" name }, KPROBES(symbol, name)

/* What no tracepoint tells is followed where functions cannot be probed, else the functions tell. */
static void test_tracepoint_typed(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct plan plan;

	(void)state;
	plan_without(&plan, FUNCTIONS, PROBE_TRACEPOINT, &kernel);
	assert_true(plan.direct);
	EXPECT_PROBES(&plan, SEND(HOOK_TYPED_TRACEPOINT), RECEIVE(HOOK_TYPED_TRACEPOINT),
	    { HOOK_TYPED_TRACEPOINT, SYMBOL_TCP_RCV_SPACE_ADJUST, "tracepoint_space_adjust" },
	    { HOOK_TYPED_TRACEPOINT, SYMBOL_INET_SOCK_SET_STATE, "tracepoint_set_state" },
	    { HOOK_ITERATOR, SYMBOL_BPF_ITER_TASK_FILE, "iterator_sockets" });
	plan_drop_following(&plan);
	EXPECT_PROBES(&plan, SEND(HOOK_TYPED_TRACEPOINT), RECEIVE(HOOK_TYPED_TRACEPOINT));
	assert_int_equal(plan.needs & NEED_SPLICE, 0);

	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
	assert_true(plan.direct);
	EXPECT_PROBES(&plan, SEND(HOOK_TYPED_TRACEPOINT), RECEIVE(HOOK_TYPED_TRACEPOINT),
	    FEXIT(SYMBOL_TCP_SPLICE_READ, "tcp_splice_read"),
	    FEXIT(SYMBOL_TCP_ZEROCOPY_RECEIVE, "tcp_zerocopy_receive"));
	assert_int_equal(plan_skips(&plan), 0);
	/* what the functions tell costs no receive anything */
	plan_drop_following(&plan);
	assert_true(plan_has(&plan, SYMBOL_TCP_SPLICE_READ));

	/* programs on functions would lose runs; these tracepoints do not */
	kernel.preemptible = true;
	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
	assert_true(plan_has(&plan, SYMBOL_TCP_RCV_SPACE_ADJUST));
	assert_int_equal(plan_skips(&plan), 0);
}

/* Where tracepoints can be preempted, by perf's records, and by kprobes with a program that stands by. */
static void test_tracepoint_perf(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct plan plan;

	(void)state;
	kernel.kprobe_pmu_type = 6;
	kernel.preemptible = kernel.tracepoints_preemptible = true;
	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
	assert_false(plan.direct);
	EXPECT_PROBES(&plan, SEND(HOOK_PERF_TRACEPOINT), RECEIVE(HOOK_PERF_TRACEPOINT),
	    STANDBY(SYMBOL_TCP_SPLICE_READ, "tcp_splice_read"),
	    STANDBY(SYMBOL_TCP_ZEROCOPY_RECEIVE, "tcp_zerocopy_receive"), THREADS(HOOK_PERF_TRACEPOINT));
	assert_int_equal(plan_skips(&plan), SKIPS_MAP_CALLS);

	plan_without(&plan, FEXIT_BIT, PROBE_TRACEPOINT, &kernel);
	EXPECT_PROBES(&plan, SEND(HOOK_PERF_TRACEPOINT), RECEIVE(HOOK_PERF_TRACEPOINT),
	    KPROBES(SYMBOL_TCP_SPLICE_READ, "tcp_splice_read"),
	    KPROBES(SYMBOL_TCP_ZEROCOPY_RECEIVE, "tcp_zerocopy_receive"), THREADS(HOOK_PERF_TRACEPOINT));
	assert_int_equal(plan_skips(&plan), SKIPS_MAP_CALLS | SKIPS_WAITING);

	/* following by what can be preempted would count receives as splices: rather not at all */
	plan_without(&plan, FUNCTIONS, PROBE_TRACEPOINT, &kernel);
	EXPECT_PROBES(&plan, SEND(HOOK_PERF_TRACEPOINT), RECEIVE(HOOK_PERF_TRACEPOINT));
	plan_without(&plan, FUNCTIONS | PERF, PROBE_TRACEPOINT, &kernel);
	EXPECT_PROBES(&plan, SEND(HOOK_TYPED_TRACEPOINT), RECEIVE(HOOK_TYPED_TRACEPOINT));
	assert_int_equal(plan_skips(&plan), SKIPS_PREEMPTED);
	kernel.offsets[FIELD_RECORD_SK] = -1;
	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
	assert_int_equal(plan.hooks[0].kind, HOOK_TYPED_TRACEPOINT);
}

/* Addresses are given a type where the kernel does it and that saves calls, and the current task is found where BTF tells how. */
static void test_casts(void **state)
{
	static const struct {
		unsigned without;
		enum probe_method method;
		unsigned needs;
	} cases[] = {
		{ 0, PROBE_TRACEPOINT, NEED_CAST | NEED_CURRENT },
		{ FUNCTIONS | CAST_BIT, PROBE_TRACEPOINT, 0 }, /* nor can sockets be followed then */
		{ TYPED, PROBE_TRACEPOINT, 0 },
		{ 0, PROBE_FENTRY, 0 },
		{ 0, PROBE_KPROBE, NEED_CAST | NEED_CURRENT },
		{ CAST_BIT, PROBE_KPROBE, 0 },
	};
	struct kernel kernel = kernel_6_18(), older = kernel_6_1();
	struct plan plan;

	(void)state;
	kernel.kprobe_pmu_type = older.kprobe_pmu_type = 6;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		plan_without(&plan, cases[i].without, cases[i].method, &kernel);
		assert_int_equal(plan.needs & (NEED_CAST | NEED_CURRENT), cases[i].needs);
		assert_false(cases[i].without & CAST_BIT && plan_has(&plan, SYMBOL_TCP_RCV_SPACE_ADJUST));
	}
	plan_well(&plan, PROBE_KPROBE, &older);
	assert_int_equal(plan.needs & NEED_CAST, 0);
	kernel.tracepoints_preemptible = kernel.preemptible = true;
	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
	assert_int_equal(plan.hooks[0].kind, HOOK_PERF_TRACEPOINT);
	assert_true(plan.needs & NEED_CAST);
	kernel.offsets[FIELD_RQ_CURR] = -1;
	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
	assert_int_equal(plan.needs & (NEED_CAST | NEED_CURRENT), NEED_CAST);
}

/* None is of use without the others. */
static void test_tracepoint_without_splice(void **state)
{
	static const enum kernel_symbol needed[] = { SYMBOL_TCP_RCV_SPACE_ADJUST, SYMBOL_INET_SOCK_SET_STATE,
		SYMBOL_BPF_ITER_TASK_FILE, SYMBOL_BPF_RDONLY_CAST };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(needed) + TYPE_COUNT; i++) {
		struct kernel kernel = kernel_6_18();
		struct plan plan;

		if (i < COUNT_OF(needed))
			forget(&kernel, needed[i]);
		else
			kernel.type_ids[i - COUNT_OF(needed)] = 0;
		plan_without(&plan, FUNCTIONS, PROBE_TRACEPOINT, &kernel);
		EXPECT_PROBES(&plan, SEND(HOOK_TYPED_TRACEPOINT), RECEIVE(HOOK_TYPED_TRACEPOINT));
	}
}

/*
 * A processor whose calls are not known: what follows splice() would not know its calls, and kprobes not where their
 * arguments are.
 */
static void test_unknown_processor(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct plan plan;

	(void)state;
	kernel.processor = NULL;
	kernel.kprobe_pmu_type = 6;
	plan_without(&plan, FUNCTIONS, PROBE_TRACEPOINT, &kernel);
	EXPECT_PROBES(&plan, SEND(HOOK_TYPED_TRACEPOINT), RECEIVE(HOOK_TYPED_TRACEPOINT));
	plan_without(&plan, TYPED, PROBE_TRACEPOINT, &kernel);
	EXPECT_PROBES(&plan, SEND(HOOK_RAW_TRACEPOINT), RECEIVE(HOOK_RAW_TRACEPOINT));
	plan_well(
	    &plan, PROBE_TRACEPOINT, &kernel); /* the kernel hands programs on returns their arguments */
	assert_true(plan_has(&plan, SYMBOL_TCP_SPLICE_READ) && plan_has(&plan, SYMBOL_TCP_ZEROCOPY_RECEIVE));
	kernel.preemptible = kernel.tracepoints_preemptible = true;
	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
	EXPECT_PROBES(&plan, SEND(HOOK_PERF_TRACEPOINT), RECEIVE(HOOK_PERF_TRACEPOINT));
	expect_ruled_out(PROBE_KPROBE, &kernel, "processor");
	plan_well(&plan, PROBE_FENTRY, &kernel);
}

/* BTF that lacks a field which only a part needs: the part stays away. */
static void test_lacking_fields(void **state)
{
	struct kernel kernel;
	struct plan plan;

	(void)state;
	for (int field = 0; field < FIELD_COUNT; field++) {
		unsigned needs = kernel_field_needs(field);

		kernel = kernel_6_18();
		assert_int_equal(kernel_lacks(&kernel, needs), FIELD_COUNT);
		kernel.offsets[field] = -1;
		assert_int_equal(kernel_lacks(&kernel, needs), field);
		assert_int_equal(kernel_lacks(&kernel, ~needs), FIELD_COUNT);
		plan_without(&plan, FUNCTIONS, PROBE_TRACEPOINT, &kernel);
		assert_int_equal(
		    plan_has(&plan, SYMBOL_TCP_RCV_SPACE_ADJUST), !(needs & (NEED_SPLICE | NEED_CAST)));
		plan_well(&plan, PROBE_TRACEPOINT, &kernel);
		if (!(needs & NEED_CALLS))
			assert_true(plan_has(&plan, SYMBOL_TCP_SPLICE_READ));
		assert_int_equal(
		    plan_has(&plan, SYMBOL_TCP_ZEROCOPY_RECEIVE), !(needs & (NEED_CALLS | NEED_ZEROCOPY)));
		if (needs & NEED_CALLS) {
			expect_ruled_out(PROBE_FENTRY, &kernel, kernel_field_macro(field));
			continue;
		}
		plan_well(&plan, PROBE_FENTRY, &kernel);
		assert_int_equal(plan_has(&plan, SYMBOL_TCP_ZEROCOPY_RECEIVE), !(needs & NEED_ZEROCOPY));
	}
	kernel = kernel_6_18();
	kernel.tracepoints_preemptible = kernel.preemptible = true;
	kernel.offsets[FIELD_RECORD_FLAGS] = -1;
	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
	assert_int_equal(plan.hooks[0].kind, HOOK_TYPED_TRACEPOINT);
	forget_btf(&kernel); /* then headers tell */
	assert_int_equal(kernel_lacks(&kernel, ~0U), FIELD_COUNT);
}

static void test_tracepoint_raw(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct plan plan;

	(void)state;
	plan_without(&plan, TYPED, PROBE_TRACEPOINT, &kernel);
	assert_false(plan.direct);
	EXPECT_PROBES(&plan, SEND(HOOK_RAW_TRACEPOINT), RECEIVE(HOOK_RAW_TRACEPOINT));

	forget_btf(&kernel);
	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
	assert_false(plan.direct);
	EXPECT_PROBES(&plan, SEND(HOOK_RAW_TRACEPOINT), RECEIVE(HOOK_RAW_TRACEPOINT));

	/* without BTF all of the functions are tried */
	kernel.kprobe_pmu_type = 6;
	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
	EXPECT_PROBES(&plan, SEND(HOOK_RAW_TRACEPOINT), RECEIVE(HOOK_RAW_TRACEPOINT),
	    KPROBES(SYMBOL_TCP_SPLICE_READ, "tcp_splice_read"),
	    KPROBES(SYMBOL_TCP_ZEROCOPY_RECEIVE, "tcp_zerocopy_receive"),
	    KPROBES(SYMBOL_TLS_SW_SPLICE_READ, "tls_sw_splice_read"),
	    KPROBES(SYMBOL_MPTCP_SPLICE_READ, "mptcp_splice_read"), THREADS(HOOK_RAW_TRACEPOINT));
}

/* BTF knows best, for tracepoints are also carried back; without it the version has to do. */
static void test_tracepoint_old_kernels(void **state)
{
	struct kernel kernel = kernel_6_1();
	struct plan plan;

	(void)state;
	expect_ruled_out(PROBE_TRACEPOINT, &kernel, "sock_send_length (6.3");
	kernel.version = KERNEL_VERSION_CODE(6, 3, 0);
	expect_ruled_out(PROBE_TRACEPOINT, &kernel, "sock_send_length");

	kernel = kernel_6_18();
	kernel.version = KERNEL_VERSION_CODE(5, 14, 0);
	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
	forget_btf(&kernel);
	kernel.version = KERNEL_VERSION_CODE(6, 2, 255);
	expect_ruled_out(PROBE_TRACEPOINT, &kernel, "sock_send_length");
	kernel.version = KERNEL_VERSION_CODE(6, 3, 0);
	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
}

/*
 * A front needs a program that is not run again on a CPU on which it runs, which 5.11 does, and 5.10 with real-time patches; and
 * memory for it that is to be had.
 */
static void test_fronts(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct plan plan;

	(void)state;
	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
	assert_int_equal(plan.fronts, 2);
	kernel = kernel_6_1();
	kernel.preemptible = true;
	plan_well(&plan, PROBE_KPROBE, &kernel);
	assert_int_equal(plan.fronts, FRONTS_MAX);
	plan_well(&plan, PROBE_FENTRY, &kernel);
	assert_int_equal(plan.fronts, FRONTS_MAX);
	kernel.version = KERNEL_VERSION_CODE(5, 11, 22);
	plan_well(&plan, PROBE_FENTRY, &kernel);
	assert_int_equal(plan.fronts, 0);
	kernel.preemptible = false;
	plan_well(&plan, PROBE_FENTRY, &kernel);
	assert_int_equal(plan.fronts, FRONTS_MAX);
	kernel.preemptible = true;
	kernel.version = KERNEL_VERSION_CODE(5, 10, 200);
	plan_well(&plan, PROBE_FENTRY, &kernel);
	assert_int_equal(plan.fronts, 0);
	plan_well(&plan, PROBE_KPROBE, &kernel);
	assert_int_equal(plan.fronts, FRONTS_MAX);
	kernel.cpus = 8;
	plan_well(&plan, PROBE_KPROBE, &kernel);
	assert_int_equal(plan.fronts, 0);
	kernel.version = KERNEL_VERSION_CODE(5, 15, 0);
	kernel.cpus = 512;
	plan_well(&plan, PROBE_KPROBE, &kernel);
	assert_int_equal(plan.fronts, FRONTS_MAX);
	kernel.cpus = 0;
	plan_well(&plan, PROBE_KPROBE, &kernel);
	assert_int_equal(plan.fronts, 0);
}

static void test_fentry_6_1(void **state)
{
	struct kernel kernel = kernel_6_1();
	struct plan plan;

	(void)state;
	plan_well(&plan, PROBE_FENTRY, &kernel);
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
	plan_well(&plan, PROBE_FENTRY, &kernel);
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
		expect_ruled_out(PROBE_FENTRY, &kernel, "BTF does not know inet_sendmsg");
	}
	forget_btf(&kernel);
	expect_ruled_out(PROBE_FENTRY, &kernel, "no BTF");
}

static void test_kprobe_6_1(void **state)
{
	struct kernel kernel = kernel_6_1();
	struct plan plan;

	(void)state;
	plan_well(&plan, PROBE_KPROBE, &kernel);
	assert_false(plan.direct);
	EXPECT_PROBES(&plan, KPROBES(SYMBOL_INET_SENDMSG, "inet_sendmsg"),
	    KPROBES(SYMBOL_INET6_SENDMSG, "inet6_sendmsg"), KPROBES(SYMBOL_INET_RECVMSG, "inet_recvmsg"),
	    KPROBES(SYMBOL_INET6_RECVMSG, "inet6_recvmsg"), KPROBES(SYMBOL_INET_SENDPAGE, "inet_sendpage"),
	    KPROBES(SYMBOL_TCP_SPLICE_READ, "tcp_splice_read"),
	    KPROBES(SYMBOL_TCP_ZEROCOPY_RECEIVE, "tcp_zerocopy_receive"), THREADS(HOOK_RAW_TRACEPOINT));
}

/* Where others lose runs, calls beyond the instances for returns must not be lost instead. */
static void test_kprobe_standby(void **state)
{
	struct kernel kernel = kernel_6_1();
	struct plan plan;

	(void)state;
	kernel.preemptible = true;
	plan_well(&plan, PROBE_KPROBE, &kernel);
	EXPECT_PROBES(&plan, STANDBY(SYMBOL_INET_SENDMSG, "inet_sendmsg"),
	    STANDBY(SYMBOL_INET6_SENDMSG, "inet6_sendmsg"), STANDBY(SYMBOL_INET_RECVMSG, "inet_recvmsg"),
	    STANDBY(SYMBOL_INET6_RECVMSG, "inet6_recvmsg"), STANDBY(SYMBOL_INET_SENDPAGE, "inet_sendpage"),
	    STANDBY(SYMBOL_TCP_SPLICE_READ, "tcp_splice_read"),
	    STANDBY(SYMBOL_TCP_ZEROCOPY_RECEIVE, "tcp_zerocopy_receive"), THREADS(HOOK_RAW_TRACEPOINT));
	assert_int_equal(plan_skips(&plan), SKIPS_MAP_CALLS);
	const struct hook *standby = &plan.hooks[0], *entry = &plan.hooks[1], *back = &plan.hooks[2];

	/* it may be missing; it is of no use alone */
	assert_false(plan_requires(&plan, standby));
	assert_true(plan_requires(&plan, entry) && plan_requires(&plan, back));
	assert_false(plan_falls_with(&plan, entry, standby) || plan_falls_with(&plan, back, standby));
	assert_true(plan_falls_with(&plan, standby, entry) && plan_falls_with(&plan, standby, standby));
	assert_true(plan_falls_with(&plan, entry, back) && plan_falls_with(&plan, back, entry));
	assert_false(plan_falls_with(&plan, &plan.hooks[3], entry));

	plan_without(&plan, FEXIT_BIT, PROBE_KPROBE, &kernel);
	assert_int_equal(plan_skips(&plan), SKIPS_MAP_CALLS | SKIPS_WAITING);
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
	plan_well(&plan, PROBE_KPROBE, &kernel);
	EXPECT_PROBES(&plan, KPROBES(SYMBOL_INET_SENDMSG, "inet_sendmsg"),
	    KPROBES(SYMBOL_INET_RECVMSG, "inet_recvmsg"), KPROBES(SYMBOL_INET6_RECVMSG, "inet6_recvmsg"),
	    KPROBES(SYMBOL_TCP_SPLICE_READ, "tcp_splice_read"),
	    KPROBES(SYMBOL_TCP_ZEROCOPY_RECEIVE, "tcp_zerocopy_receive"), THREADS(HOOK_RAW_TRACEPOINT));

	/* without BTF all are tried */
	forget_btf(&kernel);
	plan_well(&plan, PROBE_KPROBE, &kernel);
	assert_int_equal(plan.hook_count, 2 * socket_call_count + 2); /* those of threads */
}

static void test_no_kprobes(void **state)
{
	struct kernel kernel = kernel_6_18();

	(void)state;
	expect_ruled_out(PROBE_KPROBE, &kernel, "no kprobes");
	forget_btf(&kernel);
	expect_ruled_out(PROBE_KPROBE, &kernel, "no kprobes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tracepoint_typed),
		cmocka_unit_test(test_tracepoint_perf),
		cmocka_unit_test(test_casts),
		cmocka_unit_test(test_tracepoint_without_splice),
		cmocka_unit_test(test_unknown_processor),
		cmocka_unit_test(test_lacking_fields),
		cmocka_unit_test(test_tracepoint_raw),
		cmocka_unit_test(test_tracepoint_old_kernels),
		cmocka_unit_test(test_fronts),
		cmocka_unit_test(test_fentry_6_1),
		cmocka_unit_test(test_fentry_6_18),
		cmocka_unit_test(test_fentry_ruled_out),
		cmocka_unit_test(test_kprobe_6_1),
		cmocka_unit_test(test_kprobe_standby),
		cmocka_unit_test(test_kprobe_with_less),
		cmocka_unit_test(test_no_kprobes),
	};

	return cmocka_run_group_tests_name("method", tests, NULL, NULL);
}
