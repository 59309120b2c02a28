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

/* Kinds of hook that do not work: bits. */
static unsigned refused;
static size_t trials;

static int try_hook(const struct hook *hook, const struct kernel *kernel)
{
	(void)kernel;
	trials++;
	return refused & (1U << hook->kind) ? -EPERM : 0;
}

static const struct method_trial trial = { .attach = try_hook };

#define TYPED (1U << HOOK_TYPED_TRACEPOINT)
#define RAW (1U << HOOK_RAW_TRACEPOINT)
#define PERF (1U << HOOK_PERF_TRACEPOINT)
#define FEXIT_BIT (1U << HOOK_FEXIT)
#define KPROBE (1U << HOOK_KPROBE)
#define FUNCTIONS (FEXIT_BIT | KPROBE)

/* In a kernel that refuses hooks of the kinds `without`. */
static void plan_without(
    struct plan *plan, unsigned without, enum probe_method method, const struct kernel *kernel)
{
	struct planner planner = { .kernel = kernel, .trial = &trial };

	refused = without;
	if (!method_plan(plan, method_find(method), &planner))
		fail_msg("%s is ruled out: %s", probe_method_name(method), planner.why);
	assert_int_equal(plan->method, method);
}

static void plan_well(struct plan *plan, enum probe_method method, const struct kernel *kernel)
{
	plan_without(plan, 0, method, kernel);
}

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

	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
	assert_true(plan.direct);
	EXPECT_PROBES(&plan, SEND(HOOK_TYPED_TRACEPOINT), RECEIVE(HOOK_TYPED_TRACEPOINT),
	    FEXIT(SYMBOL_TCP_SPLICE_READ, "tcp_splice_read"),
	    FEXIT(SYMBOL_TCP_ZEROCOPY_RECEIVE, "tcp_zerocopy_receive"));
	assert_int_equal(plan_skips(&plan), 0);

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
	    STANDBY(SYMBOL_TCP_ZEROCOPY_RECEIVE, "tcp_zerocopy_receive"), THREAD_EXIT);
	assert_int_equal(plan_skips(&plan), SKIPS_MAP_CALLS);

	plan_without(&plan, FEXIT_BIT, PROBE_TRACEPOINT, &kernel);
	EXPECT_PROBES(&plan, SEND(HOOK_PERF_TRACEPOINT), RECEIVE(HOOK_PERF_TRACEPOINT),
	    KPROBES(SYMBOL_TCP_SPLICE_READ, "tcp_splice_read"),
	    KPROBES(SYMBOL_TCP_ZEROCOPY_RECEIVE, "tcp_zerocopy_receive"), THREAD_EXIT);
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

/* None is of use without the others. */
static void test_tracepoint_without_splice(void **state)
{
	static const enum kernel_symbol needed[] = { SYMBOL_TCP_RCV_SPACE_ADJUST, SYMBOL_INET_SOCK_SET_STATE,
		SYMBOL_BPF_ITER_TASK_FILE };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(needed); i++) {
		struct kernel kernel = kernel_6_18();
		struct plan plan;

		forget(&kernel, needed[i]);
		plan_without(&plan, FUNCTIONS, PROBE_TRACEPOINT, &kernel);
		EXPECT_PROBES(&plan, SEND(HOOK_TYPED_TRACEPOINT), RECEIVE(HOOK_TYPED_TRACEPOINT));
	}
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
	    KPROBES(SYMBOL_TLS_SW_SPLICE_READ, "tls_sw_splice_read"), THREAD_EXIT);
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
	    KPROBES(SYMBOL_TCP_ZEROCOPY_RECEIVE, "tcp_zerocopy_receive"), THREAD_EXIT);
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
	    STANDBY(SYMBOL_TCP_ZEROCOPY_RECEIVE, "tcp_zerocopy_receive"), THREAD_EXIT);
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
	    KPROBES(SYMBOL_TCP_ZEROCOPY_RECEIVE, "tcp_zerocopy_receive"), THREAD_EXIT);

	/* without BTF all are tried */
	forget_btf(&kernel);
	plan_well(&plan, PROBE_KPROBE, &kernel);
	assert_int_equal(plan.hook_count, 2 * socket_call_count + 1);
}

