/* SPDX-License-Identifier: Apache-2.0 */
/* Entry and return of the socket interface's functions by kprobe and kretprobe: for kernels without BTF. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/util.h"
#include "kernel/method.h"
#include "kernel/socket_calls.h"
#include "program_texts.h"

/* The registers of a call as 8-byte slots of struct pt_regs (arch/.../asm/ptrace.h, stable ABI). */
struct registers {
	int parameters[4];
	int result;
	const char *return_address; /* where it stands when the function is entered */
};

#if defined(__x86_64__)
static const struct registers *const registers =
    &(const struct registers){ { 14, 13, 12, 11 }, 10, "LOAD_COLD(u64, ctx[19], 0)" };
#elif defined(__aarch64__)
static const struct registers *const registers = &(const struct registers){ { 0, 1, 2, 3 }, 0, "ctx[30]" };
#else
static const struct registers *const registers = NULL;
#endif

/*
 * Without BTF it is not known which of the functions exist: attaching finds out (required ones must).
 * With BTF, functions that it does not list may still be there, but not with a known prototype.
 */
static bool plan_kprobe(struct plan *plan, const struct kernel *kernel, bool typed, const char **why)
{
	(void)typed;
	if (kernel->kprobe_pmu_type < 0) {
		*why = "this kernel has no kprobes (CONFIG_KPROBES, since 4.17 as a perf event)";
		return false;
	}
	for (size_t i = 0; i < socket_call_count; i++) {
		const struct socket_call *call = &socket_calls[i];
		const char *name = kernel_symbol_name(call->symbol);

		if (kernel->has_btf && !call->required && !kernel->prototypes[call->symbol].btf_id)
			continue;
		plan_add(plan, HOOK_KPROBE, call->symbol, "kprobe", name);
		plan_add(plan, HOOK_KRETPROBE, call->symbol, "kretprobe", name);
	}
	plan_add(plan, HOOK_RAW_TRACEPOINT, SYMBOL_SCHED_PROCESS_EXIT, "thread", "exit");
	return true;
}

static int print_kprobe(FILE *out, const struct kernel *kernel, const struct plan *plan, struct error *error)
{
	(void)kernel;
	if (!registers)
		return error_set(error, EXIT_CODE_UNSUPPORTED, -EOPNOTSUPP,
		    "kprobes are not supported on this processor: try --probe fentry or tracepoint");
	fputs(program_text_roles, out);
	fputs(program_text_kprobe_calls, out);
	for (size_t i = 0; i < plan->hook_count; i++) {
		const struct socket_call *call = socket_call_find(plan->hooks[i].symbol);

		if (plan->hooks[i].kind != HOOK_KPROBE) /* a kretprobe stands in its kprobe's template */
			continue;
		socket_call_print(out, program_text_probe_kprobe, call, registers->parameters[0],
		    registers->parameters[call->extra_parameter < 0 ? 0 : call->extra_parameter],
		    registers->result, registers->return_address);
	}
	return 0;
}

/* A call that moves nothing shows the programs of kretprobes where returns go: see bpf_text/probe_kprobe.c. */
static void return_once(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char byte;

	if (fd < 0)
		return;
	recv(fd, &byte, sizeof byte, MSG_DONTWAIT); /* ENOTCONN */
	close(fd);
}

/* clang-format off */
static const struct blind_spot blind_spots[] = {
	SOCKET_CALL_BLIND_SPOTS
	{ "many_waiting_calls",
	    "a kprobe sees only so many of the calls return that wait at once: missed_runs counts the others",
	    SYMBOL_COUNT, SYMBOL_COUNT, false },
	{ BLIND_SPOT_PREEMPTED, "kprobe on a preemptible kernel: losses possible, before 6.7 without a word",
	    SYMBOL_COUNT, SYMBOL_COUNT, true },
};
/* clang-format on */
_Static_assert(COUNT_OF(blind_spots) <= NOT_COUNTED_MAX, "plan_blind_spots has room for all");

const struct method method_kprobe = {
	.id = PROBE_KPROBE,
	.name = "kprobe",
	.plan = plan_kprobe,
	.print = print_kprobe,
	.requires = socket_call_required,
	.needs = NEED_CALLS,
	.blind_spots = blind_spots,
	.blind_spot_count = COUNT_OF(blind_spots),
	.interrupted_loses_runs = true,
	.prime = return_once,
};
