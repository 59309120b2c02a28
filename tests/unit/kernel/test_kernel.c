/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On recorded kernels (data/README.md) the offsets have to be exactly the known ones, which were read out of
 * bpftool's dumps; on the running one the C compiler, given the structs as C text, has to agree.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/error.h"
#include "cmocka_names.h"
#include "fake_root.h"
#include "kernel/kernel.h"
#include "known_kernels.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define RELEASE "6.1.0-50-amd64"

static void add_btf(const char *recorded)
{
	char target[512];

	snprintf(target, sizeof target, "%s/%s/sys/kernel/btf", TCPTOP_DATA_DIR, recorded);
	add_link("/sys/kernel/btf", target);
}

static void inspect(struct kernel *kernel, const char *release)
{
	const struct kernel_sources sources = { root, release };
	struct error error = { 0 };

	if (kernel_inspect(kernel, &sources, &error) != 0)
		fail_msg("%s", error.text);
}

/* A new line of kernel.c's tables needs one here, and recordings that have it. */
static void test_known_tables_are_complete(void **state)
{
	(void)state;
	for (int field = 0; field < FIELD_COUNT; field++) {
		size_t lines = 0;

		for (size_t i = 0; i < COUNT_OF(known_fields); i++)
			lines += known_fields[i].field == (enum kernel_field)field;
		if (lines != 1)
			fail_msg("known_fields has %zu lines for %s", lines, kernel_field_macro(field));
	}
	for (int symbol = 0; symbol < SYMBOL_COUNT; symbol++) {
		size_t lines = 0;

		for (size_t i = 0; i < COUNT_OF(known_symbols); i++)
			lines += known_symbols[i].symbol == (enum kernel_symbol)symbol;
		if (lines != 1)
			fail_msg("known_symbols has %zu lines for %s", lines, kernel_symbol_name(symbol));
	}
}

static void test_recorded_offsets(void **state)
{
	(void)state;
	for (int recorded = 0; recorded < RECORDED_COUNT; recorded++) {
		struct kernel kernel;

		add_btf(recordings[recorded]);
		inspect(&kernel, RELEASE);
		assert_true(kernel.has_btf);
		for (size_t i = 0; i < COUNT_OF(known_fields); i++) {
			enum kernel_field field = known_fields[i].field;
			int32_t known = known_fields[i].offsets[recorded];

			if (kernel.offsets[field] != known)
				fail_msg("%s: %s is at %d, not at %d", recordings[recorded],
				    kernel_field_macro(field), known, kernel.offsets[field]);
		}
		for (size_t i = 0; i < COUNT_OF(known_bits); i++) {
			assert_int_equal(
			    kernel.bits[known_bits[i].field].shift, known_bits[i].bits[recorded][0]);
			assert_int_equal(
			    kernel.bits[known_bits[i].field].count, known_bits[i].bits[recorded][1]);
		}
		assert_int_equal(unlink(below_root("/sys/kernel/btf")), 0);
	}
}

/* The id is the one that the name has in BTF: of the FUNC, or of the tracepoint's typedef. */
static void expect_id(const struct btf *btf, enum kernel_symbol symbol, uint32_t id)
{
	static const bool tracepoints[] = {
#define IS_TRACEPOINT(symbol, name, group) (group) != NULL,
		KERNEL_SYMBOLS(IS_TRACEPOINT)
#undef IS_TRACEPOINT
	};
	bool tracepoint = tracepoints[symbol];
	const struct btf_type *type = btf__type_by_id(btf, id);
	char name[96];

	assert_non_null(type);
	snprintf(name, sizeof name, "%s%s", tracepoint ? "btf_trace_" : "", kernel_symbol_name(symbol));
	assert_string_equal(btf__name_by_offset(btf, type->name_off), name);
	assert_true(tracepoint ? btf_is_typedef(type) : btf_is_func(type));
}

static void test_recorded_types(void **state)
{
	static const char *const names[] = {
#define TYPE_NAME(type, name) (name),
		KERNEL_TYPES(TYPE_NAME)
#undef TYPE_NAME
	};

	(void)state;
	for (int recorded = 0; recorded < RECORDED_COUNT; recorded++) {
		struct kernel kernel;

		add_btf(recordings[recorded]);
		inspect(&kernel, RELEASE);
		struct btf *btf = btf__parse_raw(below_root("/sys/kernel/btf/vmlinux"));

		assert_non_null(btf);
		for (int i = 0; i < TYPE_COUNT; i++) {
			const struct btf_type *type = btf__type_by_id(btf, kernel.type_ids[i]);

			assert_true(btf_is_struct(type));
			assert_string_equal(btf__name_by_offset(btf, type->name_off), names[i]);
		}
		btf__free(btf);
		assert_int_equal(unlink(below_root("/sys/kernel/btf")), 0);
	}
}

