/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/method.h"

#include <stdio.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

const enum probe_method probe_auto_order[] = { PROBE_TRACEPOINT, PROBE_FENTRY, PROBE_KPROBE };
const size_t probe_auto_count = COUNT_OF(probe_auto_order);

/*
 * The socket interface of the inet families (struct proto_ops): every caller passes here once, kernel TLS
 * and MPTCP with their own bytes. sendpage went in 6.5; without it sendfile and splice use sendmsg.
 */
const struct probe_hook probe_hooks[] = {
	{ SYMBOL_INET_SENDMSG, "send", "is_tcp", false, -1, true },
	{ SYMBOL_INET6_SENDMSG, "send", "is_tcp", false, -1, false },
	{ SYMBOL_INET_RECVMSG, "receive", "is_tcp", false, 3, true },
	{ SYMBOL_INET6_RECVMSG, "receive", "is_tcp", false, 3, false },
	{ SYMBOL_INET_SENDPAGE, "send", "is_plain_tcp", false, -1, false },
	{ SYMBOL_TCP_SPLICE_READ, "splice", "is_tcp", false, -1, false },
	{ SYMBOL_TCP_ZEROCOPY_RECEIVE, "zerocopy", "is_tcp", true, 1, false },
	{ SYMBOL_TLS_SW_SPLICE_READ, "splice", "is_tcp", false, -1, false },
};
const size_t probe_hook_count = COUNT_OF(probe_hooks);

#define NEVER_HOOKED SYMBOL_COUNT

/* Which kernels and methods a blind spot is about, beside what the user is told. */
struct blind_spot {
	struct probe_blind_spot spot;
	unsigned methods;          /* bits 1 << enum probe_method */
	enum kernel_symbol unless; /* not blind where this symbol is hooked; SYMBOL_COUNT: always blind */
	enum kernel_symbol where;  /* blind only where this symbol is hooked; SYMBOL_COUNT: anywhere */
	bool preemptible;          /* only where tasks in the kernel can be interrupted by others */
};

#define METHOD(method) (1U << (method))

/* clang-format off */
static const struct blind_spot blind_spots[] = {
	{ { "splice_out", "cannot be followed here: refused by the kernel, or started in a PID namespace" },
	  METHOD(PROBE_TRACEPOINT), SYMBOL_TCP_RCV_SPACE_ADJUST, SYMBOL_COUNT, false },
	{ { "zerocopy_receive", "cannot be followed here: refused by the kernel, or started in a PID namespace" },
	  METHOD(PROBE_TRACEPOINT), SYMBOL_TCP_RCV_SPACE_ADJUST, SYMBOL_COUNT, false },
	{ { "splice_out", "this kernel's tcp_splice_read cannot be probed" },
	  METHOD(PROBE_FENTRY) | METHOD(PROBE_KPROBE), SYMBOL_TCP_SPLICE_READ, SYMBOL_COUNT, false },
	{ { "zerocopy_receive", "this kernel's tcp_zerocopy_receive cannot be probed" },
	  METHOD(PROBE_FENTRY) | METHOD(PROBE_KPROBE), SYMBOL_TCP_ZEROCOPY_RECEIVE, SYMBOL_COUNT, false },
	{ { "splice_tls", "splice() out of a kernel TLS socket passes no tracepoint" },
	  METHOD(PROBE_TRACEPOINT), SYMBOL_COUNT, SYMBOL_COUNT, false },
	{ { "splice_tls", "splice() out of a kernel TLS socket: TLS was not in use when tracing started, or cannot be probed" },
	  METHOD(PROBE_FENTRY) | METHOD(PROBE_KPROBE), SYMBOL_TLS_SW_SPLICE_READ, SYMBOL_COUNT, false },
	{ { "splice_io_uring", "IORING_OP_SPLICE out of a socket passes no tracepoint" },
	  METHOD(PROBE_TRACEPOINT), SYMBOL_COUNT, SYMBOL_COUNT, false },
	{ { "splice_unfollowed", "splice() out of sockets that no process had open at the start, of SMC, sockmap; urgent data" }, METHOD(PROBE_TRACEPOINT), SYMBOL_COUNT, SYMBOL_TCP_RCV_SPACE_ADJUST, false },
	{ { "call_before_start", "a call that waited when tracing started is not seen to return" },
	  METHOD(PROBE_FENTRY) | METHOD(PROBE_KPROBE), SYMBOL_COUNT, SYMBOL_COUNT, false },
	{ { "many_waiting_calls",
	    "a kprobe sees only so many of the calls return that wait at once: missed_runs counts the others" }, METHOD(PROBE_KPROBE), SYMBOL_COUNT, SYMBOL_COUNT, false },
	{ { PROBE_PREEMPTED, "the kernel skips runs that interrupt one another, and counts them in missed_runs" }, METHOD(PROBE_FENTRY), SYMBOL_COUNT, SYMBOL_COUNT, true },
	{ { PROBE_PREEMPTED, "kprobe on a preemptible kernel: losses possible, before 6.7 without a word" },
	  METHOD(PROBE_KPROBE), SYMBOL_COUNT, SYMBOL_COUNT, true },
};
/* clang-format on */

