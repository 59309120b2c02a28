/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tracepoints of the socket interface, sock_send_length and sock_recv_length (Linux 6.3), in the form that loses nothing
 * here. What passes neither, splice() out of a socket and zero-copy receive, is counted by the functions' returns, or
 * by following copied_seq.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "kernel/method.h"
#include "kernel/processor.h"
#include "kernel/socket_calls.h"
#include "kernel/template.h"
#include "program_texts.h"

/*
 * Typed ones first, for they cost least, unless they can be preempted: then by perf's record. Plain raw ones are for
 * kernels without BTF, and where typed ones are refused.
 */
static bool choose_kind(enum hook_kind *kind, struct planner *planner)
{
	const struct kernel *kernel = planner->kernel;
	const struct {
		enum hook_kind kind;
		bool possible;
	} kinds[] = {
		{ HOOK_PERF_TRACEPOINT, kernel->tracepoints_preemptible && kernel->has_btf &&
		                            kernel_lacks(kernel, NEED_RECORD) == FIELD_COUNT },
		{ HOOK_TYPED_TRACEPOINT, kernel->has_btf },
		{ HOOK_RAW_TRACEPOINT, true },
	};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		*kind = kinds[i].kind;
		if (kinds[i].possible && planner_works(planner, *kind, SYMBOL_SOCK_SEND_LENGTH))
			return true;
	}
	return false;
}

/* A socket that the iterator does not show would be taken for one that was born after the start. */
static bool can_follow(const struct plan *plan, const struct kernel *kernel)
{
	return (plan->needs & NEED_CAST) && kernel->processor &&
	       kernel_lacks(kernel, NEED_SPLICE) == FIELD_COUNT && !kernel->tracepoints_preemptible &&
	       !kernel->in_pid_namespace && kernel->prototypes[SYMBOL_TCP_RCV_SPACE_ADJUST].btf_id &&
	       kernel->prototypes[SYMBOL_INET_SOCK_SET_STATE].btf_id &&
	       kernel->prototypes[SYMBOL_BPF_ITER_TASK_FILE].btf_id;
}

/*
 * splice() out of a socket and TCP_ZEROCOPY_RECEIVE: by the functions themselves, which costs nothing elsewhere, where
 * programs on them lose no runs; else by following copied_seq.
 */
static void plan_splice(struct plan *plan, struct planner *planner)
{
	const struct kernel *kernel = planner->kernel;
	bool hookable = kernel_lacks(kernel, NEED_CALLS) == FIELD_COUNT;

	if (hookable && plan->direct && !kernel->preemptible &&
	    kernel->prototypes[SYMBOL_TCP_SPLICE_READ].btf_id &&
	    planner_works(planner, HOOK_FEXIT, SYMBOL_TCP_SPLICE_READ)) {
		socket_calls_plan_returns(plan, kernel, SOCKET_CALLS_WITHOUT_TRACEPOINT);
	} else if (hookable && !plan->direct && kernel->processor && kernel->kprobe_pmu_type >= 0 &&
	           planner_works(planner, HOOK_KPROBE, SYMBOL_TCP_SPLICE_READ)) {
		socket_calls_plan_kprobes(plan, planner, SOCKET_CALLS_WITHOUT_TRACEPOINT);
	} else if (plan->direct && can_follow(plan, kernel)) {
		plan_add(
		    plan, HOOK_TYPED_TRACEPOINT, SYMBOL_TCP_RCV_SPACE_ADJUST, "tracepoint", "space_adjust");
		plan_add(plan, HOOK_TYPED_TRACEPOINT, SYMBOL_INET_SOCK_SET_STATE, "tracepoint", "set_state");
		plan->needs |= NEED_SPLICE;
		plan_add(plan, HOOK_ITERATOR, SYMBOL_BPF_ITER_TASK_FILE, "iterator", "sockets");
	}
}

static bool plan_tracepoint(struct plan *plan, struct planner *planner)
{
	const struct kernel *kernel = planner->kernel;
	enum hook_kind kind;

	if (kernel->has_btf ? !kernel->prototypes[SYMBOL_SOCK_SEND_LENGTH].btf_id
	                    : kernel->version < KERNEL_VERSION_CODE(6, 3, 0))
		return planner_rule_out(
		    planner, "this kernel has no tracepoint sock_send_length (6.3 and later have)");
	if (!choose_kind(&kind, planner))
		return false;
	plan->direct = kind == HOOK_TYPED_TRACEPOINT;
	plan->needs |= kind != HOOK_RAW_TRACEPOINT ? planner_casts(planner, kind) : 0;
	plan->needs |= kind == HOOK_PERF_TRACEPOINT ? NEED_RECORD : 0;
	plan->fronts = method_fronts(kernel, 2);
	plan_add(plan, kind, SYMBOL_SOCK_SEND_LENGTH, "tracepoint", "send");
	plan_add(plan, kind, SYMBOL_SOCK_RECV_LENGTH, "tracepoint", "receive");
	plan_splice(plan, planner);
	return true;
}

