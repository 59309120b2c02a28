/* SPDX-License-Identifier: Apache-2.0 */
/* Functions in a module, whose BTF continues the kernel's: that of a module is made here. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "fake_root.h"
#include "kernel/kernel.h"

#define RECORDED TCPTOP_DATA_DIR "/btf-6.1/sys/kernel/btf/vmlinux"

static void write_btf(const char *path, const struct btf *btf)
{
	uint32_t size;
	const void *bytes = btf__raw_data(btf, &size);

	FILE *file = fopen(below_root(path), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void inspect(struct kernel *kernel)
{
	const struct kernel_sources sources = { root, "6.1.0-50-amd64" };
	struct error error = { 0 };

	if (kernel_inspect(kernel, &sources, &error) != 0)
		fail_msg("%s", error.text);
}

/* int name(long, ... parameters of them) in new BTF that continues base's. */
static struct btf *make_module(struct btf *base, const char *name, unsigned parameters)
{
	struct btf *module = btf__new_empty_split(base);

	assert_non_null(module);
	int type = btf__add_int(module, "long", 8, BTF_INT_SIGNED);
	int prototype = btf__add_func_proto(module, type);

	for (unsigned i = 0; i < parameters; i++)
		assert_int_equal(btf__add_func_param(module, "parameter", type), 0);
	assert_true(btf__add_func(module, name, BTF_FUNC_STATIC, prototype) > 0);
	return module;
}

static void test_function_of_a_module(void **state)
{
	struct btf *base = btf__parse_raw(RECORDED);
	struct kernel kernel;

	(void)state;
	assert_non_null(base);
	write_btf("/sys/kernel/btf/vmlinux", base);
	inspect(&kernel);
	assert_int_equal(kernel.prototypes[SYMBOL_TLS_SW_SPLICE_READ].btf_id, 0);

	struct btf *module = make_module(base, "tls_sw_splice_read", 5);

	write_btf("/sys/kernel/btf/tls", module);
	inspect(&kernel);
	for (int i = 0; i < SYMBOL_COUNT; i++)
		assert_int_equal(kernel.prototypes[i].in_module, i == SYMBOL_TLS_SW_SPLICE_READ);
	assert_int_equal(kernel.prototypes[SYMBOL_TLS_SW_SPLICE_READ].btf_id, btf__type_cnt(module) - 1);
	assert_int_equal(kernel.prototypes[SYMBOL_TLS_SW_SPLICE_READ].parameter_count, 5);
	btf__free(module);
	btf__free(base);
}

/* What the kernel has by itself is not looked for in a module; a broken file is one that knows nothing. */
static void test_nothing_of_a_module(void **state)
{
	struct btf *base = btf__parse_raw(RECORDED);
	struct kernel alone, with;

	(void)state;
	assert_non_null(base);
	write_btf("/sys/kernel/btf/vmlinux", base);
	inspect(&alone);

	struct btf *module = make_module(base, "inet_sendmsg", 1);

	write_btf("/sys/kernel/btf/tls", module);
	inspect(&with);
	assert_memory_equal(alone.prototypes, with.prototypes, sizeof alone.prototypes);
	add_file("/sys/kernel/btf/tls", "no BTF");
	inspect(&with);
	assert_true(with.has_btf);
	assert_memory_equal(alone.prototypes, with.prototypes, sizeof alone.prototypes);
	btf__free(module);
	btf__free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_function_of_a_module, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_nothing_of_a_module, make_root, remove_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
