/* SPDX-License-Identifier: Apache-2.0 */
/* Program texts for an invented kernel, with offsets that no two fields share. */
#ifndef TCPTOP_INVENTED_H
#define TCPTOP_INVENTED_H

#include <errno.h>

#include "base/error.h"
#include "kernel/kernel.h"
#include "kernel/method.h"
#include "kernel/processor.h"
#include "kernel/program.h"
#include "options.h"

#define ARGUMENTS_MAX 8

static inline struct kernel invented_kernel(uint32_t version)
{
	struct kernel kernel = { .version = version,
		.has_btf = true,
		.kprobe_pmu_type = 6,
		.processor = processor_find(),
		.cpus = 2 };

	for (int i = 0; i < FIELD_COUNT; i++)
		kernel.offsets[i] = 1000 + 8 * i;
	for (int i = 0; i < FIELD_COUNT; i++) {
		bool some = kernel_field_needs(i) & NEED_BITS;

		kernel.bits[i].shift = some ? i % 5 : 0;
		kernel.bits[i].count = some ? 1 + i % 3 : 8;
	}
	for (int i = 0; i < SYMBOL_COUNT; i++)
		kernel.prototypes[i] = (struct kernel_prototype){ 100 + i, 3, false };
	for (int i = 0; i < TYPE_COUNT && version >= KERNEL_VERSION_CODE(6, 2, 0); i++)
		kernel.type_ids[i] = 300 + i;
	kernel.prototypes[SYMBOL_INET_RECVMSG].parameter_count = 4;
	kernel.prototypes[SYMBOL_INET6_RECVMSG].parameter_count = 4;
	kernel.prototypes[SYMBOL_INET_SENDPAGE].parameter_count = 5;
	kernel.prototypes[SYMBOL_TCP_SPLICE_READ].parameter_count = 5;
	return kernel;
}

struct input {
	uint32_t version;
	enum probe_method method;
	unsigned refused; /* kinds of hook that do not work: bits */
	enum offsets_from from;
	const char *arguments[ARGUMENTS_MAX]; /* a command line without its first word */
	bool no_sockets;                      /* all sockets are not told of, whatever asks for it */
	bool no_socket_iterator;              /* the kernel has none */
};

#define VERSION_6_18 KERNEL_VERSION_CODE(6, 18, 0)

#define VERSION_7_3 KERNEL_VERSION_CODE(7, 3, 0)

/* Neither functions can be probed: splice() is followed. */
#define NO_FUNCTIONS (1U << HOOK_FEXIT | 1U << HOOK_KPROBE)
#define NOT_TYPED (1U << HOOK_TYPED_TRACEPOINT | NO_FUNCTIONS)

static inline void parse(struct options *options, const char *const *arguments)
{
	char *argv[ARGUMENTS_MAX + 3] = { "tcptop", "--ebpf" };
	struct error error = { 0 };
	int argc = 2;

	for (; *arguments; arguments++)
		argv[argc++] = (char *)*arguments;
	if (options_parse(options, argc, argv, false, &error) != 0)
		fail_msg("%s", error.text);
}

static unsigned refused;

static inline int try_cast(enum hook_kind kind, const struct kernel *kernel)
{
	(void)kind, (void)kernel;
	return 0;
}

static inline int try_hook(const struct hook *hook, const struct kernel *kernel)
{
	(void)kernel;
	return refused & (1U << hook->kind) ? -EPERM : 0;
}

static inline bool make_plan(
    struct plan *plan, const struct input *input, struct kernel *kernel, struct planner *planner)
{
	static const struct method_trial trial = { .attach = try_hook, .cast = try_cast };

	refused = input->refused;
	kernel->preemptible = kernel->tracepoints_preemptible =
	    input->version >= KERNEL_VERSION_CODE(7, 0, 0);
	*planner = (struct planner){ .kernel = kernel, .trial = &trial };
	return method_plan(plan, method_find(input->method), planner);
}

/* For free(). */
static inline char *build(const struct input *input)
{
	struct kernel kernel = invented_kernel(input->version);
	struct plan plan;
	struct options options;
	struct error error = { 0 };
	struct planner planner;
	char *text;

	parse(&options, input->arguments);
	struct program_request request;
	struct conditions conditions = { 0 };

	if (options_program(&request, &conditions, &options, &error) != 0)
		fail_msg("%s", error.text);
	bool works = make_plan(&plan, input, &kernel, &planner);

	if (input->no_sockets)
		request.max_sockets = 0;
	if (input->no_socket_iterator)
		kernel.prototypes[SYMBOL_BPF_ITER_SOCKETS].btf_id = 0;
	program_add_hooks(&plan, &request, &kernel);
	if (!works)
		fail_msg("%s", planner.why);
	if (program_build(&text, &request, &kernel, &plan, input->from, &error) != 0)
		fail_msg("%s", error.text);
	options_fini(&options);
	conditions_fini(&conditions);
	assert_non_null(text);
	return text;
}

#endif