bool probe_plan_has(const struct probe_plan *plan, enum kernel_symbol symbol)
{
	for (size_t i = 0; i < plan->probe_count; i++)
		if (plan->probes[i].symbol == symbol)
			return true;
	return false;
}

size_t probe_blind_spots(const struct probe_blind_spot *spots[NOT_COUNTED_MAX], const struct probe_plan *plan)
{
	size_t count = 0;

	for (size_t i = 0; i < COUNT_OF(blind_spots) && count < NOT_COUNTED_MAX; i++) {
		const struct blind_spot *blind = &blind_spots[i];

		if (!(blind->methods & METHOD(plan->method)))
			continue;
		if (blind->preemptible && !plan->preemptible)
			continue;
		if (blind->unless != SYMBOL_COUNT && probe_plan_has(plan, blind->unless))
			continue;
		if (blind->where != SYMBOL_COUNT && !probe_plan_has(plan, blind->where))
			continue;
		spots[count++] = &blind->spot;
	}
	return count;
}

static void plan_add(struct probe_plan *plan, enum probe_kind kind, enum kernel_symbol symbol,
    const char *prefix, const char *name)
{
	struct probe *probe = &plan->probes[plan->probe_count++];

	probe->kind = kind;
	probe->symbol = symbol;
	snprintf(probe->function, sizeof probe->function, "%s_%s", prefix, name);
}

static bool plan_tracepoint(
    struct probe_plan *plan, bool typed, const struct kernel *kernel, const char **why)
{
	enum probe_kind kind = typed ? PROBE_KIND_TYPED_TRACEPOINT : PROBE_KIND_RAW_TRACEPOINT;

	if (kernel->has_btf ? !kernel->prototypes[SYMBOL_SOCK_SEND_LENGTH].btf_id
	                    : kernel->version < KERNEL_VERSION_CODE(6, 3, 0)) {
		*why = "this kernel has no tracepoint sock_send_length (6.3 and later have)";
		return false;
	}
	if (typed && !kernel->has_btf) {
		*why = "this kernel has no BTF";
		return false;
	}
	plan->direct = typed;
	plan_add(plan, kind, SYMBOL_SOCK_SEND_LENGTH, "tracepoint", "send");
	plan_add(plan, kind, SYMBOL_SOCK_RECV_LENGTH, "tracepoint", "receive");
	/* A socket that the iterator does not show would be taken for one that was born after the start. */
	if (typed && !kernel->in_pid_namespace && kernel->prototypes[SYMBOL_TCP_RCV_SPACE_ADJUST].btf_id &&
	    kernel->prototypes[SYMBOL_BPF_ITER_TASK_FILE].btf_id) {
		plan_add(plan, kind, SYMBOL_TCP_RCV_SPACE_ADJUST, "tracepoint", "space_adjust");
		plan_add(plan, PROBE_KIND_ITERATOR, SYMBOL_BPF_ITER_TASK_FILE, "iterator", "sockets");
	}
	return true;
}

static bool plan_fentry(struct probe_plan *plan, const struct kernel *kernel, const char **why)
{
	plan->direct = true;
	*why = kernel->has_btf ? "BTF does not know inet_sendmsg and inet_recvmsg" : "this kernel has no BTF";
	for (size_t i = 0; i < probe_hook_count; i++) {
		const struct probe_hook *hook = &probe_hooks[i];

		if (kernel->prototypes[hook->symbol].btf_id)
			plan_add(
			    plan, PROBE_KIND_FEXIT, hook->symbol, "fentry", kernel_symbol_name(hook->symbol));
		else if (hook->required)
			return false;
	}
	return true;
}

/*
 * Without BTF it is not known which of the functions exist: attaching finds out (required ones must).
 * With BTF, functions that it does not list may be there all the same, but not with a known prototype.
 */
static bool plan_kprobe(struct probe_plan *plan, const struct kernel *kernel, const char **why)
{
	if (kernel->kprobe_pmu_type < 0) {
		*why = "this kernel has no kprobes (CONFIG_KPROBES, since 4.17 as a perf event)";
		return false;
	}
	for (size_t i = 0; i < probe_hook_count; i++) {
		const struct probe_hook *hook = &probe_hooks[i];
		const char *name = kernel_symbol_name(hook->symbol);

		if (kernel->has_btf && !hook->required && !kernel->prototypes[hook->symbol].btf_id)
			continue;
		plan_add(plan, PROBE_KIND_KPROBE, hook->symbol, "kprobe", name);
		plan_add(plan, PROBE_KIND_KRETPROBE, hook->symbol, "kretprobe", name);
	}
	plan_add(plan, PROBE_KIND_RAW_TRACEPOINT, SYMBOL_SCHED_PROCESS_EXIT, "thread", "exit");
	return true;
}

bool probe_plan_make(struct probe_plan *plan, enum probe_method method, bool typed,
    const struct kernel *kernel, const char **why)
{
	memset(plan, 0, sizeof *plan);
	plan->preemptible = kernel->fully_preemptible;
	plan->method = method;
	switch (method) {
	case PROBE_TRACEPOINT:
		return plan_tracepoint(plan, typed, kernel, why);
	case PROBE_FENTRY:
		return plan_fentry(plan, kernel, why);
	case PROBE_KPROBE:
		return plan_kprobe(plan, kernel, why);
	default:
		*why = "not a method";
		return false;
	}
}
