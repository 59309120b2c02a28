/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/child.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "loader/attach.h"
#include "loader/bcc.h"
#include "base/error.h"
#include "kernel/kernel.h"
#include "loader/loader.h"
#include "loader/message.h"
#include "kernel/program.h"
#include "loader/sandbox.h"
#include "model/session.h"

struct child {
	int socket;
	const struct options *options;
	const struct filter_fds *filters;
	struct kernel kernel;
	struct sandbox sandbox;
	struct bcc bcc;
	struct tracing tracing;
	struct error error;
};

static __attribute__((format(printf, 2, 3))) void note(struct child *child, const char *format, ...)
{
	struct loader_message message = { .kind = LOADER_NOTE };
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message.note, sizeof message.note, format, arguments);
	va_end(arguments);
	loader_message_send(child->socket, &message, NULL);
}

/* Before 5.11 tables count against this limit. Without CAP_SYS_RESOURCE it stays as it is. */
static void raise_memlock(void)
{
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
}

/* Creating a map is the least that bpf(2) can be asked: refused, the reason is not the kernel's features. */
static int check_bpf(struct child *child)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "tcptop_try", 4, 4, 1, NULL), err = -errno;

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (err == -ENOSYS)
		return error_set(&child->error, EXIT_CODE_UNSUPPORTED, err,
		    "this kernel has no bpf(2): it needs CONFIG_BPF_SYSCALL");
	return error_set(&child->error, err == -EPERM ? EXIT_CODE_PERMISSION : EXIT_CODE_RUNTIME, err,
	    "the kernel refuses BPF maps: %s\nin a container or user namespace? run tcptop on the host as "
	    "root",
	    strerror(-err));
}

/* One method, as BTF-typed programs where that is a choice. 0 or -errno; *why tells the user. */
static int try_plan(struct child *child, enum probe_method method, bool typed, char *why, size_t why_size)
{
	struct probe_plan *plan = &child->tracing.plan;
	const char *reason = "";

	if (!probe_plan_make(plan, method, typed, &child->kernel, &reason)) {
		snprintf(why, why_size, "%s", reason);
		return -ENOTSUP;
	}
	int err = attach_try(&plan->probes[0], &child->kernel);

	if (err)
		snprintf(why, why_size, "the kernel refuses it: %s",
		    err == -524 ? "not supported on this processor" : strerror(-err)); /* ENOTSUPP */
	return err;
}

static int try_method(struct child *child, enum probe_method method, char *why, size_t why_size)
{
	int err = try_plan(child, method, true, why, why_size);

	if (err && method == PROBE_TRACEPOINT) {
		note(child, "probe tracepoint, BTF-typed: %s", why);
		err = try_plan(child, method, false, why, why_size);
	}
	note(child, "probe %s: %s", probe_method_name(method), err ? why : "works");
	return err;
}

static int choose_method(struct child *child)
{
	char why[128] = "", all[400] = "";
	enum probe_method wanted = child->options->probe;
	bool forbidden = false; /* by perf_event_open(2); bpf(2) refuses with EPERM also what it cannot do */
	int shortage = 0;

	for (size_t i = 0; i < probe_auto_count; i++) {
		enum probe_method method = probe_auto_order[i];

		if (wanted != PROBE_AUTO && wanted != method)
			continue;
		int err = try_method(child, method, why, sizeof why);

		if (!err)
			return 0;
		if (attach_ran_out(err))
			shortage = err;
		forbidden |= err == -EACCES;
		size_t used = strlen(all);

		snprintf(all + used, sizeof all - used, "%s%s: %s", used ? "; " : "",
		    probe_method_name(method), why);
	}
	if (shortage)
		return attach_error(&child->error, shortage, "a program for a trial");
	if (forbidden)
		return error_set(&child->error, EXIT_CODE_PERMISSION, -EACCES,
		    "%s\nrun tcptop as root, or allow kprobes to CAP_PERFMON: sysctl "
		    "kernel.perf_event_paranoid=2",
		    all);
	return error_set(&child->error, EXIT_CODE_UNSUPPORTED, -ENOTSUP, "%s\n%s",
	    wanted == PROBE_AUTO ? "no probe method works on this kernel"
	                         : "this probe method does not work here",
	    all);
}

static int compile(struct child *child, enum program_layout layout)
{
	char *text;
	int err =
	    program_build(&text, child->options, &child->kernel, &child->tracing.plan, layout, &child->error);

	if (err)
		return err;
	err = bcc_compile(&child->bcc, text, &child->error);
	free(text);
	return err;
}

