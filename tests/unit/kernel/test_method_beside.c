/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan has beside the counting. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/util.h"
#include "kernel/kernel.h"
#include "kernel/method.h"
#include "planning.h"
#include "recorded_kernels.h"

/* Beside every method, by one kind of hook; it falls alone, and what it misses is no missed run. */
static void test_noted_beside(void **state)
{
	static const enum probe_method all[] = { PROBE_TRACEPOINT, PROBE_FENTRY, PROBE_KPROBE };
	struct kernel kernel = kernel_6_18();
	struct plan plan;

	(void)state;
	kernel.kprobe_pmu_type = 6;
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		plan_well(&plan, all[i], &kernel);
		plan.preemptible = plan.tracepoints_preemptible = true;
		size_t count = plan.hook_count;
		unsigned skips = plan_skips(&plan);

		assert_false(plan_has_duty(&plan, DUTY_NOTE_CGROUPS));
		plan_add_cgroups(&plan, &kernel);
		assert_true(plan_has_duty(&plan, DUTY_NOTE_CGROUPS));
		assert_int_equal(plan.hook_count, count + 1);
		const struct hook *hook = &plan.hooks[count];

		assert_int_equal(hook->kind, HOOK_RAW_TRACEPOINT);
		assert_string_equal(hook->function, "cgroups_mkdir");
		assert_int_equal(plan_skips(&plan), skips);
		assert_false(plan_requires(&plan, hook));
		for (size_t j = 0; j <= count; j++) {
			assert_int_equal(plan_falls_with(&plan, &plan.hooks[j], hook), j == count);
			assert_int_equal(plan_falls_with(&plan, hook, &plan.hooks[j]), j == count);
		}
	}
	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
	kernel.offsets[FIELD_KERNFS_NODE_ID] = -1;
	plan_add_cgroups(&plan, &kernel);
	assert_false(plan_has_duty(&plan, DUTY_NOTE_CGROUPS));
}

/* Beside every method, by typed programs; the iterator of sockets may be missing, the others fall together. */
static void test_sockets_beside(void **state)
{
	static const enum probe_method all[] = { PROBE_TRACEPOINT, PROBE_FENTRY, PROBE_KPROBE };
	struct kernel kernel = kernel_6_18();
	struct plan plan;

	(void)state;
	kernel.kprobe_pmu_type = 6;
	for (size_t i = 0; i < 2 * COUNT_OF(all); i++) {
		bool iterates = i < COUNT_OF(all);

		if (!iterates)
			forget(&kernel, SYMBOL_BPF_ITER_SOCKETS);
		plan_well(&plan, all[i % COUNT_OF(all)], &kernel);
		struct plan counting = plan;
		size_t count = plan.hook_count;

		assert_false(plan_has_duty(&plan, DUTY_TELL_SOCKETS));
		plan_add_sockets(&plan, &kernel);
		assert_true(plan_has_duty(&plan, DUTY_TELL_SOCKETS));
		assert_true(plan.needs & NEED_SOCKETS);
		assert_int_equal(plan_skips(&plan), plan_skips(&counting));
		assert_int_equal(plan.hook_count, count + (iterates ? 3 : 2));
		assert_string_equal(plan.hooks[count].function, "sockets_set_state");
		assert_int_equal(plan.hooks[count].kind, HOOK_TYPED_TRACEPOINT);
		assert_string_equal(plan.hooks[count + 1].function, "sockets_walk");
		assert_int_equal(plan.hooks[count + 1].kind, HOOK_ITERATOR);
		if (iterates)
			assert_string_equal(plan.hooks[count + 2].function, "sockets_pass");
		for (size_t lost = 0; lost < plan.hook_count; lost++) {
			assert_int_equal(plan_requires(&plan, &plan.hooks[lost]),
			    lost < count && plan_requires(&counting, &counting.hooks[lost]));
			for (size_t j = count; j < plan.hook_count; j++)
				assert_int_equal(plan_falls_with(&plan, &plan.hooks[j], &plan.hooks[lost]),
				    j == lost || lost == count || lost == count + 1);
			for (size_t j = 0; j < count && lost >= count; j++)
				assert_false(plan_falls_with(&plan, &plan.hooks[j], &plan.hooks[lost]));
		}
	}
}

