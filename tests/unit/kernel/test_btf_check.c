/* SPDX-License-Identifier: Apache-2.0 */
/* BTF that refers to itself, to what is not there, or is any other garbage: an error with words, never a crash or no end. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "fake_root.h"
#include "kernel/btf_check.h"
#include "kernel/kernel.h"

#define RELEASE "6.1.0-50-amd64"
#define VMLINUX "/sys/kernel/btf/vmlinux"

static int inspect(struct error *error)
{
	const struct kernel_sources sources = { root, RELEASE };
	struct kernel kernel;

	*error = (struct error){ 0 };
	return kernel_inspect(&kernel, &sources, error);
}

static void write_bytes(const char *path, const void *bytes, size_t size)
{
	FILE *stream = fopen(below_root(path), "w");

	assert_non_null(stream);
	assert_int_equal(fwrite(bytes, 1, size, stream), size);
	assert_int_equal(fclose(stream), 0);
}

static void write_btf(const char *path, const struct btf *btf)
{
	uint32_t size;
	const void *bytes = btf__raw_data(btf, &size);

	assert_non_null(bytes);
	write_bytes(path, bytes, size);
}

static struct btf_type *type_of(struct btf *btf, int id)
{
	return (struct btf_type *)(uintptr_t)btf__type_by_id(btf, (uint32_t)id);
}

/* A struct sock whose members are those of an anonymous struct, which contains itself. */
static void struct_in_itself(struct btf *btf)
{
	int anonymous = btf__add_struct(btf, NULL, 8);

	assert_int_equal(btf__add_field(btf, NULL, anonymous, 0, 0), 0);
	assert_int_equal(btf__add_struct(btf, "sock", 8), anonymous + 1);
	assert_int_equal(btf__add_field(btf, NULL, anonymous, 0, 0), 0);
}

static void structs_in_turns(struct btf *btf)
{
	int first = btf__add_struct(btf, NULL, 8);

	assert_int_equal(btf__add_field(btf, NULL, first + 1, 0, 0), 0);
	assert_int_equal(btf__add_union(btf, NULL, 8), first + 1);
	assert_int_equal(btf__add_field(btf, NULL, first + 2, 0, 0), 0);
	assert_int_equal(btf__add_struct(btf, "sock", 8), first + 2);
	assert_int_equal(btf__add_field(btf, NULL, first, 0, 0), 0);
}

static void typedefs_in_turns(struct btf *btf)
{
	int first = btf__add_typedef(btf, "a", 2);

	assert_int_equal(btf__add_const(btf, first), first + 1);
	assert_int_equal(first, 1);
}

static void typedef_of_itself(struct btf *btf)
{
	assert_int_equal(btf__add_typedef(btf, "btf_trace_sock_send_length", 1), 1);
}

static void array_of_itself(struct btf *btf)
{
	int number = btf__add_int(btf, "int", 4, 0);

	assert_int_equal(btf__add_array(btf, number, number + 1, 4), number + 1);
}

static void function_of_itself(struct btf *btf)
{
	assert_int_equal(btf__add_func(btf, "tcp_sendmsg", BTF_FUNC_STATIC, 1), 1);
}

static void missing_type(struct btf *btf)
{
	assert_int_equal(btf__add_func(btf, "tcp_sendmsg", BTF_FUNC_STATIC, 1000), 1);
}

static void missing_member_type(struct btf *btf)
{
	assert_int_equal(btf__add_struct(btf, "sock", 8), 1);
	assert_int_equal(btf__add_field(btf, "sk_type", 77, 0, 0), 0);
}

static void missing_name(struct btf *btf)
{
	int type = btf__add_struct(btf, "sock", 8);

	type_of(btf, type)->name_off = 1 << 20;
}

static void missing_member_name(struct btf *btf)
{
	int number = btf__add_int(btf, "int", 4, 0), type = btf__add_struct(btf, "sock", 8);

	assert_int_equal(btf__add_field(btf, "sk_type", number, 0, 0), 0);
	btf_members(type_of(btf, type))[0].name_off = 1 << 20;
}

static void missing_function_name(struct btf *btf)
{
	int prototype = btf__add_func_proto(btf, 0),
	    function = btf__add_func(btf, "f", BTF_FUNC_STATIC, prototype);

	type_of(btf, function)->name_off = UINT32_MAX;
}

/* Each of 40 anonymous structs contains the one before twice: none contains itself, and there are 2^40 ways through. */
static void doubled(struct btf *btf)
{
	int inner = btf__add_int(btf, "int", 4, 0);

	for (int i = 0; i < 40; i++) {
		int outer = btf__add_struct(btf, i < 39 ? NULL : "sock", 8);

		assert_int_equal(btf__add_field(btf, NULL, inner, 0, 0), 0);
		assert_int_equal(btf__add_field(btf, NULL, inner, 0, 0), 0);
		inner = outer;
	}
}

