/* SPDX-License-Identifier: Apache-2.0 */
/* The choice of method, and what the chosen plan does not count. */
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
#include "planning.h"
#include "recorded_kernels.h"

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

/* A trial loads and attaches a program: what one method has found out, the next does not ask again. */
static void test_choice_tries_once(void **state)
{
	struct kernel kernel = kernel_6_1();
	struct method_refusal refusal;
	struct plan plan;

	(void)state;
	kernel.preemptible = true;
	/* fentry works, but loses runs; kprobe takes programs on returns to stand by */
	assert_int_equal(choose(&plan, 0, PROBE_AUTO, &kernel, &refusal), 0);
	assert_int_equal(plan.hooks[0].kind, HOOK_FEXIT);
	assert_int_equal(trials, 2);
	/* refused is refused: fentry is ruled out, and nothing stands by */
	assert_int_equal(choose(&plan, FEXIT_BIT, PROBE_AUTO, &kernel, &refusal), 0);
	assert_int_equal(plan.hooks[0].kind, HOOK_KPROBE);
	assert_int_equal(trials, 2);
	assert_non_null(strstr(refusal.why, "fentry: the kernel refuses it: "));
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

static bool declares(const struct plan *plan, const char *id)
{
	const struct blind_spot *spots[NOT_COUNTED_MAX];
	size_t found = plan_blind_spots(spots, plan);

	while (found && strcmp(spots[found - 1]->id, id) != 0)
		found--;
	return found > 0;
}

#define EXPECT_SPOTS(plan, ...)                                         \
	do {                                                            \
		static const char *const expected_[] = { __VA_ARGS__ }; \
		expect_spots(plan, expected_, COUNT_OF(expected_));     \
	} while (0)

#define ZEROCOPY_URING "zerocopy_receive_io_uring" /* 6.15 */

static void test_blind_spots(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct plan plan;

	(void)state;
	plan_without(&plan, FUNCTIONS, PROBE_TRACEPOINT, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "splice_io_uring", "splice_unfollowed", ZEROCOPY_URING);
	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "splice_before_start", ZEROCOPY_URING);
	plan_without(&plan, TYPED | FUNCTIONS, PROBE_TRACEPOINT, &kernel);
	EXPECT_SPOTS(
	    &plan, "splice_out", "zerocopy_receive", "splice_tls", "splice_io_uring", ZEROCOPY_URING);

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
	EXPECT_SPOTS(
	    &plan, "splice_out", "zerocopy_receive", "splice_tls", "splice_io_uring", ZEROCOPY_URING);
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
	EXPECT_SPOTS(&plan, "splice_tls", "splice_io_uring", "splice_unfollowed", ZEROCOPY_URING);
	kernel.tracepoints_preemptible = true;
	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "splice_before_start", ZEROCOPY_URING, BLIND_SPOT_PREEMPTED);
	plan_without(&plan, FEXIT_BIT, PROBE_TRACEPOINT, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "splice_before_start", ZEROCOPY_URING, "many_waiting_calls",
	    BLIND_SPOT_PREEMPTED);
	kernel = kernel_6_1();
	kernel.preemptible = true;
	plan_well(&plan, PROBE_FENTRY, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "call_before_start", BLIND_SPOT_PREEMPTED);
	plan_well(&plan, PROBE_KPROBE, &kernel);
	EXPECT_SPOTS(&plan, "splice_tls", "call_before_start", BLIND_SPOT_PREEMPTED);
}

/* What no method sees is declared by each, and only where the kernel can have it. */
static void test_blind_spots_of_all(void **state)
{
	static const struct {
		unsigned way;
		const char *id;
	} cases[] = {
		{ WAY_RECEIVE_IO_URING, "zerocopy_receive_io_uring" },
		{ WAY_SPLICE_MPTCP, "splice_mptcp" },
		{ WAY_READERS, "kernel_readers" },
		{ WAY_SENDERS, "kernel_senders" },
		{ WAY_LINKS_MPTCP, "mptcp_links" },
	};
	struct kernel kernel = kernel_6_18();
	struct plan plan;

	(void)state;
	kernel.kprobe_pmu_type = 6;
	for (size_t i = 0; i < method_count; i++)
		for (size_t j = 0; j < COUNT_OF(cases); j++) {
			kernel.ways = 0;
			plan_without(&plan, 0, methods[i]->id, &kernel);
			assert_false(declares(&plan, cases[j].id));
			kernel.ways = cases[j].way;
			plan_without(&plan, 0, methods[i]->id, &kernel);
			assert_true(declares(&plan, cases[j].id));
		}
}

/* Of kprobes alone. */
static void test_blind_spot_busy(void **state)
{
	struct kernel kernel = kernel_6_1();
	struct plan plan;

	(void)state;
	kernel.kretprobes_collide = true;
	plan_well(&plan, PROBE_FENTRY, &kernel);
	assert_false(declares(&plan, BLIND_SPOT_BUSY));
	plan_well(&plan, PROBE_KPROBE, &kernel);
	assert_true(declares(&plan, BLIND_SPOT_BUSY));
}

/* MPTCP's splice is counted where its function is hooked; nobody follows its position. */
static void test_blind_spot_mptcp(void **state)
{
	struct kernel kernel = kernel_6_18();
	struct plan plan;

	(void)state;
	kernel.kprobe_pmu_type = 6;
	kernel.ways = WAY_SPLICE_MPTCP;
	kernel.prototypes[SYMBOL_MPTCP_SPLICE_READ] = kernel.prototypes[SYMBOL_TCP_SPLICE_READ];
	for (size_t i = 0; i < method_count; i++) {
		plan_without(&plan, 0, methods[i]->id, &kernel);
		assert_true(plan_has(&plan, SYMBOL_MPTCP_SPLICE_READ));
		assert_false(declares(&plan, "splice_mptcp"));
	}
	plan_without(&plan, FUNCTIONS, PROBE_TRACEPOINT, &kernel);
	assert_true(plan_has(&plan, SYMBOL_TCP_RCV_SPACE_ADJUST));
	assert_true(declares(&plan, "splice_mptcp"));
}

/* As many as one kernel could have to declare. */
static void test_blind_spots_fit(void **state)
{
	const struct blind_spot *spots[NOT_COUNTED_MAX];

	(void)state;
	for (size_t i = 0; i < method_count; i++) {
		const struct plan nothing_hooked = {
			.method = methods[i]->id, .preemptible = true, .ways = ~0U
		};
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
		cmocka_unit_test(test_choice_order),
		cmocka_unit_test(test_choice_when_preemptible),
		cmocka_unit_test(test_choice_tries_once),
		cmocka_unit_test(test_choice_of_one),
		cmocka_unit_test(test_blind_spots),
		cmocka_unit_test(test_blind_spots_after_attaching),
		cmocka_unit_test(test_blind_spots_when_preemptible),
		cmocka_unit_test(test_blind_spots_of_all),
		cmocka_unit_test(test_blind_spot_busy),
		cmocka_unit_test(test_blind_spot_mptcp),
		cmocka_unit_test(test_blind_spots_fit),
	};

	return cmocka_run_group_tests_name("method choice", tests, NULL, NULL);
}
