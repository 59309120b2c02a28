/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/kernel.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/pid_namespace.h"
#include "base/util.h"
#include "kernel/btf_check.h"
#include "kernel/btf_member.h"
#include "kernel/modules.h"
#include "kernel/processor.h"

static const struct field {
	const char *macro;
	const char *type;
	const char *path; /* members from the type on, by name; anonymous members are looked through */
	unsigned needs;
} fields[FIELD_COUNT] = {
#define FIELD_ROW(macro, type, path, needs) [FIELD_##macro] = { #macro, type, path, needs },
	KERNEL_FIELDS(FIELD_ROW)
#undef FIELD_ROW
};

static const struct symbol {
	const char *name;
	const char *group; /* in tracefs; NULL: a function */
} symbols[SYMBOL_COUNT] = {
#define SYMBOL_ROW(symbol, name, group) [SYMBOL_##symbol] = { name, group },
	KERNEL_SYMBOLS(SYMBOL_ROW)
#undef SYMBOL_ROW
};

static const char *const type_names[TYPE_COUNT] = {
#define TYPE_ROW(type, name) [TYPE_##type] = (name),
	KERNEL_TYPES(TYPE_ROW)
#undef TYPE_ROW
};

/*
 * Who calls tcp_read_sock or the socket's read_sock (strparser does it for KCM, ESP in TCP and OpenVPN), and who
 * tcp_sendmsg_locked or sendmsg_locked. NFS, SMB, Ceph, NBD, DRBD, 9P and the targets of NVMe and iSCSI call
 * sock_recvmsg and sock_sendmsg, which are counted.
 */
static const struct way {
	unsigned ways;
	const char *module;   /* as /sys/module spells it; NULL: it is in no module */
	const char *function; /* in the BTF of a kernel that has it built in */
	uint32_t since;       /* version */
} ways[] = {
	{ WAY_RECEIVE_IO_URING, NULL, "io_zcrx_recv", KERNEL_VERSION_CODE(6, 15, 0) },
	{ WAY_SPLICE_MPTCP, NULL, "mptcp_splice_read", KERNEL_VERSION_CODE(7, 0, 0) },
	{ WAY_READERS, "nvme_tcp", "nvme_tcp_recv_skb", 0 },
	{ WAY_READERS, "iscsi_tcp", "iscsi_sw_tcp_recv", 0 },
	{ WAY_READERS, "rds_tcp", "rds_tcp_data_recv", 0 },
	{ WAY_READERS, "kcm", "kcm_rcv_strparser", 0 },
	{ WAY_READERS | WAY_SENDERS, "siw", "siw_tcp_rx_data", 0 },
	{ WAY_READERS | WAY_SENDERS, "ovpn", "ovpn_tcp_rcv", KERNEL_VERSION_CODE(6, 16, 0) },
	{ WAY_READERS | WAY_SENDERS, NULL, "espintcp_rcv", 0 },
};

const char *kernel_symbol_name(enum kernel_symbol symbol)
{
	return symbols[symbol].name;
}

const char *kernel_symbol_group(enum kernel_symbol symbol)
{
	return symbols[symbol].group;
}

const char *kernel_field_macro(enum kernel_field field)
{
	return fields[field].macro;
}

unsigned kernel_field_needs(enum kernel_field field)
{
	return fields[field].needs;
}

enum kernel_field kernel_lacks(const struct kernel *kernel, unsigned needs)
{
	int field = 0;

	while (field < FIELD_COUNT &&
	       (!kernel->has_btf || !(fields[field].needs & needs) || kernel->offsets[field] >= 0))
		field++;
	return field;
}

const char *kernel_field_offsetof(enum kernel_field field, char *buffer, size_t size)
{
	/* fs/mount.h is private to the kernel's build: the text repeats the head of the struct */
	snprintf(buffer, size, "__builtin_offsetof(struct %s%s, %s)", fields[field].type,
	    field == FIELD_MNT_NS_INUM ? "_head" : "", fields[field].path);
	return buffer;
}

/* Where "a.b.c" is in the struct of that id, into the field's place in *kernel. Some bits must lie within a byte. */
static void take_field(struct kernel *kernel, enum kernel_field field, const struct btf *btf, int type_id)
{
	const char *path = fields[field].path;
	uint32_t bits = 0, count = 0;

	while (path && type_id > 0) {
		size_t length = strcspn(path, ".");

		type_id = btf_find_member(btf, type_id, path, length, &bits, &count);
		path = path[length] ? path + length + 1 : NULL;
	}
	if (type_id <= 0 || (count && !(fields[field].needs & NEED_BITS)) || bits % 8 + count > 8)
		return;
	kernel->offsets[field] = (int32_t)(bits / 8);
	kernel->bits[field].shift = (uint8_t)(bits % 8);
	kernel->bits[field].count = count ? (uint8_t)count : 8;
}

