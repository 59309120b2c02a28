/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/attach.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/util.h"
#include "kernel/kernel.h"
#include "kernel/method.h"
#include "loader/tracefs.h"

#define LOG_SIZE (256 * 1024)

static int open_tracepoint(const struct hook *hook, const struct kernel *kernel);
static int open_kprobe(const struct hook *hook, const struct kernel *kernel);
static int attach_event(const struct hook *hook, int program_fd, int event_fd);
static int attach_raw_tracepoint(const struct hook *hook, int program_fd, int event_fd);
static int attach_typed(const struct hook *hook, int program_fd, int event_fd);

/* What the kinds of hook differ in. */
static const struct kind {
	enum bpf_prog_type program_type;
	enum bpf_attach_type attach_type; /* of BPF_PROG_TYPE_TRACING */
	int (*open_event)(const struct hook *hook, const struct kernel *kernel); /* NULL: it has none */
	int (*attach)(const struct hook *hook, int program_fd, int event_fd);
} kinds[] = {
	[HOOK_TYPED_TRACEPOINT] = { BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, NULL, attach_typed },
	[HOOK_RAW_TRACEPOINT] = { BPF_PROG_TYPE_RAW_TRACEPOINT, 0, NULL, attach_raw_tracepoint },
	[HOOK_PERF_TRACEPOINT] = { BPF_PROG_TYPE_TRACEPOINT, 0, open_tracepoint, attach_event },
	[HOOK_ITERATOR] = { BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, NULL, NULL }, /* attach_run_iterator */
	[HOOK_FEXIT] = { BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, NULL, attach_typed },
	[HOOK_KPROBE] = { BPF_PROG_TYPE_KPROBE, 0, open_kprobe, attach_event },
	[HOOK_KRETPROBE] = { BPF_PROG_TYPE_KPROBE, 0, open_kprobe, attach_event },
};

/* Finds the module's BTF by walking all BTF objects (CAP_SYS_ADMIN). A descriptor or -errno. */
static int open_module_btf(void)
{
	__u32 id = 0;

	while (bpf_btf_get_next_id(id, &id) == 0) {
		char name[64] = "";
		struct bpf_btf_info info = { .name = (__u64)(uintptr_t)name, .name_len = sizeof name };
		__u32 length = sizeof info;
		int fd = bpf_btf_get_fd_by_id(id);

		if (fd < 0)
			continue; /* gone again */
		if (bpf_obj_get_info_by_fd(fd, &info, &length) == 0 && info.kernel_btf &&
		    strcmp(name, KERNEL_MODULE) == 0)
			return fd;
		close(fd);
	}
	return -errno;
}

static int load(const struct hook *hook, const struct kernel *kernel, const struct bpf_insn *instructions,
    size_t count, char *log, size_t log_size)
{
	int module_fd = -1;
	LIBBPF_OPTS(bpf_prog_load_opts, options, .kern_version = kernel->version, .log_buf = log,
	    .log_size = log_size, .log_level = log ? 1 : 0);

	const struct kernel_prototype *prototype = &kernel->prototypes[hook->symbol];
	const struct kind *kind = &kinds[hook->kind];

	if (kind->program_type == BPF_PROG_TYPE_TRACING) {
		options.expected_attach_type = kind->attach_type;
		options.attach_btf_id = prototype->btf_id;
		if (prototype->in_module) {
			module_fd = open_module_btf();
			if (module_fd < 0)
				return module_fd;
			options.attach_btf_obj_fd = module_fd;
		}
	}
	int fd = bpf_prog_load(kind->program_type, "tcptop", "GPL", instructions, count, &options);
	int err = fd < 0 ? -errno : 0;

	if (module_fd >= 0)
		close(module_fd);
	return err ?: fd;
}

/* BPF_PSEUDO_KFUNC_CALL (5.13): the call's number is the BTF id of a function of the kernel's. */
enum { OF_KERNEL_FUNCTION = 2 };

/* A copy in which the text's numbers of the kernel's own functions are calls of these (KERNEL_FUNCTION_CALLS). NULL: no memory. */
static struct bpf_insn *resolve(const struct bpf_insn *instructions, size_t count)
{
	struct bpf_insn *resolved = calloc(count, sizeof *resolved);

	for (size_t i = 0; i < count && resolved; i++) {
		struct bpf_insn *to = &resolved[i];

		*to = instructions[i];
		if (to->code == (BPF_JMP | BPF_CALL) && !to->src_reg && to->imm >= KERNEL_FUNCTION_CALLS) {
			to->src_reg = OF_KERNEL_FUNCTION;
			to->imm -= KERNEL_FUNCTION_CALLS;
		}
	}
	return resolved;
}