/* None contains itself, but each the one before: deeper than any stack. */
static void deep(struct btf *btf)
{
	int inner = btf__add_int(btf, "int", 4, 0);

	for (int i = 0; i < 100000; i++) {
		int outer = btf__add_struct(btf, i < 99999 ? NULL : "sock", 8);

		assert_int_equal(btf__add_field(btf, NULL, inner, 0, 0), 0);
		inner = outer;
	}
}

static void deep_backwards(struct btf *btf)
{
	for (int id = 1; id <= 100000; id++)
		assert_int_equal(btf__add_typedef(btf, "t", id < 100000 ? id + 1 : 0), id);
}

/* Nothing is wrong with it but that no kernel here writes it: its header is not as this host reads it. */
static void other_byte_order(struct btf *btf)
{
	bool is_little = btf__endianness(btf) == BTF_LITTLE_ENDIAN;

	assert_true(btf__add_int(btf, "long", 8, 0) > 0);
	assert_int_equal(btf__set_endianness(btf, is_little ? BTF_BIG_ENDIAN : BTF_LITTLE_ENDIAN), 0);
}

static void other_byte_order_missing_name(struct btf *btf)
{
	missing_member_name(btf);
	other_byte_order(btf);
}

static void (*const wrongs[])(struct btf *btf) = {
	struct_in_itself,
	structs_in_turns,
	typedefs_in_turns,
	typedef_of_itself,
	array_of_itself,
	function_of_itself,
	missing_type,
	missing_member_type,
	missing_name,
	missing_member_name,
	missing_function_name,
	doubled,
	deep,
	deep_backwards,
	other_byte_order,
	other_byte_order_missing_name,
};

static void test_wrong(void **state)
{
	struct error error;

	(void)state;
	for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
		struct btf *btf = btf__new_empty();

		assert_non_null(btf);
		wrongs[i](btf);
		write_btf(VMLINUX, btf);
		btf__free(btf);
		if (inspect(&error) != -EINVAL)
			fail_msg("case %zu was taken: %s", i, error.text);
		assert_int_equal(error.exit_code, EXIT_CODE_RUNTIME);
		assert_non_null(strstr(error.text, VMLINUX));
	}
}

/* As a module of a kernel whose own is right. */
static void test_wrong_module(void **state)
{
	struct error error;

	(void)state;
	for (int wrong = 0; wrong < 2; wrong++) {
		struct btf *base = btf__new_empty(), *module;
		int number = btf__add_int(base, "int", 4, 0);

		write_btf(VMLINUX, base);
		module = btf__new_empty_split(base);
		assert_int_equal(btf__add_typedef(module, "own", number + 1 + wrong * 1000), number + 1);
		write_btf("/sys/kernel/btf/" KERNEL_MODULE, module);
		btf__free(module);
		btf__free(base);
		assert_int_equal(inspect(&error), -EINVAL);
		assert_non_null(strstr(error.text, KERNEL_MODULE));
	}
}

/* A list that goes round by a pointer, as the kernel's do, is right. */
static void test_right(void **state)
{
	struct btf *btf = btf__new_empty();
	int type = btf__add_struct(btf, "list", 8);

	(void)state;
	assert_int_equal(btf__add_field(btf, "next", type + 1, 0, 0), 0);
	assert_int_equal(btf__add_ptr(btf, type), type + 1);
	assert_null(btf_check(btf, 1));
	btf__free(btf);
}

static int print_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level, (void)format, (void)arguments;
	return 0;
}

/* Each byte of a recorded kernel's BTF, one after the other, with all bits turned, and set to one. */
static void test_garbage(void **state)
{
	static uint8_t bytes[65536];
	libbpf_print_fn_t before = libbpf_set_print(print_nothing);
	struct error error;
	FILE *stream = fopen(TCPTOP_DATA_DIR "/btf-6.18" VMLINUX, "r");

	(void)state;
	assert_non_null(stream);
	size_t size = fread(bytes, 1, sizeof bytes, stream), refused = 0;

	fclose(stream);
	assert_true(size > 1000 && size < sizeof bytes);
	write_bytes(VMLINUX, bytes, size);
	assert_int_equal(inspect(&error), 0);
	int fd = open(below_root(VMLINUX), O_WRONLY | O_CLOEXEC);

	for (size_t at = 0; at < size; at++)
		for (int i = 0; i < 2; i++) {
			uint8_t byte = i ? 1 : (uint8_t)~bytes[at];

			assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
			refused += inspect(&error) < 0;
			assert_int_equal(pwrite(fd, &bytes[at], 1, (off_t)at), 1);
		}
	close(fd);
	libbpf_set_print(before);
	assert_true(refused > 0);
	assert_int_equal(inspect(&error), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_wrong, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_wrong_module, make_root, remove_root),
		cmocka_unit_test(test_right),
		cmocka_unit_test_setup_teardown(test_garbage, make_root, remove_root),
	};

	return cmocka_run_group_tests_name("kernel_btf_check", tests, NULL, NULL);
}