/*
 * A function's BTF id is its FUNC's, a tracepoint's is that of the typedef btf_trace_NAME (kernel:
 * bpf_check_attach_target), which points to a prototype whose first parameter is the probe's own data.
 */
static void take_prototype(const struct btf *btf, int id, bool tracepoint, struct kernel_prototype *prototype)
{
	const struct btf_type *type = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);

	if (type && btf_is_ptr(type))
		type = btf__type_by_id(btf, type->type);
	if (!type || !btf_is_func_proto(type))
		return;
	prototype->btf_id = id;
	prototype->parameter_count = btf_vlen(type) - (tracepoint ? 1 : 0);
}

/* A type's id is that of the struct whose fields are taken: there may be others of its name. */
static void take_struct(struct kernel *kernel, const struct btf *btf, int id, const char *name)
{
	bool took = false;

	for (int i = 0; i < FIELD_COUNT; i++)
		if (kernel->offsets[i] < 0 && strcmp(fields[i].type, name) == 0) {
			take_field(kernel, i, btf, id);
			took |= kernel->offsets[i] >= 0;
		}
	for (int i = 0; i < TYPE_COUNT; i++)
		if (took && !kernel->type_ids[i] && strcmp(type_names[i], name) == 0)
			kernel->type_ids[i] = (uint32_t)id;
}

#define TRACEPOINT_PREFIX "btf_trace_"

static void take_symbol(
    struct kernel *kernel, const struct btf *btf, int id, const char *name, bool tracepoint)
{
	for (int i = 0; i < SYMBOL_COUNT; i++)
		if ((symbols[i].group != NULL) == tracepoint && !kernel->prototypes[i].btf_id &&
		    strcmp(symbols[i].name, name) == 0)
			take_prototype(btf, id, tracepoint, &kernel->prototypes[i]);
}

static void take_way(struct kernel *kernel, const char *function)
{
	for (size_t i = 0; i < COUNT_OF(ways); i++)
		if (strcmp(ways[i].function, function) == 0)
			kernel->ways |= ways[i].ways;
}

#define REASONS_NAME "sk_rst_reason"
#define REASON_PREFIX "SK_RST_REASON_"

static void take_reasons(struct kernel *kernel, const struct btf *btf, const struct btf_type *type)
{
	const struct btf_enum *reasons = btf_enum(type);

	for (uint32_t i = 0; i < btf_vlen(type); i++) {
		const char *name = btf__name_by_offset(btf, reasons[i].name_off);
		char *reason;

		if (reasons[i].val < 0 || reasons[i].val >= RESET_REASONS_MAX)
			continue;
		if (strncmp(name, REASON_PREFIX, strlen(REASON_PREFIX)) == 0)
			name += strlen(REASON_PREFIX);
		reason = kernel->reset_reasons[reasons[i].val];
		snprintf(reason, RESET_REASON_SIZE, "%s", name);
		for (; *reason; reason++)
			*reason = (char)tolower((unsigned char)*reason);
	}
}

static void take_type(struct kernel *kernel, const struct btf *btf, uint32_t id, const char *name)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	if (btf_is_struct(type))
		take_struct(kernel, btf, id, name);
	else if (btf_is_enum(type) && strcmp(name, REASONS_NAME) == 0)
		take_reasons(kernel, btf, type);
	else if (btf_is_func(type)) {
		take_symbol(kernel, btf, id, name, false);
		take_way(kernel, name);
	} else if (btf_is_typedef(type) && strncmp(name, TRACEPOINT_PREFIX, strlen(TRACEPOINT_PREFIX)) == 0)
		take_symbol(kernel, btf, id, name + strlen(TRACEPOINT_PREFIX), true);
}

/* How the names begin that are looked for: nearly all of the kernel's begin otherwise, and are compared with none. */
enum { BEGINNING_LENGTH = 8, BEGINNINGS = 4096 };

static size_t beginning(const char *name)
{
	return hash_bytes(HASH_BASIS, name, strnlen(name, BEGINNING_LENGTH)) % BEGINNINGS;
}

static void note_beginnings(bool *wanted)
{
	_Static_assert(
	    sizeof TRACEPOINT_PREFIX > BEGINNING_LENGTH, "a tracepoint's typedef begins with nothing else");
	wanted[beginning(TRACEPOINT_PREFIX)] = wanted[beginning(REASONS_NAME)] = true;
	for (int i = 0; i < FIELD_COUNT; i++)
		wanted[beginning(fields[i].type)] = true;
	for (int i = 0; i < SYMBOL_COUNT; i++)
		wanted[beginning(symbols[i].name)] = true;
	for (int i = 0; i < TYPE_COUNT; i++)
		wanted[beginning(type_names[i])] = true;
	for (size_t i = 0; i < COUNT_OF(ways); i++)
		wanted[beginning(ways[i].function)] = true;
}