static void test_no_kprobes(void **state)
{
	struct kernel kernel = kernel_6_18();

	(void)state;
	expect_ruled_out(PROBE_KPROBE, &kernel, "no kprobes");
	forget_btf(&kernel);
	expect_ruled_out(PROBE_KPROBE, &kernel, "no kprobes");
}

/* ---- the choice ---- */

static int choose(struct plan *plan, unsigned without, enum probe_method wanted, const struct kernel *kernel,
    struct method_refusal *refusal)
{
	trials = 0;
	refused = without;
	return method_choose(plan, wanted, kernel, &trial, refusal);
}

static void test_choice_order(void **state)
{
	/* what auto takes where these kinds do not work */
	static const struct {
		unsigned without;
		enum probe_method method;
		enum hook_kind kind;
	} cases[] = {
		{ 0, PROBE_TRACEPOINT, HOOK_TYPED_TRACEPOINT },
		{ TYPED, PROBE_TRACEPOINT, HOOK_RAW_TRACEPOINT },
		{ TYPED | RAW, PROBE_FENTRY, HOOK_FEXIT },
		{ TYPED | RAW | FEXIT_BIT, PROBE_KPROBE, HOOK_KPROBE },
	};
	struct kernel kernel = kernel_6_18();
	struct method_refusal refusal;
	struct plan plan;

	(void)state;
	kernel.kprobe_pmu_type = 6;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(choose(&plan, cases[i].without, PROBE_AUTO, &kernel, &refusal), 0);
		assert_int_equal(plan.method, cases[i].method);
		assert_int_equal(plan.hooks[0].kind, cases[i].kind);
	}
	assert_int_equal(choose(&plan, TYPED | RAW | FUNCTIONS, PROBE_AUTO, &kernel, &refusal), -ENOTSUP);
	assert_int_equal(refusal.err_count, 3);
	assert_int_equal(refusal.errs[2], -EPERM);
	assert_non_null(strstr(refusal.why, "tracepoint: the kernel refuses it: "));
	assert_non_null(strstr(refusal.why, "; fentry: the kernel refuses it: "));
}

/* Where tasks are preempted in the kernel, auto takes what loses nothing, if there is such a method. */
static void test_choice_when_preemptible(void **state)
{
	static const struct {
		bool tracepoints; /* they can be preempted: 7.0 and later */
		unsigned without;
		enum probe_method method;
		enum hook_kind kind;
	} cases[] = {
		{ false, 0, PROBE_TRACEPOINT, HOOK_TYPED_TRACEPOINT },
		{ true, 0, PROBE_TRACEPOINT, HOOK_PERF_TRACEPOINT },
		{ true, PERF, PROBE_KPROBE, HOOK_FEXIT }, /* which stands by */
		{ true, PERF | FEXIT_BIT, PROBE_KPROBE, HOOK_KPROBE },
		{ true, PERF | KPROBE, PROBE_TRACEPOINT,
		    HOOK_TYPED_TRACEPOINT }, /* the first of those that lose */
		{ false, TYPED | RAW, PROBE_KPROBE, HOOK_FEXIT },
		{ false, TYPED | RAW | KPROBE, PROBE_FENTRY, HOOK_FEXIT },
	};
	struct method_refusal refusal;
	struct plan plan;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct kernel kernel = kernel_6_18();

		kernel.kprobe_pmu_type = 6;
		kernel.preemptible = true;
		kernel.tracepoints_preemptible = cases[i].tracepoints;
		assert_int_equal(choose(&plan, cases[i].without, PROBE_AUTO, &kernel, &refusal), 0);
		assert_int_equal(plan.method, cases[i].method);
		assert_int_equal(plan.hooks[0].kind, cases[i].kind);
	}
	struct kernel kernel = kernel_6_1();

	kernel.preemptible = true;
	assert_int_equal(choose(&plan, 0, PROBE_AUTO, &kernel, &refusal), 0);
	assert_int_equal(plan.method, PROBE_KPROBE);
	assert_int_equal(choose(&plan, 0, PROBE_FENTRY, &kernel, &refusal), 0);
	assert_int_equal(plan.method, PROBE_FENTRY);
}