static void test_recorded_prototypes(void **state)
{
	(void)state;
	for (int recorded = 0; recorded < RECORDED_COUNT; recorded++) {
		struct kernel kernel;

		add_btf(recordings[recorded]);
		inspect(&kernel, RELEASE);
		struct btf *btf = btf__parse_raw(below_root("/sys/kernel/btf/vmlinux"));

		assert_non_null(btf);
		for (size_t i = 0; i < COUNT_OF(known_symbols); i++) {
			enum kernel_symbol symbol = known_symbols[i].symbol;
			const struct kernel_prototype *prototype = &kernel.prototypes[symbol];
			int known = known_symbols[i].parameters[recorded];

			if (known == ABSENT) {
				assert_int_equal(prototype->btf_id, 0);
				continue;
			}
			expect_id(btf, symbol, prototype->btf_id);
			if (prototype->parameter_count != known)
				fail_msg("%s: %s has %d parameters, not %d", recordings[recorded],
				    kernel_symbol_name(symbol), known, prototype->parameter_count);
		}
		btf__free(btf);
		assert_int_equal(unlink(below_root("/sys/kernel/btf")), 0);
	}
}

static void print_dump(void *stream, const char *format, va_list arguments)
{
	vfprintf(stream, format, arguments);
}

/* The C text of all structs that have fields, each with what it needs. */
static void dump_structs(FILE *out, struct btf *btf)
{
	static const char *const structs[] = { "sock", "inet_sock", "inet_connection_sock", "tcp_sock", "net",
		"task_struct", "nsproxy", "mnt_namespace", "socket", "tcp_zerocopy_receive", "pt_regs",
		"trace_event_raw_sock_msg_length", "mptcp_sock", "ipv6_pinfo", "cgroup", "cgroup_root",
		"kernfs_node", "cred", "css_set", "minmax_sample", "socket_wq", "wait_queue_entry", "cfs_rq",
		"rq" };
	struct btf_dump *dump = btf_dump__new(btf, print_dump, out, NULL);

	assert_non_null(dump);
	for (size_t i = 0; i < COUNT_OF(structs); i++) {
		int id = btf__find_by_name_kind(btf, structs[i], BTF_KIND_STRUCT);

		if (id > 0)
			assert_int_equal(btf_dump__dump_type(dump, id), 0);
	}
	btf_dump__free(dump);
}

static void assert_offsets(FILE *out, const struct kernel *kernel)
{
	for (int field = 0; field < FIELD_COUNT; field++) {
		char expression[128];
		char *head;

		/* the compiler tells no address of some bits of a byte */
		if (kernel->offsets[field] == ABSENT || (kernel_field_needs(field) & NEED_BITS))
			continue;
		kernel_field_offsetof(field, expression, sizeof expression);
		/* kernel.c repeats the head of that struct, whose whole is at hand here */
		head = strstr(expression, "mnt_namespace_head");
		if (head)
			memmove(head + strlen("mnt_namespace"), head + strlen("mnt_namespace_head"),
			    strlen(head + strlen("mnt_namespace_head")) + 1);
		fprintf(out, "_Static_assert(%s == %d, \"%s\");\n", expression, kernel->offsets[field],
		    kernel_field_macro(field));
	}
}

static void test_live_offsets_agree_with_the_compiler(void **state)
{
	struct error error = { 0 };
	struct kernel kernel;

	(void)state;
	assert_int_equal(kernel_inspect(&kernel, NULL, &error), 0);
	if (!kernel.has_btf) {
		print_message("skipped: the running kernel has no BTF\n");
		skip();
	}
	if (system("cc --version >/dev/null 2>&1") != 0) {
		print_message("skipped: there is no C compiler (cc)\n");
		skip();
	}
	struct btf *btf = btf__parse_raw("/sys/kernel/btf/vmlinux");
	FILE *out = fopen(below_root("/structs.c"), "w");
	char command[600];

	assert_non_null(btf);
	assert_non_null(out);
	dump_structs(out, btf);
	assert_offsets(out, &kernel);
	assert_int_equal(fclose(out), 0);
	btf__free(btf);
	snprintf(command, sizeof command, "cc -std=gnu11 -w -fsyntax-only %s/structs.c", root);
	assert_int_equal(system(command), 0);
}

static void test_live_kernel(void **state)
{
	struct error error = { 0 };
	struct utsname names;
	struct kernel kernel;
	unsigned major, minor;

	(void)state;
	assert_int_equal(kernel_inspect(&kernel, NULL, &error), 0);
	uname(&names);
	assert_string_equal(kernel.release, names.release);
	assert_int_equal(sscanf(names.release, "%u.%u", &major, &minor), 2);
	assert_int_equal(kernel.version >> 16, major);
	assert_int_equal(kernel.version >> 8 & 0xff, minor);
	if (!kernel.has_btf) {
		print_message("skipped: the running kernel has no BTF\n");
		skip();
	}
	/* the ports stand before the family, the pair of addresses first */
	assert_int_equal(kernel.offsets[FIELD_SK_FAMILY], 16);
	assert_int_equal(kernel.offsets[FIELD_SK_ADDRPAIR], 0);
	assert_int_equal(kernel.offsets[FIELD_SK_PORTPAIR], 12);
	assert_int_equal(kernel.prototypes[SYMBOL_INET_SENDMSG].parameter_count, 3);
	assert_int_equal(kernel.prototypes[SYMBOL_INET_RECVMSG].parameter_count, 4);
}

