/* SPDX-License-Identifier: Apache-2.0 */
/* Plans on kernels that refuse kinds of hook. */
#ifndef TCPTOP_PLANNING_H
#define TCPTOP_PLANNING_H

#include <errno.h>

#include "kernel/method.h"

/* Kinds of hook that do not work: bits. */
static unsigned refused;
static size_t trials;

static inline int try_hook(const struct hook *hook, const struct kernel *kernel)
{
	(void)kernel;
	trials++;
	return refused & (1U << hook->kind) ? -EPERM : 0;
}

#define CAST_BIT (1U << HOOK_KIND_COUNT)

static inline int try_cast(enum hook_kind kind, const struct kernel *kernel)
{
	(void)kind, (void)kernel;
	return refused & CAST_BIT ? -ENOTSUP : 0;
}

static const struct method_trial trial = { .attach = try_hook, .cast = try_cast };

#define TYPED (1U << HOOK_TYPED_TRACEPOINT)
#define RAW (1U << HOOK_RAW_TRACEPOINT)
#define PERF (1U << HOOK_PERF_TRACEPOINT)
#define FEXIT_BIT (1U << HOOK_FEXIT)
#define KPROBE (1U << HOOK_KPROBE)
#define FUNCTIONS (FEXIT_BIT | KPROBE)

/* In a kernel that refuses hooks of the kinds `without`. */
static inline void plan_without(
    struct plan *plan, unsigned without, enum probe_method method, const struct kernel *kernel)
{
	struct planner planner = { .kernel = kernel, .trial = &trial };

	refused = without;
	if (!method_plan(plan, method_find(method), &planner))
		fail_msg("%s is ruled out: %s", probe_method_name(method), planner.why);
	assert_int_equal(plan->method, method);
}

static inline void plan_well(struct plan *plan, enum probe_method method, const struct kernel *kernel)
{
	plan_without(plan, 0, method, kernel);
}

#endif