int attach_load(
    const struct hook *hook, const struct kernel *kernel, const struct bpf_insn *instructions, size_t count)
{
	struct bpf_insn *resolved = resolve(instructions, count);
	int fd = resolved ? load(hook, kernel, resolved, count, NULL, 0) : -ENOMEM;
	char *log = resolved && fd < 0 ? calloc(1, LOG_SIZE) : NULL;

	if (log) {
		load(hook, kernel, resolved, count, log, LOG_SIZE);
		fprintf(stderr, "%s: %s\n%s", hook->function, strerror(-fd), log);
	}
	free(log);
	free(resolved);
	return fd;
}

/* One event serves all CPUs, if its own is online: the program is attached to the probe, not to the event. */
static int open_event(struct perf_event_attr *attributes)
{
	int cpu = sched_getcpu();
	int fd = syscall(SYS_perf_event_open, attributes, -1, cpu < 0 ? 0 : cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/*
 * A perf event of the kprobe PMU, with the default number of return instances: unlike an event made in
 * tracefs it is gone with its descriptor, however the process ends (perf_event_open(2)).
 */
static int open_kprobe(const struct hook *hook, const struct kernel *kernel)
{
	struct perf_event_attr attributes = {
		.type = kernel->kprobe_pmu_type,
		.size = sizeof attributes,
		.config = hook->kind == HOOK_KRETPROBE ? 1ULL << kernel->kretprobe_bit : 0,
		.kprobe_func = (__u64)(uintptr_t)kernel_symbol_name(hook->symbol),
	};

	return open_event(&attributes);
}

/* perf wants the number of a tracepoint, which tracefs alone tells: mounted as usual, or else for us alone. */
static int open_tracepoint(const struct hook *hook, const struct kernel *kernel)
{
	struct perf_event_attr attributes = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof attributes };
	unsigned id = 0;
	int err = tracefs_event_id(&id, kernel_symbol_group(hook->symbol), kernel_symbol_name(hook->symbol));

	(void)kernel;
	attributes.config = id;
	return err ?: open_event(&attributes);
}

int attach_prepare(const struct hook *hook, const struct kernel *kernel, int *event_fd)
{
	const struct kind *kind = &kinds[hook->kind];

	*event_fd = -1;
	if (!kind->open_event)
		return 0;
	*event_fd = kind->open_event(hook, kernel);
	return *event_fd < 0 ? *event_fd : 0;
}

/* E2BIG says here that too many programs share the place; when loading, that the program is too long. */
static int attach_failed(void)
{
	return errno == E2BIG ? -EUSERS : -errno;
}

static int attach_event(const struct hook *hook, int program_fd, int event_fd)
{
	(void)hook;
	if (ioctl(event_fd, PERF_EVENT_IOC_SET_BPF, program_fd) != 0 ||
	    ioctl(event_fd, PERF_EVENT_IOC_ENABLE, 0) != 0)
		return attach_failed();
	return event_fd;
}

static int attach_raw_tracepoint(const struct hook *hook, int program_fd, int event_fd)
{
	int fd = bpf_raw_tracepoint_open(kernel_symbol_name(hook->symbol), program_fd);

	(void)event_fd;
	return fd < 0 ? attach_failed() : fd;
}

/* BTF-typed programs know their target. */
static int attach_typed(const struct hook *hook, int program_fd, int event_fd)
{
	int fd = bpf_raw_tracepoint_open(NULL, program_fd);

	(void)hook, (void)event_fd;
	return fd < 0 ? attach_failed() : fd;
}

int attach_program(const struct hook *hook, int program_fd, int event_fd)
{
	return kinds[hook->kind].attach(hook, program_fd, event_fd);
}

int attach_run_iterator(int program_fd)
{
	char bytes[64]; /* the program prints nothing: reading only makes it run */
	int link_fd = bpf_link_create(program_fd, 0, BPF_TRACE_ITER, NULL), err = 0;

	if (link_fd < 0)
		return -errno;
	int fd = bpf_iter_create(link_fd);
	ssize_t length = -1;

	if (fd < 0)
		err = -errno;
	while (!err && (length = read(fd, bytes, sizeof bytes)) != 0)
		if (length < 0 && errno != EINTR && errno != EAGAIN)
			err = -errno;
	if (fd >= 0)
		close(fd);
	close(link_fd);
	return err;
}

void attach_raise_memlock(void)
{
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
}

int attach_try(const struct hook *hook, const struct kernel *kernel)
{
	static const struct bpf_insn return_zero[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int program_fd = load(hook, kernel, return_zero, 2, NULL, 0);

	if (program_fd < 0)
		return program_fd;
	int event_fd, err = attach_prepare(hook, kernel, &event_fd);
	int link_fd = err ? err : attach_program(hook, program_fd, event_fd);

	close(program_fd);
	if (event_fd >= 0 && event_fd != link_fd)
		close(event_fd);
	if (link_fd < 0)
		return link_fd;
	close(link_fd);
	return 0;
}

/* What programs load from addresses that were given a type: a field of each type, and the way to a CPU's run queue. */
static const struct {
	enum kernel_type type;
	enum kernel_field fields[3]; /* each of what the one before points to; FIELD_COUNT: no more */
	uint8_t size;                /* of the last one */
} cast_trials[] = {
	{ TYPE_TASK_STRUCT, { FIELD_TASK_TGID, FIELD_COUNT }, BPF_W },
	{ TYPE_TASK_STRUCT, { FIELD_TASK_CFS_RQ, FIELD_CFS_RQ_RQ, FIELD_RQ_CURR }, BPF_DW },
	{ TYPE_RQ, { FIELD_RQ_CURR, FIELD_COUNT }, BPF_DW },
	{ TYPE_SOCK, { FIELD_SK_NET, FIELD_NET_INUM, FIELD_COUNT }, BPF_W },
	{ TYPE_SOCKET, { FIELD_SOCKET_SK, FIELD_COUNT }, BPF_DW },
	{ TYPE_TCP_SOCK, { FIELD_TCP_COPIED_SEQ, FIELD_COUNT }, BPF_W },
	{ TYPE_PT_REGS, { FIELD_REGS_BEFORE, FIELD_COUNT }, BPF_DW },
};

/* Appends what loads the fields of one trial, as far as their places are known, from the current task's address. */
static size_t add_cast(struct bpf_insn *to, size_t trial, const struct kernel *kernel)
{
	const enum kernel_field *fields = cast_trials[trial].fields;
	const struct bpf_insn cast[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_current_task },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
		    .dst_reg = BPF_REG_2,
		    .imm = (int32_t)kernel->type_ids[cast_trials[trial].type] },
		{ .code = BPF_JMP | BPF_CALL,
		    .src_reg = OF_KERNEL_FUNCTION,
		    .imm = (int32_t)kernel->prototypes[SYMBOL_BPF_RDONLY_CAST].btf_id },
	};
	size_t count = COUNT_OF(cast);

	memcpy(to, cast, sizeof cast);
	for (size_t i = 0; i < COUNT_OF(cast_trials[trial].fields) && fields[i] != FIELD_COUNT; i++) {
		bool last = i + 1 == COUNT_OF(cast_trials[trial].fields) || fields[i + 1] == FIELD_COUNT;

		if (kernel->offsets[fields[i]] < 0)
			break;
		to[count++] =
		    (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | (last ? cast_trials[trial].size : BPF_DW),
			    .dst_reg = BPF_REG_0,
			    .src_reg = BPF_REG_0,
			    .off = (int16_t)kernel->offsets[fields[i]] };
	}
	return count;
}