/* One pass over a hundred thousand types; a search by name would be one pass for each name. */
static void take_types(struct kernel *kernel, const struct btf *btf)
{
	bool wanted[BEGINNINGS] = { false };

	note_beginnings(wanted);
	for (uint32_t id = 1, count = btf__type_cnt(btf); id < count; id++) {
		const char *name = btf__name_by_offset(btf, btf__type_by_id(btf, id)->name_off);

		if (wanted[beginning(name)])
			take_type(kernel, btf, id, name);
	}
}

/*
 * Linux 6.16 and later map what they keep themselves; others give a copy, a page at a time, of which libbpf makes one more.
 * NULL with errno.
 */
static struct btf *parse_btf(const char *path)
{
	struct stat status = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *bytes = MAP_FAILED;
	struct btf *btf;

	if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 0 && status.st_size <= UINT32_MAX)
		bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (fd >= 0)
		close(fd);
	if (bytes == MAP_FAILED)
		return btf__parse_raw(path);
	btf = btf__new(bytes, (uint32_t)status.st_size);
	munmap(bytes, (size_t)status.st_size);
	return btf;
}

static int refuse_btf(const char *path, const char *wrong, struct error *error)
{
	return error_set(error, EXIT_CODE_RUNTIME, -EINVAL, "cannot read %s: %s", path, wrong);
}

/* A module's types have the ids that follow the kernel's (split BTF, 5.11). */
static int inspect_module(struct kernel *kernel, const char *root, struct btf *btf, struct error *error)
{
	char path[256];

	snprintf(path, sizeof path, "%s/sys/kernel/btf/" KERNEL_MODULE, root);
	struct btf *module = access(path, R_OK) == 0 ? btf__parse_raw_split(path, btf) : NULL;

	if (!module)
		return 0;
	const char *wrong = btf_check(module, btf__type_cnt(btf));

	if (wrong) {
		btf__free(module);
		return refuse_btf(path, wrong, error);
	}
	for (uint32_t id = btf__type_cnt(btf), count = btf__type_cnt(module); id < count; id++) {
		const struct btf_type *type = btf__type_by_id(module, id);

		if (btf_is_func(type))
			take_symbol(kernel, module, id, btf__name_by_offset(module, type->name_off), false);
	}
	for (int i = 0; i < SYMBOL_COUNT; i++)
		kernel->prototypes[i].in_module = kernel->prototypes[i].btf_id >= btf__type_cnt(btf);
	btf__free(module);
	return 0;
}

static int inspect_btf(struct kernel *kernel, const char *root, struct error *error)
{
	char path[256];

	snprintf(path, sizeof path, "%s/sys/kernel/btf/vmlinux", root);
	if (access(path, R_OK) != 0)
		return 0;
	struct btf *btf = parse_btf(path);

	if (!btf)
		return error_set(
		    error, EXIT_CODE_RUNTIME, -errno, "cannot parse %s: %s", path, strerror(errno));
	const char *wrong = btf_check(btf, 1);
	int err = wrong ? refuse_btf(path, wrong, error) : 0;

	if (!err) {
		kernel->has_btf = true;
		take_types(kernel, btf);
		err = inspect_module(kernel, root, btf, error);
	}
	btf__free(btf);
	return err;
}

static int inspect_release(struct kernel *kernel, const char *release, struct error *error)
{
	unsigned major, minor, patch = 0;
	struct utsname names;

	if (!release) {
		uname(&names);
		release = names.release;
	}
	snprintf(kernel->release, sizeof kernel->release, "%s", release);
	if (sscanf(release, "%u.%u.%u", &major, &minor, &patch) < 2)
		return error_set(
		    error, EXIT_CODE_UNSUPPORTED, -EINVAL, "cannot tell the version of kernel %s", release);
	kernel->version = KERNEL_VERSION_CODE(major, minor, patch);
	if (kernel->version < KERNEL_VERSION_OLDEST)
		return error_set(error, EXIT_CODE_UNSUPPORTED, -ENOTSUP,
		    "tcptop needs Linux 5.10 or later; this is %s", release);
	return 0;
}

static bool is_header_tree(const struct kernel *kernel, const char *root, const char *tree, const char *part)
{
	char path[256];

	snprintf(path, sizeof path, "%s/lib/modules/%s/%s%s", root, kernel->release, tree, part);
	return access(path, R_OK) == 0;
}

