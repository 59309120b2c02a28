/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tracepoints of the socket interface, sock_send_length and sock_recv_length (Linux 6.3), BTF-typed where the kernel
 * takes those. What passes neither, splice() out of a socket and zero-copy receive, is followed by copied_seq.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "kernel/method.h"
#include "kernel/template.h"
#include "program_texts.h"

/*
 * The numbers of splice and getsockopt in the native table and in those of 32-bit tasks (asm/unistd*.h). Not
 * i386's socketcall, which receives, too.
 */
#if defined(__x86_64__)
static const unsigned splice_calls[] = { 275, 55, 313, 365, 0x40000000 | 275, 0x40000000 | 542 };
#elif defined(__aarch64__)
static const unsigned splice_calls[] = { 76, 209, 340, 295 };
#else
#include <sys/syscall.h>
static const unsigned splice_calls[] = { SYS_splice, SYS_getsockopt };
#endif

static bool plan_tracepoint(struct plan *plan, const struct kernel *kernel, bool typed, const char **why)
{
	enum hook_kind kind = typed ? HOOK_TYPED_TRACEPOINT : HOOK_RAW_TRACEPOINT;

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
		plan_add(plan, HOOK_ITERATOR, SYMBOL_BPF_ITER_TASK_FILE, "iterator", "sockets");
	}
	return true;
}

static int print_tracepoint(
    FILE *out, const struct kernel *kernel, const struct plan *plan, struct error *error)
{
	struct buffer calls;

	(void)kernel, (void)error;
	fputs(program_text_probe_tracepoint, out);
	if (!plan_has(plan, SYMBOL_TCP_RCV_SPACE_ADJUST))
		return 0;
	int err = buffer_open(&calls);

	if (err)
		return err;
	for (size_t i = 0; i < COUNT_OF(splice_calls); i++)
		fprintf(calls.stream, "\tcase %u:\n", splice_calls[i]);
	err = buffer_close(&calls);
	if (!err)
		template_fill(
		    out, program_text_splice, (const struct slot[]){ { "SPLICE_CALLS", calls.bytes } }, 1);
	free(calls.bytes);
	return err;
}

/* Only what follows splice() can be done without. */
static bool tracepoint_requires(enum kernel_symbol symbol)
{
	return symbol == SYMBOL_SOCK_SEND_LENGTH || symbol == SYMBOL_SOCK_RECV_LENGTH;
}

/* clang-format off */
static const struct blind_spot blind_spots[] = {
	{ "splice_out", "cannot be followed here: refused by the kernel, or started in a PID namespace",
	    SYMBOL_TCP_RCV_SPACE_ADJUST, SYMBOL_COUNT, false },
	{ "zerocopy_receive", "cannot be followed here: refused by the kernel, or started in a PID namespace",
	    SYMBOL_TCP_RCV_SPACE_ADJUST, SYMBOL_COUNT, false },
	{ "splice_tls", "splice() out of a kernel TLS socket passes no tracepoint",
	    SYMBOL_COUNT, SYMBOL_COUNT, false },
	{ "splice_io_uring", "IORING_OP_SPLICE out of a socket passes no tracepoint",
	    SYMBOL_COUNT, SYMBOL_COUNT, false },
	{ "splice_unfollowed",
	    "splice() out of sockets that no process had open at the start, of SMC, sockmap; urgent data",
	    SYMBOL_COUNT, SYMBOL_TCP_RCV_SPACE_ADJUST, false },
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
	.typed_or_raw = true,
};
