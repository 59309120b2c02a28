/* SPDX-License-Identifier: Apache-2.0 */
/* A file of a compiled program: what is taken for right lies within it, and comes back when it is written anew. */
#include <linux/bpf.h>

#include "base/hash.h"
#include "loader/cached.h"
#include "fuzz.h"

enum { CHECKSUM_AT = 8, CHECKED_AT = 16 };

static void check_within(const void *part, size_t size, const uint8_t *bytes, size_t whole)
{
	size_t at = (size_t)((const uint8_t *)part - bytes);

	HOLDS(at <= whole && size <= whole - at);
}

/* As the loader reads it: names, and every instruction of each function. */
static void check_tables(const struct cached *cached, const uint8_t *bytes, size_t size)
{
	size_t at = 0;

	check_within(cached->key, cached->key_bytes, bytes, size);
	check_within(cached->maps, cached->map_count * sizeof *cached->maps, bytes, size);
	check_within(cached->functions, cached->function_count * sizeof *cached->functions, bytes, size);
	check_within(
	    cached->instructions, cached->instruction_count * sizeof *cached->instructions, bytes, size);
	check_within(cached->btf, cached->btf_bytes, bytes, size);
	for (size_t i = 0; i < cached->map_count; i++)
		HOLDS(strlen(cached->maps[i].name) < CACHED_NAME_SIZE);
	for (size_t i = 0; i < cached->function_count; i++) {
		HOLDS(strlen(cached->functions[i].name) < CACHED_NAME_SIZE);
		for (uint32_t j = 0; j < cached->functions[i].count; j++, at++)
			HOLDS(!cached_loads_map(&cached->instructions[at]) ||
			      ((uint32_t)cached->instructions[at].imm < cached->map_count &&
			          j + 1 < cached->functions[i].count));
	}
	HOLDS(at == cached->instruction_count);
}

static void check_again(const struct cached *cached)
{
	struct cached again;
	size_t size;
	void *bytes;

	HOLDS(cached_encode(cached, &bytes, &size) == 0 && cached_decode(&again, bytes, size) == 0);
	HOLDS(again.key_bytes == cached->key_bytes && again.map_count == cached->map_count &&
	      again.function_count == cached->function_count &&
	      again.instruction_count == cached->instruction_count && again.btf_bytes == cached->btf_bytes);
	HOLDS(memcmp(again.key, cached->key, cached->key_bytes) == 0);
	HOLDS(!cached->btf_bytes || memcmp(again.btf, cached->btf, cached->btf_bytes) == 0);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	uint8_t *image = malloc(size ? size : 1); /* aligned, as a file's is read */
	struct cached cached;

	HOLDS(image);
	memcpy(image, bytes, size);
	/* As it is, and with the sum that whoever can write it could make right, too. */
	for (int is_right = 0; is_right < 2; is_right++) {
		if (is_right && size >= CHECKED_AT) {
			uint64_t sum =
			    hash_bytes(HASH_BASIS, (const char *)image + CHECKED_AT, size - CHECKED_AT);

			memcpy(image + CHECKSUM_AT, &sum, sizeof sum);
		}
		if (cached_decode(&cached, image, size) == 0) {
			check_tables(&cached, image, size);
			check_again(&cached);
		}
	}
	free(image);
	return 0;
}
