/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "kernel/filters.h"
#include "kernel/kernel.h"
#include "kernel/method.h"
#include "kernel/processor.h"
#include "kernel/template.h"
#include "program_texts.h"

#define ENDS_MAX 16384   /* of a family, in an interval: 6 MB for all */
#define CGROUPS_MAX 4096 /* that are made in an interval: 2.4 MB */

enum offsets_from program_offsets_from(const struct kernel *kernel)
{
	return kernel->has_btf ? OFFSETS_FROM_BTF : OFFSETS_FROM_HEADERS;
}

void program_add_hooks(struct plan *plan, const struct program_request *request, const struct kernel *kernel)
{
	if (request->no_splice)
		plan_drop_following(plan);
	if (request->ends)
		plan_add_ends(plan, kernel);
	if (request->cgroups)
		plan_add_cgroups(plan, kernel);
	if (request->max_sockets)
		plan_add_sockets(plan, kernel);
	if (request->lives)
		plan_add_lives(plan, kernel);
}

/* Without, it is not known. */
static bool takes_accepted(const struct program_request *request, const struct kernel *kernel)
{
	return request->accepted && kernel_lacks(kernel, NEED_ACCEPTED) == FIELD_COUNT;
}

/* Can the text find an MPTCP socket's first subflow, and tell a subflow? */
static bool finds_subflows(const struct kernel *kernel, enum offsets_from from)
{
	return from == OFFSETS_FROM_BTF && kernel_lacks(kernel, NEED_MPTCP) == FIELD_COUNT;
}

static void print_offset(FILE *out, const struct kernel *kernel, enum kernel_field field)
{
	const char *macro = kernel_field_macro(field);

	fprintf(out, "#define %s %d\n", macro, kernel->offsets[field]);
	if (kernel_field_needs(field) & NEED_BITS)
		fprintf(out, "#define %s_SHIFT %u\n#define %s_BITS %u\n", macro, kernel->bits[field].shift,
		    macro, kernel->bits[field].count);
}

static int print_offsets(FILE *out, const struct program_request *request, const struct kernel *kernel,
    const struct plan *plan, enum offsets_from from, struct error *error)
{
	if (from == OFFSETS_FROM_HEADERS)
		fprintf(out,
		    "#include <linux/sched.h>\n#include <linux/nsproxy.h>\n#include <linux/ns_common.h>\n"
		    "#include <net/sock.h>\n#include <net/inet_sock.h>\n#include <net/net_namespace.h>\n"
		    "#include <linux/tcp.h>\n%s%s%s\n",
		    takes_accepted(request, kernel) ? "#include <linux/ipv6.h>\n" : "",
		    plan->needs & NEED_CGROUPS ? "#include <linux/cgroup-defs.h>\n#include <linux/kernfs.h>\n"
		                               : "",
		    program_text_mnt_namespace);
	/* other fields may be missing from the kernel */
	unsigned needs = NEED_EVENT | plan->needs | (finds_subflows(kernel, from) ? NEED_MPTCP : 0) |
	                 (takes_accepted(request, kernel) ? NEED_ACCEPTED : 0);

	for (int field = 0; field < FIELD_COUNT; field++) {
		const char *macro = kernel_field_macro(field);
		char offset[128];

		if (!(kernel_field_needs(field) & needs))
			continue;
		if (from == OFFSETS_FROM_HEADERS)
			fprintf(out, "#define %s %s\n", macro,
			    kernel_field_offsetof(field, offset, sizeof offset));
		else if (kernel->offsets[field] >= 0)
			print_offset(out, kernel, field);
		else
			return error_set(error, EXIT_CODE_UNSUPPORTED, -EOPNOTSUPP,
			    "this kernel's BTF does not tell where %s is: please report it with the kernel's "
			    "version",
			    macro);
	}
	return 0;
}

static int print_pid_filter(FILE *out, const struct program_request *request)
{
	struct buffer cases;

	if (!request->pid_count)
		return 0;
	int err = buffer_open(&cases);

	if (err)
		return err;
	for (size_t i = 0; i < request->pid_count; i++)
		fprintf(cases.stream, "\tcase %u:\n", request->pids[i]);
	err = buffer_close(&cases);
	if (!err)
		template_fill(
		    out, program_text_filter_pid, (const struct slot[]){ { "PID_CASES", cases.bytes } }, 1);
	free(cases.bytes);
	return err;
}

static void print_filter_tests(FILE *out, const struct program_request *request)
{
	for (size_t i = 0; i < filter_count; i++)
		if (request->filters & (1U << i))
			fputs(filters[i].test_text, out);
}

