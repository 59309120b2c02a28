/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "kernel/kernel.h"
#include "options.h"
#include "kernel/method.h"
#include "program_texts.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* The registers of a call as 8-byte slots of struct pt_regs (arch/.../asm/ptrace.h, stable ABI). */
struct registers {
	int parameters[4];
	int result;
	const char *return_address; /* where it stands when the function is entered */
};

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

#if defined(__x86_64__)
static const struct registers *const registers =
    &(const struct registers){ { 14, 13, 12, 11 }, 10, "LOAD_COLD(u64, ctx[19], 0)" };
#elif defined(__aarch64__)
static const struct registers *const registers = &(const struct registers){ { 0, 1, 2, 3 }, 0, "ctx[30]" };
#else
static const struct registers *const registers = NULL;
#endif

/* "@name@" in a template becomes the value. */
struct slot {
	const char *name;
	const char *value;
};

static const char *slot_value(const struct slot *slots, size_t count, const char *name, size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(slots[i].name) == length && memcmp(slots[i].name, name, length) == 0)
			return slots[i].value;
	return NULL;
}

/* A line that holds nothing but a slot leaves no empty line when the value is empty. */
static void fill(FILE *out, const char *template, const struct slot *slots, size_t count)
{
	while (*template) {
		const char *start = strchr(template, '@');
		const char *end = start ? strchr(start + 1, '@') : NULL;
		const char *value = end ? slot_value(slots, count, start + 1, end - start - 1) : NULL;

		if (!value) {
			size_t length = end ? (size_t)(end - template) : strlen(template);

			fwrite(template, 1, length, out);
			template += length;
			continue;
		}
		fwrite(template, 1, start - template, out);
		fputs(value, out);
		bool whole_line = (start == template || start[-1] == '\n') && end[1] == '\n';
		template = end + 1 + (whole_line ? 1 : 0);
	}
}

/* A text in memory under construction: open, print, close. */
struct text {
	char *bytes;
	size_t length;
	FILE *stream;
};

static int text_open(struct text *text)
{
	text->bytes = NULL;
	text->stream = open_memstream(&text->bytes, &text->length);
	return text->stream ? 0 : -ENOMEM;
}

static int text_close(struct text *text)
{
	return fclose(text->stream) == 0 ? 0 : -ENOMEM;
}

/* Columns that are read from the socket at every event cost nothing when nobody shows them. */
static bool wants_socket_facts(const struct options *options)
{
	unsigned needs = column_list_needs(&options->view.columns);

	if (options->view.sort.column)
		needs |= options->view.sort.column->needs;
	return needs & COLUMN_NEEDS_SOCKET;
}

/* The fields that this plan's text mentions; the others may be missing from the kernel. */
static bool field_is_used(
    enum kernel_field field, const struct options *options, const struct probe_plan *plan)
{
	bool functions = plan->method != PROBE_TRACEPOINT;

	switch (field) {
	case FIELD_SOCKET_SK:
		return functions || probe_plan_has(plan, SYMBOL_TCP_RCV_SPACE_ADJUST);
	case FIELD_ZEROCOPY_LENGTH:
	case FIELD_ZEROCOPY_COPYBUF_LEN:
		return functions;
	case FIELD_TCP_SRTT_US:
	case FIELD_TCP_TOTAL_RETRANS:
		return wants_socket_facts(options);
	case FIELD_TCP_COPIED_SEQ:
	case FIELD_TCP_RCV_NXT:
	case FIELD_TCP_BYTES_RECEIVED:
	case FIELD_ICSK_ULP_OPS:
	case FIELD_SK_LOCK_OWNED:
	case FIELD_SK_FLAGS:
	case FIELD_REGS_SYSCALL:
	case FIELD_REGS_BEFORE:
		return probe_plan_has(plan, SYMBOL_TCP_RCV_SPACE_ADJUST);
	default:
		return true;
	}
}

static int print_layout(FILE *out, const struct options *options, const struct kernel *kernel,
    const struct probe_plan *plan, enum program_layout layout, struct error *error)
{
	if (layout == PROGRAM_LAYOUT_HEADERS)
		fprintf(out,
		    "#include <linux/sched.h>\n#include <linux/nsproxy.h>\n#include <linux/ns_common.h>\n"
		    "#include <net/sock.h>\n#include <net/inet_sock.h>\n#include <net/net_namespace.h>\n"
		    "#include <linux/tcp.h>\n%s\n",
		    program_text_mnt_namespace);
	for (int field = 0; field < FIELD_COUNT; field++) {
		const char *macro = kernel_field_macro(field);
		char offset[128];

		if (!field_is_used(field, options, plan))
			continue;
		if (layout == PROGRAM_LAYOUT_HEADERS)
			fprintf(out, "#define %s %s\n", macro,
			    kernel_field_offsetof(field, offset, sizeof offset));
		else if (kernel->offsets[field] >= 0)
			fprintf(out, "#define %s %d\n", macro, kernel->offsets[field]);
		else
			return error_set(error, EXIT_CODE_UNSUPPORTED, -EOPNOTSUPP,
			    "this kernel's BTF does not tell where %s is: please report it with the kernel's "
			    "version",
			    macro);
	}
	if (kernel->version < KERNEL_VERSION_CODE(5, 5, 0))
		fputs("#define bpf_probe_read_kernel bpf_probe_read\n", out);
	return 0;
}