int attach_try_cast(enum hook_kind kind, const struct kernel *kernel)
{
	const struct hook hook = { .kind = kind, .symbol = SYMBOL_INET_SOCK_SET_STATE }; /* any tracepoint */
	struct bpf_insn program[COUNT_OF(cast_trials) * 8];
	size_t count = 0;

	for (size_t i = 0; i < COUNT_OF(cast_trials); i++)
		count += add_cast(program + count, i, kernel);
	program[count++] =
	    (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 };
	program[count++] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	int program_fd = load(&hook, kernel, program, count, NULL, 0);

	if (program_fd < 0)
		return attach_ran_out(program_fd) ? 0 : program_fd; /* loading the programs will say so */
	close(program_fd);
	return 0;
}

/* Shortages of the host that pass, as opposed to what its kernel cannot do; beside those of error_remedy. */
static const struct {
	int err;
	const char *remedy;
} shortages[] = {
	{ -ENOMEM, "the host is short of memory: free some, or ask for less with --max-sessions" },
	{ -ENOSPC, "the kernel has no room for more of its kind: end other tracers" },
	{ -EUSERS, "the kernel takes no more programs there: end other tracers" },
	{ -EBUSY, "something else holds it: end other tracers" },
	{ -EAGAIN, "try again" },
};

static const char *find_remedy(int err)
{
	for (size_t i = 0; i < sizeof shortages / sizeof *shortages; i++)
		if (shortages[i].err == err)
			return shortages[i].remedy;
	return error_remedy(err);
}

bool attach_ran_out(int err)
{
	return find_remedy(err) != NULL;
}

int attach_error(struct error *error, int err, const char *what)
{
	const char *remedy = find_remedy(err);

	if (remedy)
		return error_set(
		    error, EXIT_CODE_RUNTIME, err, "cannot attach %s: %s\n%s", what, strerror(-err), remedy);
	if (err == -EPERM)
		return error_set(error, EXIT_CODE_PERMISSION, err,
		    "cannot attach %s: %s\nrun tcptop on the host as root; -v shows what was tried", what,
		    strerror(-err));
	return error_set(error, EXIT_CODE_UNSUPPORTED, err,
	    "cannot attach %s: %s\nthis kernel lacks what it needs: try another --probe", what,
	    strerror(-err));
}