/* Is there a filter that looks at a task, beside PIDs? */
static bool filters_tasks(const struct program_request *request)
{
	bool found = request->filters != 0;

	for (size_t i = 0; i < request->conditions.count && !found; i++)
		found = request->conditions.items[i].kind->subject == CONDITION_OF_TASK;
	return found;
}

static void print_filter_maps(FILE *out, const struct program_request *request)
{
	for (size_t i = 0; i < filter_count; i++)
		if (request->filters & (1U << i))
			fputs(filters[i].map_text, out);
}

static const struct {
	int but; /* not wanted when the family filter is this one */
	const char *digit;
} families[] = { { 6, "4" }, { 4, "6" } };

static void print_counting(FILE *out, const struct program_request *request, const struct kernel *kernel,
    const struct plan *plan, enum offsets_from from)
{
	bool ends = plan_has_duty(plan, DUTY_NOTE_ENDS), lives = plan_has_duty(plan, DUTY_NOTE_LIVES);
	bool accepted = takes_accepted(request, kernel), subflows = finds_subflows(kernel, from);
	char max_sessions[16], fronts[16];

	snprintf(max_sessions, sizeof max_sessions, "%u", request->max_sessions);
	snprintf(fronts, sizeof fronts, "%u", plan->fronts);
	if (ends)
		fputs(program_text_ends_head, out);
	if (accepted)
		template_fill(out, program_text_accepted,
		    (const struct slot[]){
		        { "FIRST_SUBFLOW", subflows ? "LOAD_COLD(u64, sk, MPTCP_FIRST)" : "0" } },
		    1);
	template_fill(out, program_text_session,
	    (const struct slot[]){ { "DESCRIBE_LIFE", ends ? program_text_describe_life : "" },
	        { "DESCRIBE_ACCEPTED", accepted ? program_text_describe_accepted : "" },
	        { "MPTCP_LINK", subflows ? program_text_mptcp_link : "" } },
	    3);
	if (lives)
		template_fill(out, program_text_lives_first_call,
		    (const struct slot[]){ { "MAX_LIVES", max_sessions } }, 1);
	template_fill(out, program_text_fronts, (const struct slot[]){ { "FRONTS", fronts } }, 1);
	for (size_t i = 0; i < COUNT_OF(families); i++)
		if (request->family != families[i].but)
			template_fill(out, program_text_count,
			    (const struct slot[]){ { "N", families[i].digit },
			        { "MAX_SESSIONS", max_sessions },
			        { "FIRST_CALL", lives ? program_text_call_note_first_call : "" } },
			    3);
}

/* What is done with a socket of a family that passes: act4() and act6(). *text is for free(), also when it fails. */
static int fill_family(char **text, const struct program_request *request, const char *act, const char *with)
{
	struct buffer buffer;
	int err = buffer_open(&buffer);

	*text = NULL;
	if (err)
		return err;
	template_fill(buffer.stream,
	    request->family == 4   ? program_text_filter_family_4
	    : request->family == 6 ? program_text_filter_family_6
	                           : program_text_filter_family_both,
	    (const struct slot[]){ { "ACT", act }, { "WITH", with } }, 2);
	err = buffer_close(&buffer);
	*text = buffer.bytes;
	return err;
}

static void free_buffers(struct buffer *buffers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(buffers[i].bytes);
}

/* All that are open; the first error. */
static int close_buffers(struct buffer *buffers, size_t count)
{
	int err = 0;

	for (size_t i = 0; i < count; i++) {
		int closed = buffers[i].stream ? buffer_close(&buffers[i]) : 0;

		err = err ?: closed;
	}
	return err;
}

/* All of them, which are zero, or none. 0 or -errno. */
static int open_buffers(struct buffer *buffers, size_t count)
{
	int err = 0;

	for (size_t i = 0; i < count && !err; i++)
		err = buffer_open(&buffers[i]);
	if (err) {
		close_buffers(buffers, count);
		free_buffers(buffers, count);
	}
	return err;
}

