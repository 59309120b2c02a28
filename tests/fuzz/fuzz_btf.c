/* SPDX-License-Identifier: Apache-2.0 */
/* BTF of a kernel: what is taken for right can be followed, and each fact that is read of it can be used. */
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/error.h"
#include "kernel/btf_check.h"
#include "kernel/kernel.h"
#include "root.h"

#define RELEASE "6.1.0-50-amd64"
#define VMLINUX "/sys/kernel/btf/vmlinux"

static int print_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level, (void)format, (void)arguments;
	return 0;
}

/* As readers do: names, and on to the type that is meant, which ends. */
static void follow(const struct btf *btf)
{
	uint32_t count = btf__type_cnt(btf);

	for (uint32_t id = 1; id < count; id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		uint32_t steps = 0, at = id;

		HOLDS(type && btf__name_by_offset(btf, type->name_off));
		for (; btf_is_mod(type) || btf_is_typedef(type); type = btf__type_by_id(btf, at)) {
			at = type->type;
			HOLDS(at < count && steps++ < count);
		}
		for (uint32_t i = 0; btf_is_composite(type) && i < btf_vlen(type); i++) {
			const struct btf_member *member = &btf_members(type)[i];

			HOLDS(btf__name_by_offset(btf, member->name_off) && member->type < count);
		}
		for (uint32_t i = 0; btf_is_func_proto(type) && i < btf_vlen(type); i++)
			HOLDS(btf_params(type)[i].type < count);
		HOLDS(!btf_is_func(type) || type->type < count);
	}
}

static void check_kernel(const struct kernel *kernel)
{
	for (size_t i = 0; i < RESET_REASONS_MAX; i++)
		HOLDS(memchr(kernel->reset_reasons[i], '\0', RESET_REASON_SIZE));
	for (int i = 0; i < FIELD_COUNT; i++)
		HOLDS(kernel->offsets[i] >= -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct kernel_sources sources = { root, RELEASE };
	static struct kernel kernel;
	struct error error = { 0 };

	libbpf_set_print(print_nothing);
	struct btf *btf = btf__new(bytes, (uint32_t)size);
	const char *wrong = libbpf_get_error(btf) ? "no BTF" : btf_check(btf, 1);

	if (!wrong)
		follow(btf);
	if (!libbpf_get_error(btf))
		btf__free(btf);
	fuzz_file(VMLINUX, bytes, size);
	int err = kernel_inspect(&kernel, &sources, &error);

	HOLDS(!wrong || err < 0 || !size);
	HOLDS((err < 0) == (error.text[0] != '\0'));
	if (!err)
		check_kernel(&kernel);
	return 0;
}