static int print_pid_filter(FILE *out, const struct options *options)
{
	struct text cases;

	if (!options->pid_count)
		return 0;
	int err = text_open(&cases);

	if (err)
		return err;
	for (size_t i = 0; i < options->pid_count; i++)
		fprintf(cases.stream, "\tcase %u:\n", options->pids[i]);
	err = text_close(&cases);
	if (!err)
		fill(out, program_text_filter_pid, (const struct slot[]){ { "PID_CASES", cases.bytes } }, 1);
	free(cases.bytes);
	return err;
}

static void print_container_filters(FILE *out, const struct options *options)
{
	if (options->cgroup_map_path)
		fputs(program_text_filter_cgroup, out);
	if (options->mntns_map_path)
		fputs(program_text_filter_mntns, out);
}

static void print_counting(FILE *out, const struct options *options)
{
	static const struct {
		int but; /* not wanted when the family filter is this one */
		const char *digit;
	} families[] = { { 6, "4" }, { 4, "6" } };
	char max_sessions[16];

	snprintf(max_sessions, sizeof max_sessions, "%u", options->max_sessions);
	fputs(program_text_session, out);
	if (wants_socket_facts(options))
		fputs(program_text_socket_facts, out);
	for (size_t i = 0; i < COUNT_OF(families); i++)
		if (options->family != families[i].but)
			fill(out, program_text_count,
			    (const struct slot[]){ { "N", families[i].digit },
			        { "MAX_SESSIONS", max_sessions },
			        { "TAKE_SOCKET_FACTS",
			            wants_socket_facts(options) ? program_text_take_socket_facts : "" } },
			    3);
}

static int print_account(FILE *out, const struct options *options)
{
	struct text pid, containers;
	int err = text_open(&pid);

	if (err)
		return err;
	err = text_open(&containers);
	if (err) {
		fclose(pid.stream);
		free(pid.bytes);
		return err;
	}
	int pid_err = print_pid_filter(pid.stream, options);

	print_container_filters(containers.stream, options);
	err = text_close(&pid) ?: pid_err;
	err = text_close(&containers) ?: err;
	const char *family = options->family == 4   ? program_text_filter_family_4
	                     : options->family == 6 ? program_text_filter_family_6
	                                            : program_text_filter_family_both;
	const struct slot slots[] = {
		{ "FILTER_PID", pid.bytes },
		{ "FILTER_CONTAINERS", containers.bytes },
		{ "FILTER_FAMILY", family },
	};

	if (!err) {
		fputc('\n', out);
		if (options->cgroup_map_path)
			fputs(program_text_filter_cgroup_map, out);
		if (options->mntns_map_path)
			fputs(program_text_filter_mntns_map, out);
		fill(out, program_text_account, slots, COUNT_OF(slots));
	}
	free(pid.bytes);
	free(containers.bytes);
	return err;
}

static const struct probe_hook *hook_of(enum kernel_symbol symbol)
{
	for (size_t i = 0; i < probe_hook_count; i++)
		if (probe_hooks[i].symbol == symbol)
			return &probe_hooks[i];
	return NULL;
}

/* first, extra and result are indices into ctx. */
static void print_function(
    FILE *out, const char *template, const struct probe_hook *hook, int first, int extra, int result)
{
	char sk[64], extra_text[32] = "0", result_text[16], function[16];

	snprintf(sk, sizeof sk, hook->takes_sock ? "ctx[%d]" : "LOAD(u64, ctx[%d], SOCKET_SK)", first);
	if (hook->extra_parameter >= 0)
		snprintf(extra_text, sizeof extra_text, "ctx[%d]", extra);
	snprintf(result_text, sizeof result_text, "%d", result);
	snprintf(function, sizeof function, "%d", (int)hook->symbol);
	const struct slot slots[] = {
		{ "SYMBOL", kernel_symbol_name(hook->symbol) },
		{ "ROLE", hook->role },
		{ "GUARD", hook->guard },
		{ "SK", sk },
		{ "EXTRA", extra_text },
		{ "RESULT", result_text },
		{ "FUNCTION", function },
		{ "RETURN_ADDRESS", registers ? registers->return_address : "0" },
	};

	fill(out, template, slots, COUNT_OF(slots));
}