static int compile_with_stubs(struct child *child)
{
	int err = sandbox_add_stubs(&child->sandbox, &child->kernel, &child->error);

	note(child, "headers: generated stubs, layouts from BTF");
	return err ?: compile(child, PROGRAM_LAYOUT_BTF);
}

/* libbcc finds installed headers by itself; pointed at the stubs it never looks for others. */
static int compile_program(struct child *child)
{
	const struct kernel *kernel = &child->kernel;

	if (kernel->headers == HEADERS_NONE && !kernel->has_btf)
		return error_set(&child->error, EXIT_CODE_UNSUPPORTED, -ENOTSUP,
		    "this kernel has no BTF, and its headers are not installed\n"
		    "install them: package linux-headers-%.60s (Debian, Ubuntu) or kernel-devel (Fedora)",
		    kernel->release);
	if (kernel->headers == HEADERS_NONE)
		return compile_with_stubs(child);
	note(child, "headers: /lib/modules/%s/build, layouts from %s", kernel->release,
	    kernel->has_btf ? "BTF" : "<net/sock.h>");
	int err = compile(child, kernel->has_btf ? PROGRAM_LAYOUT_BTF : PROGRAM_LAYOUT_HEADERS);

	if (!err || !kernel->has_btf)
		return err;
	note(child, "headers: those do not compile, trying without");
	return compile_with_stubs(child);
}

static const struct {
	enum map table;
	const char *name;
	size_t key_size;
	size_t value_size;
} text_tables[] = {
	{ MAP_GENERATION, "generation", sizeof(__u32), sizeof(__u32) },
	{ MAP_OTHER, "other", sizeof(__u32), sizeof(struct session_other) },
	{ MAP_MISSED_RUNS, "missed_runs", sizeof(__u32), sizeof(__u64) },
	{ MAP_SESSIONS4_EVEN, "sessions4_even", sizeof(struct session_key4), sizeof(struct session_value) },
	{ MAP_SESSIONS4_ODD, "sessions4_odd", sizeof(struct session_key4), sizeof(struct session_value) },
	{ MAP_SESSIONS6_EVEN, "sessions6_even", sizeof(struct session_key6), sizeof(struct session_value) },
	{ MAP_SESSIONS6_ODD, "sessions6_odd", sizeof(struct session_key6), sizeof(struct session_value) },
};

/* What the kernel accounts to a map, in bytes (proc(5), fdinfo's memlock). */
static unsigned long map_memory_bytes(int fd)
{
	char path[64], line[128];
	unsigned long bytes = 0;

	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	FILE *stream = fopen(path, "re");

	if (!stream)
		return 0;
	while (fgets(line, sizeof line, stream))
		if (sscanf(line, "memlock: %lu", &bytes) == 1)
			break;
	fclose(stream);
	return bytes;
}

static int take_tables(struct child *child)
{
	unsigned long bytes = 0;

	for (size_t i = 0; i < sizeof text_tables / sizeof *text_tables; i++) {
		int fd = bcc_table_fd(&child->bcc, text_tables[i].name);

		if (fd < 0)
			continue;
		if (bcc_table_key_size(&child->bcc, text_tables[i].name) != text_tables[i].key_size ||
		    bcc_table_value_size(&child->bcc, text_tables[i].name) != text_tables[i].value_size)
			return error_set(&child->error, EXIT_CODE_RUNTIME, -EPROTO,
			    "table %s was not compiled as it is read: its sizes differ", text_tables[i].name);
		child->tracing.maps[text_tables[i].table] = fd;
		bytes += map_memory_bytes(fd);
	}
	note(child, "tables: %u sessions each, %.1f MB of kernel memory in all", child->options->max_sessions,
	    bytes / 1e6);
	return 0;
}

/* The user's maps take the places of the text's placeholders: instructions name descriptors, not maps. */
static int place_filter_maps(struct child *child)
{
	const struct {
		const char *placeholder;
		int fd;
	} filters[] = {
		{ "filter_cgroups", child->filters->cgroups },
		{ "filter_mntns", child->filters->mntns },
	};

	for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
		if (filters[i].fd >= 0 &&
		    dup2(filters[i].fd, bcc_table_fd(&child->bcc, filters[i].placeholder)) < 0)
			return error_set(&child->error, EXIT_CODE_RUNTIME, -errno,
			    "cannot place the filter map: %s", strerror(errno));
	return 0;
}

