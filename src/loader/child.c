/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/child.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loader/attach.h"
#include "loader/compile.h"
#include "loader/compiled.h"
#include "base/error.h"
#include "base/util.h"
#include "kernel/kernel.h"
#include "loader/hooks.h"
#include "loader/message.h"
#include "kernel/program.h"
#include "loader/privilege.h"
#include "loader/tracing.h"
#include "model/session.h"
#include "model/life.h"

struct child {
	int socket;
	const struct loader_request *request;
	struct kernel kernel;
	struct compiled compiled;
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

/*
 * Creating a map is the least that bpf(2) can be asked: refused, the reason is not the kernel's features. Profiles of seccomp
 * answer EPERM or, as to a kernel that does not know the call, ENOSYS.
 */
static int check_bpf(struct child *child)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "tcptop_try", 4, 4, 1, NULL), err = -errno;
	bool forbidden = err == -EPERM || err == -EACCES;

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if ((forbidden || err == -ENOSYS) && privilege_is_filtered())
		return error_set(&child->error, EXIT_CODE_PERMISSION, err,
		    "seccomp or the kernel refuses bpf(2): %s\nin a container: start it with --security-opt "
		    "seccomp=unconfined, or with --cap-add SYS_ADMIN",
		    strerror(-err));
	if (err == -ENOSYS)
		return error_set(&child->error, EXIT_CODE_UNSUPPORTED, err,
		    "this kernel has no bpf(2): it needs CONFIG_BPF_SYSCALL");
	return error_set(&child->error, forbidden ? EXIT_CODE_PERMISSION : EXIT_CODE_RUNTIME, err,
	    "the kernel refuses BPF maps: %s\nin a container or user namespace? run tcptop on the host as "
	    "root",
	    strerror(-err));
}

static void take_note(void *to, const char *text)
{
	note(to, "%s", text);
}

/* bpf(2) refuses with EPERM also what it cannot do: only perf_event_open(2) tells by EACCES that it may not. */
static int refuse(struct child *child, const struct method_refusal *refusal)
{
	enum probe_method wanted = child->request->method;
	bool forbidden = false;

	for (size_t i = refusal->err_count; i-- > 0;) {
		if (attach_ran_out(refusal->errs[i]))
			return attach_error(&child->error, refusal->errs[i], "a program for a trial");
		forbidden |= refusal->errs[i] == -EACCES;
	}
	if (forbidden)
		return error_set(&child->error, EXIT_CODE_PERMISSION, -EACCES,
		    "%s\nrun tcptop as root, or allow kprobes to CAP_PERFMON: sysctl "
		    "kernel.perf_event_paranoid=2",
		    refusal->why);
	return error_set(&child->error, EXIT_CODE_UNSUPPORTED, -ENOTSUP, "%s\n%s",
	    wanted == PROBE_AUTO ? "no probe method works on this kernel"
	                         : "this probe method does not work here",
	    refusal->why);
}

static int choose_method(struct child *child)
{
	const struct method_trial trial = { attach_try, attach_try_cast, take_note, child };
	struct method_refusal refusal;

	if (method_choose(&child->tracing.plan, child->request->method, &child->kernel, &trial, &refusal) !=
	    0)
		return refuse(child, &refusal);
	program_add_hooks(&child->tracing.plan, &child->request->program, &child->kernel);
	return 0;
}

static int compile(struct child *child, bool reads_cache)
{
	const struct compile_context context = {
		.request = &child->request->program,
		.kernel = &child->kernel,
		.plan = &child->tracing.plan,
		.reads_cache = reads_cache,
		.writes_cache = !child->request->compiles_anew,
		.note = take_note,
		.to = child,
	};

	return compile_program(&context, &child->compiled, &child->error);
}

