/* SPDX-License-Identifier: Apache-2.0 */
/* Programs on the return of the socket interface's functions, with prototypes from BTF (fexit). */
#include "base/util.h"
#include "kernel/method.h"
#include "kernel/socket_calls.h"
#include "program_texts.h"

static bool plan_fentry(struct plan *plan, const struct kernel *kernel, bool typed, const char **why)
{
	(void)typed;
	plan->direct = true;
	*why = kernel->has_btf ? "BTF does not know inet_sendmsg and inet_recvmsg" : "this kernel has no BTF";
	for (size_t i = 0; i < socket_call_count; i++) {
		const struct socket_call *call = &socket_calls[i];

		if (kernel->prototypes[call->symbol].btf_id)
			plan_add(plan, HOOK_FEXIT, call->symbol, "fentry", kernel_symbol_name(call->symbol));
		else if (call->required)
			return false;
	}
	return true;
}

static int print_fentry(FILE *out, const struct kernel *kernel, const struct plan *plan, struct error *error)
{
	(void)error;
	fputs(program_text_roles, out);
	for (size_t i = 0; i < plan->hook_count; i++) {
		enum kernel_symbol symbol = plan->hooks[i].symbol;
		const struct socket_call *call = socket_call_find(symbol);

		if (!call)
			continue;
		socket_call_print(out, program_text_probe_fentry, call, 0, call->extra_parameter,
		    kernel->prototypes[symbol].parameter_count, "0");
	}
	return 0;
}

/* clang-format off */
static const struct blind_spot blind_spots[] = {
	SOCKET_CALL_BLIND_SPOTS
	{ BLIND_SPOT_PREEMPTED, "the kernel skips runs that interrupt one another, and counts them in missed_runs",
	    SYMBOL_COUNT, SYMBOL_COUNT, true },
};
/* clang-format on */
_Static_assert(COUNT_OF(blind_spots) <= NOT_COUNTED_MAX, "plan_blind_spots has room for all");

const struct method method_fentry = {
	.id = PROBE_FENTRY,
	.name = "fentry",
	.plan = plan_fentry,
	.print = print_fentry,
	.requires = socket_call_required,
	.needs = NEED_CALLS,
	.blind_spots = blind_spots,
	.blind_spot_count = COUNT_OF(blind_spots),
};