static int print_account(FILE *out, const struct program_request *request)
{
	struct buffer buffers[3] = { 0 }, *pid = &buffers[0], *task = &buffers[1], *socket = &buffers[2];
	int err = open_buffers(buffers, COUNT_OF(buffers));

	if (err)
		return err;
	err = print_pid_filter(pid->stream, request);
	print_filter_tests(task->stream, request);
	conditions_print(&request->conditions, CONDITION_OF_TASK, task->stream);
	conditions_print(&request->conditions, CONDITION_OF_SOCKET, socket->stream);
	err = close_buffers(buffers, COUNT_OF(buffers)) ?: err;
	char *family = NULL;

	err = err ?: fill_family(&family, request, "count", "pid, bytes, direction, program");
	const struct slot slots[] = {
		{ "FILTER_PID", pid->bytes },
		{ "FILTER_TASK", task->bytes },
		{ "FILTER_SOCKET", socket->bytes },
		{ "FILTER_FAMILY", family },
	};

	if (!err) {
		fputc('\n', out);
		if (filters_tasks(request))
			fputs(program_text_subject_caller, out);
		print_filter_maps(out, request);
		template_fill(out, program_text_account, slots, COUNT_OF(slots));
	}
	free(family);
	free_buffers(buffers, COUNT_OF(buffers));
	return err;
}

static int print_ends(
    FILE *out, const struct program_request *request, const struct kernel *kernel, enum offsets_from from)
{
	char max_ends[16], *family;
	int err = fill_family(&family, request, "end", "closed");

	snprintf(max_ends, sizeof max_ends, "%u",
	    request->max_sessions < ENDS_MAX ? request->max_sessions : ENDS_MAX);
	if (!err) {
		fputs(program_text_ends, out);
		for (size_t i = 0; i < COUNT_OF(families); i++)
			if (request->family != families[i].but)
				template_fill(out, program_text_end,
				    (const struct slot[]){
				        { "N", families[i].digit }, { "MAX_ENDS", max_ends } },
				    2);
		template_fill(out, program_text_ends_program,
		    (const struct slot[]){
		        { "SUBFLOW", finds_subflows(kernel, from) ? program_text_ends_subflow : "" },
		        { "FILTER_FAMILY", family } },
		    2);
	}
	free(family);
	return err;
}

static void print_cgroups(FILE *out, const struct program_request *request)
{
	char max_cgroups[16];

	snprintf(max_cgroups, sizeof max_cgroups, "%u",
	    request->max_sessions < CGROUPS_MAX ? request->max_sessions : CGROUPS_MAX);
	template_fill(out, program_text_cgroups, (const struct slot[]){ { "MAX_CGROUPS", max_cgroups } }, 1);
}

/* Are there programs that are BTF-typed, whatever the method's are? */
static bool has_typed(const struct plan *plan)
{
	return plan_has_duty(plan, DUTY_TELL_SOCKETS) || plan_has_duty(plan, DUTY_NOTE_LIVES);
}

/* What they have in common, with the filters' tests of who has a socket, and of the socket. */
static int print_typed(FILE *out, const struct program_request *request)
{
	struct buffer buffers[2] = { 0 }, *owner = &buffers[0], *socket = &buffers[1];
	int err = open_buffers(buffers, COUNT_OF(buffers));

	if (err)
		return err;
	err = print_pid_filter(owner->stream, request);
	print_filter_tests(owner->stream, request);
	conditions_print(&request->conditions, CONDITION_OF_TASK, owner->stream);
	if (request->family)
		fprintf(socket->stream, "\tif (key->family != %d)\n\t\treturn 0;\n", request->family);
	conditions_print(&request->conditions, CONDITION_OF_SOCKET, socket->stream);
	err = close_buffers(buffers, COUNT_OF(buffers)) ?: err;
	if (!err && filters_tasks(request))
		fputs(program_text_subject_owner, out);
	if (!err)
		template_fill(out, program_text_typed,
		    (const struct slot[]){
		        { "FILTER_OWNER", owner->bytes }, { "FILTER_SOCKET", socket->bytes } },
		    2);
	free_buffers(buffers, COUNT_OF(buffers));
	return err;
}

/* Does a socket pass of which nobody is known? */
static const char *unowned(const struct program_request *request)
{
	return filters_tasks(request) || request->pid_count ? "0" : "1";
}

static void print_sockets(FILE *out, const struct program_request *request, const struct plan *plan)
{
	char max_sockets[16];

	snprintf(max_sockets, sizeof max_sockets, "%u", request->max_sockets);
	template_fill(out, program_text_sockets,
	    (const struct slot[]){ { "MAX_SOCKETS", max_sockets }, { "UNOWNED", unowned(request) } }, 2);
	if (plan_has(plan, SYMBOL_BPF_ITER_SOCKETS))
		fputs(program_text_sockets_pass, out);
}