static const struct {
	enum map map;
	const char *name;
	size_t key_size;
	size_t value_size;
} text_maps[] = {
	{ MAP_GENERATION, "generation", sizeof(__u32), sizeof(__u32) },
	{ MAP_OTHER, "other", sizeof(__u32), sizeof(struct session_other) },
	{ MAP_MISSED_RUNS, "missed_runs", sizeof(__u32), sizeof(__u64) },
	{ MAP_RUNS, "runs", sizeof(__u32), sizeof(__u64) },
	{ MAP_FRONTS4, "fronts4", sizeof(__u32), sizeof(struct front4) },
	{ MAP_FRONTS6, "fronts6", sizeof(__u32), sizeof(struct front6) },
	{ MAP_SESSIONS4_EVEN, "sessions4_even", sizeof(struct session_key4), sizeof(struct session_value) },
	{ MAP_SESSIONS4_ODD, "sessions4_odd", sizeof(struct session_key4), sizeof(struct session_value) },
	{ MAP_SESSIONS6_EVEN, "sessions6_even", sizeof(struct session_key6), sizeof(struct session_value) },
	{ MAP_SESSIONS6_ODD, "sessions6_odd", sizeof(struct session_key6), sizeof(struct session_value) },
	{ MAP_ENDS4_EVEN, "ends4_even", sizeof(struct session_key4), sizeof(__u64) },
	{ MAP_ENDS4_ODD, "ends4_odd", sizeof(struct session_key4), sizeof(__u64) },
	{ MAP_ENDS6_EVEN, "ends6_even", sizeof(struct session_key6), sizeof(__u64) },
	{ MAP_ENDS6_ODD, "ends6_odd", sizeof(struct session_key6), sizeof(__u64) },
	{ MAP_ENDS_LOST, "ends_lost", sizeof(__u32), sizeof(__u64) },
	{ MAP_CGROUPS, "made_cgroups", sizeof(__u64), sizeof(struct cgroup_path) },
	{ MAP_SOCKET_STATES, "socket_states", sizeof(__u32), sizeof(struct socket_state) },
	{ MAP_SOCKET_PASS, "socket_pass", sizeof(__u32), sizeof(struct socket_pass) },
	{ MAP_SOCKET_FACTS, "socket_facts", sizeof(__u32), sizeof(struct socket_facts) },
	{ MAP_LIVES_EVEN, "lives_even", sizeof(struct life_key), sizeof(struct life_end) },
	{ MAP_LIVES_ODD, "lives_odd", sizeof(struct life_key), sizeof(struct life_end) },
	{ MAP_LIVES_LOST, "lives_lost", sizeof(__u32), sizeof(__u64) },
	{ MAP_LIVES_MODE, "lives_mode", sizeof(__u32), sizeof(__u32) },
	{ MAP_LIVES_WAITING, "lives_waiting", sizeof(__u64), sizeof(struct life_wait) },
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

/* Is it as it is read here? */
static bool has_sizes(int fd, size_t key_size, size_t value_size)
{
	struct bpf_map_info info = { 0 };
	__u32 length = sizeof info;

	return bpf_obj_get_info_by_fd(fd, &info, &length) == 0 && info.key_size == key_size &&
	       info.value_size == value_size;
}

static int take_maps(struct child *child)
{
	unsigned long bytes = 0;
	int cpus = libbpf_num_possible_cpus();

	for (size_t i = 0; i < COUNT_OF(text_maps); i++) {
		int fd = compiled_map(&child->compiled, text_maps[i].name);

		if (fd < 0)
			continue;
		if (!has_sizes(fd, text_maps[i].key_size, text_maps[i].value_size))
			return error_set(&child->error, EXIT_CODE_RUNTIME, -EPROTO,
			    "map %s was not compiled as it is read: its sizes differ", text_maps[i].name);
		child->tracing.maps[text_maps[i].map] = fd;
		bytes += map_memory_bytes(fd);
	}
	if (cpus > 0)
		child->tracing.cpu_count = (uint32_t)cpus;
	note(child, "tables: %u connections each, %.1f MB of kernel memory in all",
	    child->request->program.max_sessions, bytes / 1e6);
	return 0;
}

/* The user's maps take the places of the text's placeholders: instructions name descriptors, not maps. */
static int place_filter_maps(struct child *child)
{
	for (size_t i = 0; i < filter_count; i++) {
		int fd = child->request->filter_fds[i];

		if (fd >= 0 && dup2(fd, compiled_map(&child->compiled, filters[i].placeholder)) < 0)
			return error_set(&child->error, EXIT_CODE_RUNTIME, -errno,
			    "cannot place the filter map: %s", strerror(errno));
	}
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

/*
 * Those that were for measuring are not tracing's. They are subtracted: a program that runs on another processor adds to
 * what it has read, so that zeroing would not last.
 */
static void note_runs(struct tracing *tracing)
{
	uint64_t *counts = calloc(tracing->cpu_count + 1, sizeof *counts);

	for (int kind = 0; kind < RUN_KINDS && counts; kind++)
		tracing_read_runs(tracing, (enum program_run)kind, counts, &tracing->runs_before[kind]);
	free(counts);
}

static int attach_hooks(struct child *child)
{
	const struct hooks_context context = { &child->compiled, &child->kernel, take_note, child };

	int err = hooks_attach(&context, &child->tracing, &child->error);

	note_runs(&child->tracing);
	if (!err)
		note(child,
		    "programs: %u ns of processor time a call that counts nothing, %u one that counts, "
		    "%u more of a connection that has no place in front of the tables",
		    child->tracing.prices.begins_ns,
		    child->tracing.prices.begins_ns + child->tracing.prices.counts_ns,
		    child->tracing.prices.lookups_ns);
	return err;
}

static int trace(struct child *child, bool reads_cache)
{
	int err = compile(child, reads_cache);

	err = err ?: take_maps(child);
	err = err ?: place_filter_maps(child);
	err = err ?: make_barrier(child);
	return err ?: attach_hooks(child);
}

/* What an earlier start has compiled is not trusted so far that the kernel's word against it would be the last one: it is replaced. */
static int trace_cached(struct child *child)
{
	static const enum map own[] = { MAP_BARRIER, MAP_BARRIER_SLOT };
	int err = trace(child, !child->request->compiles_anew);

	if (!err || !child->compiled.owned || attach_ran_out(err))
		return err;
	note(child, "program: the kernel refuses what an earlier start compiled: %.200s", child->error.text);
	compiled_fini(&child->compiled);
	for (size_t i = 0; i < COUNT_OF(own); i++)
		if (child->tracing.maps[own[i]] >= 0)
			close(child->tracing.maps[own[i]]);
	memset(child->tracing.maps, -1, sizeof child->tracing.maps);
	return trace(child, false);
}

int loader_child(int socket, const struct loader_request *request)
{
	struct child child = { .socket = socket, .request = request };
	struct loader_message message = { .kind = LOADER_READY };

	tracing_init(&child.tracing);
	attach_raise_memlock();
	int err = check_bpf(&child);

	err = err ?: kernel_inspect(&child.kernel, NULL, &child.error);
	child.tracing.in_pid_namespace = child.kernel.in_pid_namespace;
	memcpy(child.tracing.reset_reasons, child.kernel.reset_reasons, sizeof child.tracing.reset_reasons);
	err = err ?: choose_method(&child);
	err = err ?: trace_cached(&child);
	if (err) {
		message.kind = LOADER_FAILED;
		message.err = err;
		message.error = child.error;
	}
	return loader_message_send(socket, &message, err ? NULL : &child.tracing) == 0 ? 0 : 1;
}