static void test_choice_of_one(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct method_refusal refusal;
	struct plan plan;

	(void)state;
	assert_int_equal(choose(&plan, 0, PROBE_FENTRY, &kernel, &refusal), 0);
	assert_int_equal(plan.method, PROBE_FENTRY);
	/* no other takes the place of the one that was asked for */
	assert_int_equal(choose(&plan, FEXIT_BIT, PROBE_FENTRY, &kernel, &refusal), -ENOTSUP);
	assert_int_equal(trials, 1);
	/* nothing is tried: the facts decide */
	trials = 0;
	assert_int_equal(method_choose(&plan, PROBE_FENTRY, &kernel, NULL, &refusal), 0);
	assert_int_equal(trials, 0);
	forget_btf(&kernel);
	assert_int_equal(method_choose(&plan, PROBE_FENTRY, &kernel, NULL, &refusal), -ENOTSUP);
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
	plan_without(&plan, FUNCTIONS, PROBE_TRACEPOINT, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "splice_io_uring", "splice_unfollowed");
	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "splice_before_start");
	plan_without(&plan, TYPED | FUNCTIONS, PROBE_TRACEPOINT, &kernel);
	EXPECT_SPOTS(&plan, "splice_out", "zerocopy_receive", "splice_tls", "splice_io_uring");

	kernel = kernel_6_1();
	plan_well(&plan, PROBE_FENTRY, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "call_before_start");
	plan_well(&plan, PROBE_KPROBE, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "call_before_start", "many_waiting_calls");
	forget(&kernel, SYMBOL_TCP_SPLICE_READ);
	plan_well(&plan, PROBE_FENTRY, &kernel);
	EXPECT_SPOTS(&plan, "splice_out", "splice_tls", "call_before_start");
	forget(&kernel, SYMBOL_TCP_ZEROCOPY_RECEIVE);
	plan_well(&plan, PROBE_KPROBE, &kernel);
	EXPECT_SPOTS(
	    &plan, "splice_out", "zerocopy_receive", "splice_tls", "call_before_start", "many_waiting_calls");
}

/* What could not be attached has left the plan (loader): then it is declared. */
static void test_blind_spots_after_attaching(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct plan plan;

	(void)state;
	plan_without(&plan, FUNCTIONS, PROBE_TRACEPOINT, &kernel);
	plan.hook_count = 2;
	assert_false(plan_has(&plan, SYMBOL_TCP_RCV_SPACE_ADJUST));
	EXPECT_SPOTS(&plan, "splice_out", "zerocopy_receive", "splice_tls", "splice_io_uring");
}

/* Where runs are skipped. */
static void test_blind_spots_when_preemptible(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct plan plan;

	(void)state;
	kernel.preemptible = true;
	kernel.kprobe_pmu_type = 6;
	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
	assert_true(plan.preemptible);
	EXPECT_SPOTS(&plan, "splice_tls", "splice_io_uring", "splice_unfollowed");
	kernel.tracepoints_preemptible = true;
	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "splice_before_start", BLIND_SPOT_PREEMPTED);
	plan_without(&plan, FEXIT_BIT, PROBE_TRACEPOINT, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "splice_before_start", "many_waiting_calls", BLIND_SPOT_PREEMPTED);
	kernel = kernel_6_1();
	kernel.preemptible = true;
	plan_well(&plan, PROBE_FENTRY, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "call_before_start", BLIND_SPOT_PREEMPTED);
	plan_well(&plan, PROBE_KPROBE, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "call_before_start", BLIND_SPOT_PREEMPTED);
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
		cmocka_unit_test(test_tracepoint_perf),
		cmocka_unit_test(test_tracepoint_without_splice),
		cmocka_unit_test(test_tracepoint_raw),
		cmocka_unit_test(test_tracepoint_old_kernels),
		cmocka_unit_test(test_fentry_6_1),
		cmocka_unit_test(test_fentry_6_18),
		cmocka_unit_test(test_fentry_ruled_out),
		cmocka_unit_test(test_kprobe_6_1),
		cmocka_unit_test(test_kprobe_standby),
		cmocka_unit_test(test_kprobe_with_less),
		cmocka_unit_test(test_no_kprobes),
		cmocka_unit_test(test_choice_order),
		cmocka_unit_test(test_choice_when_preemptible),
		cmocka_unit_test(test_choice_of_one),
		cmocka_unit_test(test_blind_spots),
		cmocka_unit_test(test_blind_spots_after_attaching),
		cmocka_unit_test(test_blind_spots_when_preemptible),
		cmocka_unit_test(test_blind_spots_fit),
	};

	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