/* kernel/bpf/syscall.c, maybe_wait_bpf_programs: updating a map of maps waits for an RCU grace period. */
static int make_barrier(struct child *child)
{
	int *maps = child->tracing.maps;

	maps[MAP_BARRIER_SLOT] = bpf_map_create(BPF_MAP_TYPE_ARRAY, "tcptop_slot", 4, 4, 1, NULL);
	LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = maps[MAP_BARRIER_SLOT]);

	if (maps[MAP_BARRIER_SLOT] >= 0)
		maps[MAP_BARRIER] =
		    bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "tcptop_barrier", 4, 4, 1, &options);
	if (maps[MAP_BARRIER] < 0)
		return error_set(&child->error, EXIT_CODE_RUNTIME, -errno, "cannot make the barrier map: %s",
		    strerror(errno));
	return 0;
}

/* Of the tracepoints, only what follows splice() can be done without. */
static bool is_required(const struct probe *probe)
{
	for (size_t i = 0; i < probe_hook_count; i++)
		if (probe_hooks[i].symbol == probe->symbol)
			return probe_hooks[i].required;
	return probe->symbol == SYMBOL_SOCK_SEND_LENGTH || probe->symbol == SYMBOL_SOCK_RECV_LENGTH;
}

/* A program on its way from the text to what it is attached to. */
struct hook {
	const struct probe *probe; /* NULL: given up */
	int program_fd;
	int event_fd;
	int link_fd;
};

struct hooks {
	size_t count;
	struct hook all[PROBES_MAX];
};

static void close_hook(struct hook *hook)
{
	const int fds[] = { hook->link_fd, hook->event_fd, hook->program_fd };

	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	*hook = (struct hook){ NULL, -1, -1, -1 };
}

static bool follows_splice(const struct probe *probe)
{
	return probe->symbol == SYMBOL_TCP_RCV_SPACE_ADJUST || probe->symbol == SYMBOL_BPF_ITER_TASK_FILE;
}

/*
 * Both are attached or none: an entry without its return counts nothing, and a socket's position without the
 * iterator's would be counted from anywhere.
 */
static bool belong_together(const struct probe *one, const struct probe *other)
{
	return one->symbol == other->symbol || (follows_splice(one) && follows_splice(other));
}

static void give_up(struct hooks *hooks, const struct probe *probe)
{
	for (size_t i = 0; i < hooks->count; i++)
		if (hooks->all[i].probe && belong_together(hooks->all[i].probe, probe))
			close_hook(&hooks->all[i]);
}

static int load_hook(struct child *child, struct hook *hook)
{
	size_t count;
	const struct bpf_insn *instructions = bcc_function(&child->bcc, hook->probe->function, &count);

	hook->program_fd =
	    instructions ? attach_load(hook->probe, &child->kernel, instructions, count) : -ENOENT;
	return hook->program_fd < 0 ? hook->program_fd : 0;
}

static int prepare_hook(struct child *child, struct hook *hook)
{
	return attach_prepare(hook->probe, &child->kernel, &hook->event_fd);
}

/*
 * Takes the position of every socket that is open now, then lets those without one be counted from their
 * birth. Events in between, of sockets on either side, only take positions.
 */
static int run_iterator(struct child *child, int program_fd)
{
	uint32_t slot = 0, ready = 1;
	int err = attach_run_iterator(program_fd);

	if (!err &&
	    bpf_map_update_elem(bcc_table_fd(&child->bcc, "splice_ready"), &slot, &ready, BPF_ANY) != 0)
		err = -errno;
	return err;
}

static int attach_hook(struct child *child, struct hook *hook)
{
	if (hook->probe->kind == PROBE_KIND_ITERATOR)
		return run_iterator(child, hook->program_fd);
	hook->link_fd = attach_program(hook->probe, hook->program_fd, hook->event_fd);
	if (hook->link_fd < 0)
		return hook->link_fd;
	hook->event_fd = -1; /* the link is made of it */
	return 0;
}

static int attach_return_hook(struct child *child, struct hook *hook)
{
	return hook->probe->kind == PROBE_KIND_KRETPROBE ? attach_hook(child, hook) : 0;
}

static int attach_other_hook(struct child *child, struct hook *hook)
{
	return hook->probe->kind != PROBE_KIND_KRETPROBE ? attach_hook(child, hook) : 0;
}

