/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry and return of the socket interface's functions by kprobe and kretprobe: for kernels without BTF, and where
 * others lose runs.
 */
#include "base/util.h"
#include "kernel/method.h"
#include "kernel/socket_calls.h"
#include "model/session.h"

static bool plan_kprobe(struct plan *plan, struct planner *planner)
{
	if (planner->kernel->kprobe_pmu_type < 0)
		return planner_rule_out(planner, "this kernel has no kprobes (CONFIG_KPROBES)");
	if (!planner->kernel->processor)
		return planner_rule_out(planner, "not supported on this processor");
	if (!planner_knows(planner, NEED_CALLS))
		return false;
	if (!planner_works(planner, HOOK_KPROBE, SYMBOL_INET_SENDMSG))
		return false;
	plan->needs |= planner_casts(planner, HOOK_KPROBE);
	plan->fronts = method_fronts(planner->kernel, FRONTS_MAX);
	socket_calls_plan_kprobes(plan, planner, SOCKET_CALLS_ALL);
	return true;
}

/* clang-format off */
static const struct blind_spot blind_spots[] = {
	SOCKET_CALL_BLIND_SPOTS
	COMMON_BLIND_SPOTS
	{ "many_waiting_calls",
	    "a kprobe sees only so many of the calls return that wait at once: missed_runs counts the others",
	    UNLESS_NOTHING, SYMBOL_COUNT, SKIPS_WAITING, 0 },
	{ BLIND_SPOT_BUSY,
	    "before Linux 6.1 a kprobe misses calls that return while another processor's do: missed_runs counts them",
	    UNLESS_NOTHING, SYMBOL_COUNT, SKIPS_COLLIDING, 0 },
	{ BLIND_SPOT_PREEMPTED, "kprobe on a preemptible kernel: losses possible, before 6.7 without a word",
	    UNLESS_NOTHING, SYMBOL_COUNT, SKIPS_MAP_CALLS, 0 },
};
/* clang-format on */
_Static_assert(COUNT_OF(blind_spots) <= NOT_COUNTED_MAX, "plan_blind_spots has room for all");

const struct method method_kprobe = {
	.id = PROBE_KPROBE,
	.name = "kprobe",
	.plan = plan_kprobe,
	.print = socket_calls_print,
	.requires = socket_call_required,
	.blind_spots = blind_spots,
	.blind_spot_count = COUNT_OF(blind_spots),
};
