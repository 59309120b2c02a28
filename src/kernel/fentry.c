/* SPDX-License-Identifier: Apache-2.0 */
/* Programs on the return of the socket interface's functions, with prototypes from BTF (fexit). */
#include "base/util.h"
#include "kernel/method.h"
#include "kernel/socket_calls.h"
#include "model/session.h"

/* Linux 5.11, and 5.10 with real-time patches, run a program on a CPU where another task is preempted in it. */
static bool runs_interleave(const struct kernel *kernel)
{
	return kernel->preemptible && kernel->version < KERNEL_VERSION_CODE(5, 12, 0);
}

static bool plan_fentry(struct plan *plan, struct planner *planner)
{
	const struct kernel *kernel = planner->kernel;

	plan->direct = true;
	plan->fronts = runs_interleave(kernel) ? 0 : method_fronts(kernel, FRONTS_MAX);
	if (!planner_knows(planner, NEED_CALLS))
		return false;
	if (!socket_calls_plan_returns(plan, kernel, SOCKET_CALLS_ALL))
		return planner_rule_out(planner, kernel->has_btf
		                                     ? "BTF does not know inet_sendmsg and inet_recvmsg"
		                                     : "this kernel has no BTF");
	return planner_works(planner, HOOK_FEXIT, plan->hooks[0].symbol);
}

/* clang-format off */
static const struct blind_spot blind_spots[] = {
	SOCKET_CALL_BLIND_SPOTS
	COMMON_BLIND_SPOTS
	{ BLIND_SPOT_PREEMPTED, "the kernel skips runs that interrupt one another, and counts them in missed_runs",
	    UNLESS_NOTHING, SYMBOL_COUNT, SKIPS_PREEMPTED, 0 },
};
/* clang-format on */
_Static_assert(COUNT_OF(blind_spots) <= NOT_COUNTED_MAX, "plan_blind_spots has room for all");

const struct method method_fentry = {
	.id = PROBE_FENTRY,
	.name = "fentry",
	.plan = plan_fentry,
	.print = socket_calls_print,
	.requires = socket_call_required,
	.blind_spots = blind_spots,
	.blind_spot_count = COUNT_OF(blind_spots),
};