static void print_lives(
    FILE *out, const struct program_request *request, const struct kernel *kernel, const struct plan *plan)
{
	bool has_reason = kernel->prototypes[SYMBOL_TCP_SEND_RESET].parameter_count > 2;
	char max_lives[16];

	snprintf(max_lives, sizeof max_lives, "%u", request->max_sessions);
	template_fill(out, program_text_lives,
	    (const struct slot[]){
	        { "UNOWNED", unowned(request) },
	        { "ACCEPTED", takes_accepted(request, kernel) ? "is_accepted(tp)" : "ANSWER_UNKNOWN" },
	        { "MAX_LIVES", max_lives },
	    },
	    3);
	if (plan_has(plan, SYMBOL_TCP_SEND_RESET))
		template_fill(out, program_text_lives_reset,
		    (const struct slot[]){ { "REASON", has_reason ? "(u32)ctx[2]" : "0" } }, 1);
}

static void print_casts(FILE *out, const struct kernel *kernel)
{
	static const char *const macros[] = {
#define TYPE_MACRO(type, name) [TYPE_##type] = "TYPE_" #type,
		KERNEL_TYPES(TYPE_MACRO)
#undef TYPE_MACRO
	};
	char function[16];

	snprintf(function, sizeof function, "%u",
	    KERNEL_FUNCTION_CALLS + kernel->prototypes[SYMBOL_BPF_RDONLY_CAST].btf_id);
	template_fill(out, program_text_casts, (const struct slot[]){ { "RDONLY_CAST", function } }, 1);
	for (int i = 0; i < TYPE_COUNT; i++)
		fprintf(out, "#define %s %u\n", macros[i], kernel->type_ids[i]);
}

/* How programs read fields, and find the current task. */
static void print_access(FILE *out, const struct kernel *kernel, const struct plan *plan)
{
	bool casts = plan->needs & NEED_CAST;

	if (!plan->direct && !casts) {
		fputs(program_text_access_probe, out);
		return;
	}
	fputs(program_text_access_direct, out);
	if (casts)
		print_casts(out, kernel);
	fputs(plan->direct ? program_text_sockets_typed : program_text_sockets_cast, out);
	if (plan->needs & NEED_CURRENT)
		fputs(program_text_current_of_cpu, out);
	else if (casts && kernel->processor && kernel->version >= kernel->processor->inlines_current_since)
		fputs(program_text_current_inlined, out);
	else
		fputs(program_text_current_helper, out);
}

static int print_head(FILE *out, const struct program_request *request, const struct kernel *kernel,
    const struct plan *plan, enum offsets_from from, struct error *error)
{
	struct buffer buffers[2] = { 0 }, *layout = &buffers[0], *access = &buffers[1];
	int err = open_buffers(buffers, COUNT_OF(buffers));

	if (err)
		return err;
	int offsets_err = print_offsets(layout->stream, request, kernel, plan, from, error);

	print_access(access->stream, kernel, plan);
	err = close_buffers(buffers, COUNT_OF(buffers));
	const struct slot slots[] = {
		{ "LAYOUT", layout->bytes },
		{ "SESSION", program_text_session_h },
		{ "SOCKET", has_typed(plan) ? program_text_socket_h : "" },
		{ "LIFE", plan_has_duty(plan, DUTY_NOTE_LIVES) ? program_text_life_h : "" },
		{ "ACCESS", access->bytes },
	};

	if (!err && !offsets_err)
		template_fill(out, program_text_head, slots, COUNT_OF(slots));
	free_buffers(buffers, COUNT_OF(buffers));
	return offsets_err ?: err;
}

int program_build(char **text, const struct program_request *request, const struct kernel *kernel,
    const struct plan *plan, enum offsets_from from, struct error *error)
{
	struct buffer program;
	int err = buffer_open(&program);

	*text = NULL;
	if (err)
		goto out_of_memory;
	error->text[0] = '\0';
	err = print_head(program.stream, request, kernel, plan, from, error);
	if (!err) {
		print_counting(program.stream, request, kernel, plan, from);
		err = print_account(program.stream, request);
	}
	if (!err)
		err = method_find(plan->method)->print(program.stream, kernel, plan);
	if (!err && plan_has_duty(plan, DUTY_NOTE_ENDS))
		err = print_ends(program.stream, request, kernel, from);
	if (!err && plan_has_duty(plan, DUTY_NOTE_CGROUPS))
		print_cgroups(program.stream, request);
	if (!err && has_typed(plan))
		err = print_typed(program.stream, request);
	if (!err && plan_has_duty(plan, DUTY_TELL_SOCKETS))
		print_sockets(program.stream, request, plan);
	if (!err && plan_has_duty(plan, DUTY_NOTE_LIVES))
		print_lives(program.stream, request, kernel, plan);
	err = buffer_close(&program) ?: err;
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