/*
 * As libbcc 0.26 chooses: "source" where both are there, as in Debian's split tree, whose "build" has the
 * configuration alone; else "build". What its -include needs is the proof. Without "build" it would go on to look
 * for headers in places that anybody can write to.
 */
static void inspect_headers(struct kernel *kernel, const char *root)
{
	const char *tree = is_header_tree(kernel, root, "source", "/.") ? "source" : "build";

	if (is_header_tree(kernel, root, "build", "/.") &&
	    is_header_tree(kernel, root, tree, "/include/linux/kconfig.h"))
		kernel->headers = HEADERS_INSTALLED;
}

static bool read_number(const char *root, const char *file, const char *format, int *number)
{
	char path[256];

	snprintf(path, sizeof path, "%s%s", root, file);
	FILE *stream = fopen(path, "re");

	if (!stream)
		return false;
	bool found = fscanf(stream, format, number) == 1;

	fclose(stream);
	return found;
}

static void inspect_kprobes(struct kernel *kernel, const char *root)
{
	int bit = 0;

	if (!read_number(root, "/sys/bus/event_source/devices/kprobe/type", "%d", &kernel->kprobe_pmu_type) ||
	    kernel->kprobe_pmu_type < 0)
		kernel->kprobe_pmu_type = -1;
	read_number(root, "/sys/bus/event_source/devices/kprobe/format/retprobe", "config:%d", &bit);
	kernel->kretprobe_bit = bit >= 0 && bit < 64 ? (unsigned)bit : 0;
	/* measured: on 5.10 with four threads on two processors up to 60% of the returns, on 6.1 none */
	kernel->kretprobes_collide = kernel->version < KERNEL_VERSION_CODE(6, 1, 0);
}

/*
 * Debugfs shows the current mode in brackets, to root alone: "none voluntary (full) lazy". Lazy preempts later, but
 * preempts. Without debugfs the kernel's version string tells, unless the mode can be chosen at boot
 * (PREEMPT_DYNAMIC): then it is unknown, and that they are preempted is the safe assumption.
 *
 * Until 7.0 a tracepoint called its probes with preemption disabled; since then only perf's still are.
 */
static void inspect_preemption(struct kernel *kernel, const char *root)
{
	char path[256], text[128] = "";
	struct utsname names;

	snprintf(path, sizeof path, "%s/sys/kernel/debug/sched/preempt", root);
	FILE *stream = fopen(path, "re");

	if (stream) {
		kernel->preemptible =
		    fgets(text, sizeof text, stream) && (strstr(text, "(full)") || strstr(text, "(lazy)"));
		fclose(stream);
	} else {
		uname(&names);
		kernel->preemptible = strstr(names.version, "PREEMPT") != NULL;
	}
	kernel->tracepoints_preemptible =
	    kernel->preemptible && kernel->version >= KERNEL_VERSION_CODE(7, 0, 0);
}

/* BTF has shown what is built in; without it, all that the version can have may be. */
static void inspect_ways(struct kernel *kernel, const char *root)
{
	const char *modules[COUNT_OF(ways)];

	for (size_t i = 0; i < COUNT_OF(ways); i++)
		modules[i] = ways[i].module;
	unsigned possible = modules_possible(root, kernel->release, modules, COUNT_OF(ways));

	for (size_t i = 0; i < COUNT_OF(ways); i++)
		if (kernel->version >= ways[i].since && (!kernel->has_btf || (possible & (1U << i))))
			kernel->ways |= ways[i].ways;
	if (!kernel->has_btf)
		kernel->ways |= WAY_LINKS_MPTCP;
}

int kernel_inspect(struct kernel *kernel, const struct kernel_sources *sources, struct error *error)
{
	static const struct kernel_sources running = { "", NULL };

	if (!sources)
		sources = &running;
	memset(kernel, 0, sizeof *kernel);
	for (int i = 0; i < FIELD_COUNT; i++)
		kernel->offsets[i] = -1;
	int err = inspect_release(kernel, sources->release, error);

	if (err)
		return err;
	int cpus = libbpf_num_possible_cpus();

	kernel->processor = processor_find();
	kernel->cpus = cpus > 0 ? (unsigned)cpus : 0;
	inspect_headers(kernel, sources->root);
	inspect_kprobes(kernel, sources->root);
	inspect_preemption(kernel, sources->root);
	kernel->in_pid_namespace = pid_namespace_is_initial(sources->root) == 0;
	err = inspect_btf(kernel, sources->root, error);
	inspect_ways(kernel, sources->root);
	return err;
}