static int print_splice(FILE *out, const struct processor *processor)
{
	struct buffer calls;
	int err = buffer_open(&calls);

	if (err)
		return err;
	for (const unsigned *call = processor->splice_calls; *call; call++)
		fprintf(calls.stream, "\tcase %u:\n", *call);
	err = buffer_close(&calls);
	if (!err) {
		fputs(program_text_missed_runs, out);
		template_fill(
		    out, program_text_splice, (const struct slot[]){ { "SPLICE_CALLS", calls.bytes } }, 1);
	}
	free(calls.bytes);
	return err;
}

static int print_tracepoint(FILE *out, const struct kernel *kernel, const struct plan *plan)
{
	bool record = plan_has_kind(plan, HOOK_PERF_TRACEPOINT, SYMBOL_SOCK_SEND_LENGTH);

	fputs(record ? program_text_tracepoint_record : program_text_tracepoint_arguments, out);
	fputs(program_text_probe_tracepoint, out);
	if (plan_has(plan, SYMBOL_TCP_RCV_SPACE_ADJUST))
		return print_splice(out, kernel->processor);
	return socket_calls_print(out, kernel, plan);
}

/* Only what follows splice() can be done without. */
static bool tracepoint_requires(enum kernel_symbol symbol)
{
	return symbol == SYMBOL_SOCK_SEND_LENGTH || symbol == SYMBOL_SOCK_RECV_LENGTH;
}

/* clang-format off */
static const struct blind_spot blind_spots[] = {
	{ "splice_out", "cannot be followed here: refused by the kernel, not known on this processor, or started in a PID namespace; or --no-splice",
	    { SYMBOL_TCP_RCV_SPACE_ADJUST, SYMBOL_TCP_SPLICE_READ }, SYMBOL_COUNT, 0, 0 },
	{ "zerocopy_receive", "cannot be followed here: refused by the kernel, not known on this processor, or started in a PID namespace; or --no-splice",
	    { SYMBOL_TCP_RCV_SPACE_ADJUST, SYMBOL_TCP_ZEROCOPY_RECEIVE }, SYMBOL_COUNT, 0, 0 },
	{ "splice_tls",
	    "splice() out of a kernel TLS socket: passes no tracepoint, or TLS was not in use when tracing started",
	    { SYMBOL_TLS_SW_SPLICE_READ, SYMBOL_COUNT }, SYMBOL_COUNT, 0, 0 },
	{ "splice_io_uring", "IORING_OP_SPLICE out of a socket passes no tracepoint",
	    { SYMBOL_TCP_SPLICE_READ, SYMBOL_COUNT }, SYMBOL_COUNT, 0, 0 },
	{ "splice_unfollowed",
	    "splice() out of sockets that no process had open at the start, of SMC, sockmap; urgent data; where a "
	    "socket's option memory is full (net.core.optmem_max), counted in missed_runs",
	    UNLESS_NOTHING, SYMBOL_TCP_RCV_SPACE_ADJUST, 0, 0 },
	{ "splice_before_start", "a splice() that waited when tracing started is not seen to return",
	    UNLESS_NOTHING, SYMBOL_TCP_SPLICE_READ, 0, 0 },
	COMMON_BLIND_SPOTS
	{ "many_waiting_calls",
	    "a kprobe sees only so many splices return that wait at once: missed_runs counts the others",
	    UNLESS_NOTHING, SYMBOL_COUNT, SKIPS_WAITING, 0 },
	{ BLIND_SPOT_PREEMPTED,
	    "the kernel skips runs on a CPU while others there are interrupted, and counts them in missed_runs",
	    UNLESS_NOTHING, SYMBOL_COUNT, SKIPS_PREEMPTED | SKIPS_MAP_CALLS, 0 },
};
/* clang-format on */
_Static_assert(COUNT_OF(blind_spots) <= NOT_COUNTED_MAX, "plan_blind_spots has room for all");

const struct method method_tracepoint = {
	.id = PROBE_TRACEPOINT,
	.name = "tracepoint",
	.plan = plan_tracepoint,
	.print = print_tracepoint,
	.requires = tracepoint_requires,
	.blind_spots = blind_spots,
	.blind_spot_count = COUNT_OF(blind_spots),
};