/*
 * What cannot be had and is not required leaves the plan. A host that has run out of something ends it: what
 * would then be declared as not counted is not the kernel's fault.
 */
static int for_each_hook(
    struct child *child, struct hooks *hooks, int (*step)(struct child *child, struct hook *hook))
{
	for (size_t i = 0; i < hooks->count; i++) {
		const struct probe *probe = hooks->all[i].probe;
		int err = probe ? step(child, &hooks->all[i]) : 0;

		if (!err)
			continue;
		if (is_required(probe) || attach_ran_out(err))
			return attach_error(&child->error, err, probe->function);
		note(child, "cannot attach %s: %s", probe->function, strerror(-err));
		give_up(hooks, probe);
	}
	return 0;
}

/* The plan is now what was attached. What stays open passes to child->tracing. */
static void take_hooks(struct child *child, struct hooks *hooks)
{
	struct tracing *tracing = &child->tracing;
	struct probe_plan plan = tracing->plan;

	plan.probe_count = 0;
	for (size_t i = 0; i < hooks->count; i++) {
		struct hook *hook = &hooks->all[i];

		if (hook->probe && hook->probe->kind != PROBE_KIND_ITERATOR) {
			tracing->programs[plan.probe_count] = hook->program_fd;
			tracing->links[plan.probe_count] = hook->link_fd;
			plan.probes[plan.probe_count++] = *hook->probe;
			hook->program_fd = hook->link_fd = -1;
		}
		close_hook(hook);
	}
	tracing->plan = plan;
}

/*
 * All programs are loaded, and kprobes' events made, before the first one is attached: that takes milliseconds
 * each, and between the first and the last one's beginning bytes are counted in one direction alone.
 *
 * The order matters. Events in the plan's order, entry before return: the handler that was registered last
 * runs first, so that the program at the entry finds the return address replaced. Programs in the opposite
 * one: no entry is seen whose return is not. The iterator comes right after what needs its positions.
 */
static int attach_all(struct child *child)
{
	struct probe_plan *plan = &child->tracing.plan;
	struct hooks hooks = { .count = plan->probe_count };
	struct timespec now;

	for (size_t i = 0; i < hooks.count; i++)
		hooks.all[i] = (struct hook){ &plan->probes[i], -1, -1, -1 };
	int err = for_each_hook(child, &hooks, load_hook);

	err = err ?: for_each_hook(child, &hooks, prepare_hook);
	clock_gettime(CLOCK_MONOTONIC, &now);
	child->tracing.start_ns = (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	err = err ?: for_each_hook(child, &hooks, attach_return_hook);
	err = err ?: for_each_hook(child, &hooks, attach_other_hook);
	if (!err)
		take_hooks(child, &hooks);
	return err; /* else all ends with this process */
}

/* A call that moves nothing shows the programs of kretprobes where returns go: see kprobe_calls.c. */
static void return_once(const struct probe_plan *plan)
{
	int fd = plan->method == PROBE_KPROBE ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
	char byte;

	if (fd < 0)
		return;
	recv(fd, &byte, sizeof byte, MSG_DONTWAIT); /* ENOTCONN */
	close(fd);
}

int loader_child(int socket, const struct options *options, const struct filter_fds *filters)
{
	struct child child = { .socket = socket, .options = options, .filters = filters };
	struct loader_message message = { .kind = LOADER_READY };

	tracing_init(&child.tracing);
	raise_memlock();
	int err = check_bpf(&child);

	err = err ?: kernel_inspect(&child.kernel, NULL, &child.error);
	child.tracing.in_pid_namespace = child.kernel.in_pid_namespace;
	err = err ?: choose_method(&child);
	err = err ?: sandbox_enter(&child.sandbox, &child.error);
	if (!err)
		sandbox_shorten_symbols(&child.sandbox, &child.kernel);
	err = err ?: bcc_open(&child.bcc, &child.error);
	err = err ?: compile_program(&child);
	err = err ?: take_tables(&child);
	err = err ?: place_filter_maps(&child);
	err = err ?: make_barrier(&child);
	err = err ?: attach_all(&child);
	if (!err)
		return_once(&child.tracing.plan);
	if (err) {
		message.kind = LOADER_FAILED;
		message.err = err;
		message.error = child.error;
	}
	sandbox_leave(&child.sandbox);
	return loader_message_send(socket, &message, err ? NULL : &child.tracing) == 0 ? 0 : 1;
}
