/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/socket_calls.h"

#include "base/util.h"
#include "kernel/method.h"
#include "kernel/processor.h"
#include "kernel/template.h"
#include "model/session.h"
#include "program_texts.h"

/*
 * The socket interface of the inet families (struct proto_ops): every caller passes here once, kernel TLS
 * and MPTCP with their own bytes. sendpage went in 6.5; without it sendfile and splice use sendmsg.
 */
const struct socket_call socket_calls[] = {
	{ SYMBOL_INET_SENDMSG, "send", "is_tcp", false, -1, true, false, NEED_CALLS, 0 },
	{ SYMBOL_INET6_SENDMSG, "send", "is_tcp", false, -1, false, false, NEED_CALLS, 2 },
	{ SYMBOL_INET_RECVMSG, "receive", "is_tcp", false, 3, true, false, NEED_CALLS, 1 },
	{ SYMBOL_INET6_RECVMSG, "receive", "is_tcp", false, 3, false, false, NEED_CALLS, 3 },
	{ SYMBOL_INET_SENDPAGE, "send", "is_plain_tcp", false, -1, false, false, NEED_CALLS, NO_FRONT },
	{ SYMBOL_TCP_SPLICE_READ, "splice", "is_tcp", false, -1, false, true, NEED_CALLS, NO_FRONT },
	{ SYMBOL_TCP_ZEROCOPY_RECEIVE, "zerocopy", "is_tcp", true, 1, false, true, NEED_ZEROCOPY, NO_FRONT },
	{ SYMBOL_TLS_SW_SPLICE_READ, "splice", "is_tcp", false, -1, false, true, NEED_CALLS, NO_FRONT },
	{ SYMBOL_MPTCP_SPLICE_READ, "splice", "is_tcp", false, -1, false, true, NEED_CALLS, NO_FRONT },
};
const size_t socket_call_count = COUNT_OF(socket_calls);

static const struct socket_call *find(enum kernel_symbol symbol)
{
	for (size_t i = 0; i < socket_call_count; i++)
		if (socket_calls[i].symbol == symbol)
			return &socket_calls[i];
	return NULL;
}

bool socket_call_required(enum kernel_symbol symbol)
{
	const struct socket_call *call = find(symbol);

	return call && call->required;
}

static bool is_wanted(
    const struct socket_call *call, const struct kernel *kernel, enum socket_calls_which which)
{
	return (which == SOCKET_CALLS_ALL || call->has_no_tracepoint) &&
	       kernel_lacks(kernel, call->needs) == FIELD_COUNT;
}

bool socket_calls_plan_returns(struct plan *plan, const struct kernel *kernel, enum socket_calls_which which)
{
	for (size_t i = 0; i < socket_call_count; i++) {
		const struct socket_call *call = &socket_calls[i];

		if (!is_wanted(call, kernel, which))
			continue;
		if (!kernel->prototypes[call->symbol].btf_id) {
			if (call->required)
				return false;
			continue;
		}
		plan->needs |= call->needs;
		plan_add(plan, HOOK_FEXIT, call->symbol, "fentry", kernel_symbol_name(call->symbol));
	}
	return true;
}

/* Where threads that end together would preempt each other in the program, and be missed, by perf's record. */
static enum hook_kind exit_kind(struct planner *planner)
{
	return planner->kernel->tracepoints_preemptible &&
	               planner_works(planner, HOOK_PERF_TRACEPOINT, SYMBOL_SCHED_PROCESS_EXIT)
	           ? HOOK_PERF_TRACEPOINT
	           : HOOK_RAW_TRACEPOINT;
}

/*
 * Handlers are registered in this order, and the last one runs first: at the entry the return address must have been
 * replaced. With BTF, functions that it does not list may still be there, but not with a known prototype.
 */