static int print_tracepoints(FILE *out, const struct probe_plan *plan)
{
	struct text calls;
	int err = 0;

	fputs(program_text_probe_tracepoint, out);
	if (!probe_plan_has(plan, SYMBOL_TCP_RCV_SPACE_ADJUST))
		return 0;
	err = text_open(&calls);
	if (err)
		return err;
	for (size_t i = 0; i < COUNT_OF(splice_calls); i++)
		fprintf(calls.stream, "\tcase %u:\n", splice_calls[i]);
	err = text_close(&calls);
	if (!err)
		fill(out, program_text_splice, (const struct slot[]){ { "SPLICE_CALLS", calls.bytes } }, 1);
	free(calls.bytes);
	return err;
}

static int print_probes(
    FILE *out, const struct kernel *kernel, const struct probe_plan *plan, struct error *error)
{
	if (plan->method == PROBE_TRACEPOINT)
		return print_tracepoints(out, plan);
	fputs(program_text_roles, out);
	if (plan->method == PROBE_KPROBE) {
		if (!registers)
			return error_set(error, EXIT_CODE_UNSUPPORTED, -EOPNOTSUPP,
			    "kprobes are not supported on this processor: try --probe fentry or tracepoint");
		fputs(program_text_kprobe_calls, out);
	}
	for (size_t i = 0; i < plan->probe_count; i++) {
		const struct probe *probe = &plan->probes[i];
		const struct probe_hook *hook = hook_of(probe->symbol);

		if (!hook) /* has its program in the method's fixed text */
			continue;
		int extra = hook->extra_parameter < 0 ? 0 : hook->extra_parameter;

		if (probe->kind == PROBE_KIND_FEXIT)
			print_function(out, program_text_probe_fentry, hook, 0, extra,
			    kernel->prototypes[probe->symbol].parameter_count);
		else if (probe->kind == PROBE_KIND_KPROBE) /* its kretprobe stands in the same template */
			print_function(out, program_text_probe_kprobe, hook, registers->parameters[0],
			    registers->parameters[extra], registers->result);
	}
	return 0;
}

static int print_head(FILE *out, const struct options *options, const struct kernel *kernel,
    const struct probe_plan *plan, enum program_layout layout, struct error *error)
{
	struct text text;
	int err = text_open(&text);

	if (err)
		return err;
	int layout_err = print_layout(text.stream, options, kernel, plan, layout, error);

	err = text_close(&text);
	const struct slot slots[] = {
		{ "LAYOUT", text.bytes },
		{ "SESSION", program_text_session_h },
		{ "ACCESS", plan->direct ? program_text_access_direct : program_text_access_probe },
	};

	if (!err && !layout_err)
		fill(out, program_text_head, slots, COUNT_OF(slots));
	free(text.bytes);
	return layout_err ?: err;
}

int program_build(char **text, const struct options *options, const struct kernel *kernel,
    const struct probe_plan *plan, enum program_layout layout, struct error *error)
{
	struct text program;
	int err = text_open(&program);

	*text = NULL;
	if (err)
		goto out_of_memory;
	error->text[0] = '\0';
	err = print_head(program.stream, options, kernel, plan, layout, error);
	if (!err) {
		print_counting(program.stream, options);
		err = print_account(program.stream, options);
	}
	if (!err)
		err = print_probes(program.stream, kernel, plan, error);
	err = text_close(&program) ?: err;
	if (!err) {
		*text = program.bytes;
		return 0;
	}
	free(program.bytes);
	if (*error->text)
		return err;
out_of_memory:
	return error_set(error, EXIT_CODE_RUNTIME, err, "no memory for the program text: %s", strerror(-err));
}

const struct program_stub program_stubs[] = {
	{ "linux/types.h", program_text_stub_types },
	{ "linux/kconfig.h", program_text_stub_kconfig },
	{ "linux/bpf_common.h", program_text_stub_bpf_common },
	{ "linux/log2.h", "" },
	{ "asm/page.h", "" },
	{ "uapi/linux/bpf.h", "" },
	{ "uapi/linux/if_packet.h", "" },
	{ "uapi/linux/if_ether.h", "" },
};
const size_t program_stub_count = COUNT_OF(program_stubs);

size_t program_stub_version(char *buffer, size_t size, const struct kernel *kernel)
{
	return snprintf(buffer, size,
	    "#define LINUX_VERSION_CODE %u\n"
	    "#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))\n",
	    kernel->version);
}