static void test_no_btf(void **state)
{
	struct kernel kernel;

	(void)state;
	inspect(&kernel, RELEASE);
	assert_false(kernel.has_btf);
	for (int i = 0; i < FIELD_COUNT; i++)
		assert_int_equal(kernel.offsets[i], ABSENT);
	for (int i = 0; i < SYMBOL_COUNT; i++)
		assert_int_equal(kernel.prototypes[i].btf_id, 0);
}

static void expect_bad_btf(const void *bytes, size_t length)
{
	const struct kernel_sources sources = { root, RELEASE };
	const char *path = below_root("/sys/kernel/btf/vmlinux");
	struct error error = { 0 };
	struct kernel kernel;
	FILE *stream = fopen(path, "w");

	assert_non_null(stream);
	assert_int_equal(fwrite(bytes, 1, length, stream), length);
	assert_int_equal(fclose(stream), 0);
	assert_true(kernel_inspect(&kernel, &sources, &error) < 0);
	assert_int_equal(error.exit_code, EXIT_CODE_RUNTIME);
	assert_non_null(strstr(error.text, "/sys/kernel/btf/vmlinux"));
}

/* libbpf tells what it thinks of such files on stderr. */
static int be_quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level, (void)format, (void)arguments;
	return 0;
}

static void test_garbage_btf(void **state)
{
	static const char garbage[] = "this is no BTF, though it is longer than its header is";
	char path[512], recorded[8192];
	libbpf_print_fn_t before = libbpf_set_print(be_quiet);

	(void)state;
	expect_bad_btf("", 0);
	expect_bad_btf(garbage, sizeof garbage);
	snprintf(path, sizeof path, "%s/btf-6.1/sys/kernel/btf/vmlinux", TCPTOP_DATA_DIR);
	FILE *stream = fopen(path, "r");

	assert_non_null(stream);
	size_t length = fread(recorded, 1, sizeof recorded, stream);

	fclose(stream);
	assert_uint_in_range(length, 1000, sizeof recorded - 1);
	expect_bad_btf(recorded, length / 2);
	libbpf_set_print(before);
}

/* BTF of a kernel that has the types, but not the members. */
static void test_foreign_btf(void **state)
{
	struct btf *btf = btf__new_empty();
	struct kernel kernel;
	uint32_t length;

	(void)state;
	assert_non_null(btf);
	int number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);

	assert_true(btf__add_struct(btf, "sock", 8) > 0);
	assert_int_equal(btf__add_field(btf, "sk_protocol", number, 8, 16), 0); /* a bit field */
	assert_int_equal(btf__add_field(btf, "sk_type", number, 32, 0), 0);
	assert_true(btf__add_typedef(btf, "btf_trace_sock_send_length", number) > 0);
	const void *bytes = btf__raw_data(btf, &length);
	FILE *stream = fopen(below_root("/sys/kernel/btf/vmlinux"), "w");

	assert_non_null(stream);
	assert_int_equal(fwrite(bytes, 1, length, stream), length);
	assert_int_equal(fclose(stream), 0);
	btf__free(btf);
	inspect(&kernel, RELEASE);
	assert_true(kernel.has_btf);
	assert_int_equal(kernel.offsets[FIELD_SK_TYPE], 4);
	assert_int_equal(kernel.offsets[FIELD_SK_PROTOCOL], ABSENT);
	assert_int_equal(kernel.offsets[FIELD_SK_FAMILY], ABSENT);
	assert_int_equal(kernel.offsets[FIELD_SOCKET_SK], ABSENT);
	assert_int_equal(kernel.prototypes[SYMBOL_SOCK_SEND_LENGTH].btf_id, 0);
	assert_int_equal(kernel.prototypes[SYMBOL_INET_SENDMSG].btf_id, 0);
}

static void test_offset_texts(void **state)
{
	char buffer[128], tiny[8];

	(void)state;
	assert_string_equal(kernel_field_offsetof(FIELD_SK_NET, buffer, sizeof buffer),
	    "__builtin_offsetof(struct sock, __sk_common.skc_net.net)");
	assert_string_equal(kernel_field_offsetof(FIELD_MNT_NS_INUM, buffer, sizeof buffer),
	    "__builtin_offsetof(struct mnt_namespace_head, ns.inum)");
	assert_string_equal(kernel_field_offsetof(FIELD_SK_NET, tiny, sizeof tiny), "__built");
	for (int a = 0; a < FIELD_COUNT; a++) {
		assert_non_null(kernel_field_macro(a));
		for (int b = 0; b < a; b++)
			assert_string_not_equal(kernel_field_macro(a), kernel_field_macro(b));
	}
}

#define test_with_root(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_tables_are_complete),
		test_with_root(test_recorded_offsets),
		test_with_root(test_recorded_prototypes),
		test_with_root(test_recorded_types),
		test_with_root(test_live_offsets_agree_with_the_compiler),
		cmocka_unit_test(test_live_kernel),
		test_with_root(test_no_btf),
		test_with_root(test_garbage_btf),
		test_with_root(test_foreign_btf),
		cmocka_unit_test(test_offset_texts),
	};

	return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
