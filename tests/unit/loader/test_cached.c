/* SPDX-License-Identifier: Apache-2.0 */
/* What a file has of a compiled program comes back whole; what is cut, changed or made up is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/util.h"
#include "cmocka_names.h"
#include "loader/cached.h"

#define LOAD_MAP(place)                                                                        \
	{                                                                                      \
		.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD, \
		.imm = (place)                                                                 \
	}
#define SECOND_HALF \
	{           \
		0   \
	}
#define EXIT                               \
	{                                  \
		.code = BPF_JMP | BPF_EXIT \
	}

static const char key[] = "of an odd length: 21";
static const struct cached_map maps[] = {
	{ .name = "sessions4_even",
	    .kernel_name = "sessions4_even",
	    .type = BPF_MAP_TYPE_HASH,
	    .key_bytes = 24,
	    .value_bytes = 56,
	    .max_entries = 7 },
	{ .name = "states",
	    .type = BPF_MAP_TYPE_SK_STORAGE,
	    .flags = BPF_F_NO_PREALLOC,
	    .btf_key_type = 1,
	    .btf_value_type = 2 },
};
static const struct bpf_insn instructions[] = { LOAD_MAP(1), SECOND_HALF, EXIT, LOAD_MAP(0), SECOND_HALF,
	LOAD_MAP(1), SECOND_HALF, EXIT };
static const struct cached_function functions[] = { { .name = "first", .count = 3 },
	{ .name = "second", .count = 5 } };

static struct cached whole(void)
{
	return (struct cached){ key, sizeof key, maps, COUNT_OF(maps), functions, COUNT_OF(functions),
		instructions, COUNT_OF(instructions), "BTF", 3 };
}

static void *encode(const struct cached *cached, size_t *size)
{
	void *bytes;

	assert_int_equal(cached_encode(cached, &bytes, size), 0);
	return bytes;
}

static void test_all_comes_back(void **state)
{
	struct cached written = whole(), read;
	size_t size;
	void *bytes = encode(&written, &size);

	(void)state;
	assert_int_equal(cached_decode(&read, bytes, size), 0);
	assert_int_equal(read.key_bytes, sizeof key);
	assert_memory_equal(read.key, key, sizeof key);
	assert_int_equal(read.map_count, COUNT_OF(maps));
	assert_memory_equal(read.maps, maps, sizeof maps);
	assert_int_equal(read.function_count, COUNT_OF(functions));
	assert_memory_equal(read.functions, functions, sizeof functions);
	assert_int_equal(read.instruction_count, COUNT_OF(instructions));
	assert_memory_equal(read.instructions, instructions, sizeof instructions);
	assert_int_equal(read.btf_bytes, 3);
	assert_memory_equal(read.btf, "BTF", 3);
	free(bytes);
}

/* Each byte, and each length. */
static void test_what_is_changed_or_cut_is_refused(void **state)
{
	struct cached written = whole(), read;
	size_t size;
	unsigned char *bytes = encode(&written, &size);

	(void)state;
	for (size_t i = 0; i < size; i++) {
		bytes[i] ^= (unsigned char)(1 + i % 255);
		assert_int_equal(cached_decode(&read, bytes, size), -EBADMSG);
		bytes[i] ^= (unsigned char)(1 + i % 255);
	}
	for (size_t i = 0; i < size; i++) {
		/* where nothing lies behind it that a sanitizer would not see */
		unsigned char *cut = malloc(i + 1);

		assert_non_null(cut);
		memcpy(cut, bytes, i);
		assert_int_equal(cached_decode(&read, cut, i), -EBADMSG);
		free(cut);
	}
	assert_int_equal(cached_decode(&read, bytes, size), 0);
	free(bytes);
}

/* Sound sums, unsound tables: of a program that has gone wrong. */
static void test_tables_that_do_not_fit_are_refused(void **state)
{
	struct bpf_insn beyond[] = { LOAD_MAP(2), SECOND_HALF, EXIT },
	                below[] = { LOAD_MAP(-1), SECOND_HALF, EXIT }, halved[] = { EXIT, LOAD_MAP(0) },
	                other[] = { LOAD_MAP(0), SECOND_HALF, EXIT };
	struct cached_function three = { .name = "f", .count = 3 }, two = { .name = "f", .count = 2 },
	                       four = { .name = "f", .count = 4 }, endless = { .count = 1 };
	struct cached_map unnamed = { 0 };
	const struct {
		struct bpf_insn *instructions;
		size_t count;
		const struct cached_function *function;
		const struct cached_map *map;
	} cases[] = {
		{ beyond, 3, &three, &maps[0] },
		{ below, 3, &three, &maps[0] },
		{ halved, 2, &two, &maps[0] },
		{ other, 3, &three, &maps[0] },
		{ beyond + 1, 2, &four, &maps[0] },
		{ beyond + 2, 1, &endless, &maps[0] },
		{ beyond + 2, 1, &(struct cached_function){ .name = "f", .count = 1 }, &unnamed },
	};

	(void)state;
	other[0].src_reg = BPF_PSEUDO_BTF_ID;
	memset(endless.name, 'x', sizeof endless.name);
	memset(unnamed.kernel_name, 'x', sizeof unnamed.kernel_name);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct cached written = { key, sizeof key, cases[i].map, 1, cases[i].function, 1,
			cases[i].instructions, cases[i].count, NULL, 0 };
		struct cached read;
		size_t size;
		void *bytes = encode(&written, &size);

		assert_int_equal(cached_decode(&read, bytes, size), -EBADMSG);
		free(bytes);
	}
}

static void test_a_key_without_another_one_s_name(void **state)
{
	(void)state;
	assert_int_not_equal(hash_bytes(HASH_BASIS, "ab", 2), hash_bytes(HASH_BASIS, "ba", 2));
	assert_int_not_equal(hash_bytes(HASH_BASIS, "a", 1), hash_bytes(HASH_BASIS, "a", 2));
	assert_int_equal(hash_bytes(HASH_BASIS, "", 0),
	    UINT64_C(0xcbf29ce484222325)); /* of FNV-1a's specification, as the next one */
	assert_int_equal(hash_bytes(HASH_BASIS, "foobar", 6), UINT64_C(0x85944171f73967e8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_comes_back),
		cmocka_unit_test(test_what_is_changed_or_cut_is_refused),
		cmocka_unit_test(test_tables_that_do_not_fit_are_refused),
		cmocka_unit_test(test_a_key_without_another_one_s_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