/* Without one of what it needs, none of it is there. */
static void test_no_sockets_beside(void **state)
{
	static const enum kernel_symbol needed[] = { SYMBOL_INET_SOCK_SET_STATE, SYMBOL_BPF_ITER_TASK_FILE };
	struct kernel kernel;
	struct plan plan;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(needed); i++) {
		kernel = kernel_6_18();
		plan_well(&plan, PROBE_TRACEPOINT, &kernel);
		forget(&kernel, needed[i]);
		plan_add_sockets(&plan, &kernel);
		assert_false(plan_has_duty(&plan, DUTY_TELL_SOCKETS));
	}
	for (int field = 0; field < FIELD_COUNT; field++) {
		kernel = kernel_6_18();
		kernel.offsets[field] = -1;
		plan = (struct plan){ 0 };
		plan_add_sockets(&plan, &kernel);
		assert_int_equal(
		    plan_has_duty(&plan, DUTY_TELL_SOCKETS), !(kernel_field_needs(field) & NEED_SOCKETS));
	}
	kernel = kernel_6_18();
	forget_btf(&kernel);
	plan_well(&plan, PROBE_TRACEPOINT, &kernel);
	plan_add_sockets(&plan, &kernel);
	assert_false(plan_has_duty(&plan, DUTY_TELL_SOCKETS));
}

/* The same for what notes connections; why a reset was sent need not be known. */
static void test_lives_beside(void **state)
{
	struct kernel kernel = kernel_6_18();

	(void)state;
	for (int resets = 1; resets >= 0; resets--) {
		struct plan plan;

		if (!resets)
			forget(&kernel, SYMBOL_TCP_SEND_RESET);
		plan_well(&plan, PROBE_TRACEPOINT, &kernel);
		size_t count = plan.hook_count;

		plan_add_lives(&plan, &kernel);
		assert_true(plan_has_duty(&plan, DUTY_NOTE_LIVES));
		assert_true(plan.needs & NEED_LIVES);
		assert_int_equal(plan.hook_count, count + 2 + (size_t)resets);
		assert_string_equal(plan.hooks[count].function, "lives_set_state");
		assert_int_equal(plan.hooks[count].kind, HOOK_TYPED_TRACEPOINT);
		assert_string_equal(plan.hooks[count + 1].function, "lives_walk");
		assert_int_equal(plan.hooks[count + 1].kind, HOOK_ITERATOR);
		if (resets)
			assert_string_equal(plan.hooks[count + 2].function, "lives_send_reset");
		for (size_t i = 0; i < plan.hook_count; i++) {
			const struct hook *hook = &plan.hooks[i];

			assert_int_equal(duty_is_late(hook->duty), i >= count);
			assert_int_equal(plan_falls_with(&plan, hook, &plan.hooks[count]), i >= count);
			assert_int_equal(plan_falls_with(&plan, hook, &plan.hooks[count + 1]), i >= count);
			if (resets)
				assert_int_equal(
				    plan_falls_with(&plan, hook, &plan.hooks[count + 2]), i == count + 2);
		}
	}
	for (int field = 0; field < FIELD_COUNT; field++) {
		struct plan plan = { 0 };

		kernel = kernel_6_18();
		kernel.offsets[field] = -1;
		plan_add_lives(&plan, &kernel);
		assert_int_equal(
		    plan_has_duty(&plan, DUTY_NOTE_LIVES), !(kernel_field_needs(field) & NEED_LIVES));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_noted_beside),
		cmocka_unit_test(test_sockets_beside),
		cmocka_unit_test(test_no_sockets_beside),
		cmocka_unit_test(test_lives_beside),
	};

	return cmocka_run_group_tests_name("method beside", tests, NULL, NULL);
}