void socket_calls_plan_kprobes(struct plan *plan, struct planner *planner, enum socket_calls_which which)
{
	const struct kernel *kernel = planner->kernel;
	bool standby = kernel->preemptible && kernel->prototypes[SYMBOL_INET_SENDMSG].btf_id &&
	               planner_works(planner, HOOK_FEXIT, SYMBOL_INET_SENDMSG);

	for (size_t i = 0; i < socket_call_count; i++) {
		const struct socket_call *call = &socket_calls[i];
		const char *name = kernel_symbol_name(call->symbol);
		bool known = kernel->prototypes[call->symbol].btf_id;

		if (!is_wanted(call, kernel, which) || (kernel->has_btf && !call->required && !known))
			continue;
		plan->needs |= call->needs;
		if (standby && known)
			plan_add(plan, HOOK_FEXIT, call->symbol, "standby", name);
		plan_add(plan, HOOK_KPROBE, call->symbol, "kprobe", name);
		plan_add(plan, HOOK_KRETPROBE, call->symbol, "kretprobe", name);
	}
	plan_add(plan, exit_kind(planner), SYMBOL_SCHED_PROCESS_EXIT, "thread", "exit");
	plan_add(plan, HOOK_RAW_TRACEPOINT, SYMBOL_SCHED_PROCESS_EXEC, "thread", "exec");
}

/* first, extra and result are indices into ctx. */
static void print_program(FILE *out, const char *text, const struct socket_call *call,
    const char *return_address, bool has_standby, int first, int extra, int result)
{
	char sk[64], extra_text[32] = "0", result_text[16], function[16], program[16];

	snprintf(
	    sk, sizeof sk, call->takes_sock ? "ctx[%d]" : "LOAD(u64, SOCKET(ctx[%d]), SOCKET_SK)", first);
	if (call->extra_parameter >= 0)
		snprintf(extra_text, sizeof extra_text, "ctx[%d]", extra);
	snprintf(result_text, sizeof result_text, "%d", result);
	snprintf(function, sizeof function, "%d", (int)call->symbol);
	snprintf(program, sizeof program, "%u", call->front);
	const struct slot slots[] = {
		{ "PROGRAM", program },
		{ "SYMBOL", kernel_symbol_name(call->symbol) },
		{ "ROLE", call->role },
		{ "GUARD", call->guard },
		{ "SK", sk },
		{ "EXTRA", extra_text },
		{ "RESULT", result_text },
		{ "FUNCTION", function },
		{ "RETURN_ADDRESS", return_address },
		{ "HAS_STANDBY", has_standby ? "true" : "false" },
	};

	template_fill(out, text, slots, COUNT_OF(slots));
}

static void print_hook(
    FILE *out, const struct kernel *kernel, const struct plan *plan, const struct hook *hook)
{
	const struct socket_call *call = find(hook->symbol);
	const struct processor *processor = kernel->processor;

	if (hook->kind == HOOK_FEXIT)
		print_program(out,
		    plan_is_standby(plan, hook) ? program_text_standby : program_text_probe_fentry, call, "",
		    false, 0, call->extra_parameter, kernel->prototypes[hook->symbol].parameter_count);
	else if (hook->kind == HOOK_KPROBE) /* its kretprobe stands in the same text */
		print_program(out, program_text_probe_kprobe, call, processor->return_address,
		    plan_has_kind(plan, HOOK_FEXIT, hook->symbol), processor->parameters[0],
		    processor->parameters[call->extra_parameter < 0 ? 0 : call->extra_parameter],
		    processor->result);
}

int socket_calls_print(FILE *out, const struct kernel *kernel, const struct plan *plan)
{
	bool any = false, kprobes = false;

	for (size_t i = 0; i < plan->hook_count; i++) {
		any |= find(plan->hooks[i].symbol) != NULL;
		kprobes |= plan->hooks[i].kind == HOOK_KPROBE;
	}
	if (any)
		fputs(program_text_roles, out);
	if (plan_has(plan, SYMBOL_TCP_ZEROCOPY_RECEIVE))
		fputs(program_text_role_zerocopy, out);
	if (kprobes) {
		fputs(program_text_missed_runs, out);
		fputs(program_text_kprobe_calls, out);
	}
	for (size_t i = 0; i < plan->hook_count; i++)
		print_hook(out, kernel, plan, &plan->hooks[i]);
	return 0;
}
