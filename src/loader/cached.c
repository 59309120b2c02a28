/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/cached.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* With a number for the form: another one is another file. */
#define MAGIC "tcptop 1"

#define COUNT_MAX (1u << 20) /* of anything: no sum of sizes overflows */

struct head {
	char magic[8];
	uint64_t checksum; /* of all that follows it */
	uint32_t key_bytes, map_count, function_count, instruction_count, btf_bytes;
	uint32_t zero;
};

_Static_assert(sizeof(struct head) % 8 == 0 && sizeof(struct cached_map) % 8 == 0 &&
                   sizeof(struct cached_function) % 8 == 0,
    "what follows is aligned");

/* Where each part begins; the end comes last. */
enum part { KEY, MAPS, FUNCTIONS, INSTRUCTIONS, BTF, PARTS };

static void lay_out(const struct head *head, size_t at[PARTS + 1])
{
	const size_t bytes[PARTS] = {
		[KEY] = (head->key_bytes + 7) & ~(size_t)7,
		[MAPS] = head->map_count * sizeof(struct cached_map),
		[FUNCTIONS] = head->function_count * sizeof(struct cached_function),
		[INSTRUCTIONS] = head->instruction_count * sizeof(struct bpf_insn),
		[BTF] = head->btf_bytes,
	};

	at[KEY] = sizeof *head;
	for (int i = 0; i < PARTS; i++)
		at[i + 1] = at[i] + bytes[i];
}

static uint64_t checksum_of(const void *bytes, size_t size)
{
	const size_t skipped = offsetof(struct head, checksum) + sizeof(uint64_t);

	return hash_bytes(HASH_BASIS, (const char *)bytes + skipped, size - skipped);
}

int cached_encode(const struct cached *cached, void **bytes, size_t *size)
{
	struct head head = {
		.key_bytes = (uint32_t)cached->key_bytes,
		.map_count = (uint32_t)cached->map_count,
		.function_count = (uint32_t)cached->function_count,
		.instruction_count = (uint32_t)cached->instruction_count,
		.btf_bytes = (uint32_t)cached->btf_bytes,
	};
	size_t at[PARTS + 1];

	memcpy(head.magic, MAGIC, sizeof head.magic);
	lay_out(&head, at);
	char *image = calloc(1, at[PARTS]);

	if (!image)
		return -ENOMEM;
	memcpy(image + at[KEY], cached->key, cached->key_bytes);
	memcpy(image + at[MAPS], cached->maps, at[FUNCTIONS] - at[MAPS]);
	memcpy(image + at[FUNCTIONS], cached->functions, at[INSTRUCTIONS] - at[FUNCTIONS]);
	memcpy(image + at[INSTRUCTIONS], cached->instructions, at[BTF] - at[INSTRUCTIONS]);
	if (cached->btf_bytes)
		memcpy(image + at[BTF], cached->btf, cached->btf_bytes);
	memcpy(image, &head, sizeof head);
	head.checksum = checksum_of(image, at[PARTS]);
	memcpy(image, &head, sizeof head);
	*bytes = image;
	*size = at[PARTS];
	return 0;
}

bool cached_loads_map(const struct bpf_insn *instruction)
{
	return instruction->code == (BPF_LD | BPF_IMM | BPF_DW) && instruction->src_reg != 0;
}

/* Maps by their places, no other object that is loaded by a descriptor, and no function that ends in the midst of an instruction. */
static int check_instructions(const struct cached *cached, const struct bpf_insn *instructions, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct bpf_insn *at = &instructions[i];

		if (at->code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		/* as the verifier: the second half has a constant's upper bits alone */
		if (++i == count || instructions[i].code || instructions[i].dst_reg ||
		    instructions[i].src_reg || instructions[i].off)
			return -EBADMSG;
		if (cached_loads_map(at) &&
		    (at->src_reg != BPF_PSEUDO_MAP_FD || (uint32_t)at->imm >= cached->map_count))
			return -EBADMSG;
	}
	return 0;
}

static int check_tables(const struct cached *cached)
{
	size_t begun = 0;
	int err = 0;

	for (size_t i = 0; i < cached->map_count; i++)
		if (!memchr(cached->maps[i].name, '\0', CACHED_NAME_SIZE) ||
		    !memchr(cached->maps[i].kernel_name, '\0', CACHED_KERNEL_NAME_SIZE))
			return -EBADMSG;
	for (size_t i = 0; i < cached->function_count && !err; i++) {
		const struct cached_function *function = &cached->functions[i];

		if (!memchr(function->name, '\0', CACHED_NAME_SIZE) ||
		    function->count > cached->instruction_count - begun)
			return -EBADMSG;
		err = check_instructions(cached, cached->instructions + begun, function->count);
		begun += function->count;
	}
	return err ?: begun == cached->instruction_count ? 0 : -EBADMSG;
}

int cached_decode(struct cached *cached, const void *bytes, size_t size)
{
	const char *image = bytes;
	struct head head;
	size_t at[PARTS + 1];

	if (size < sizeof head)
		return -EBADMSG;
	memcpy(&head, image, sizeof head);
	if (memcmp(head.magic, MAGIC, sizeof head.magic) != 0 || head.key_bytes > COUNT_MAX ||
	    head.map_count > COUNT_MAX || head.function_count > COUNT_MAX ||
	    head.instruction_count > COUNT_MAX || head.btf_bytes > COUNT_MAX)
		return -EBADMSG;
	lay_out(&head, at);
	if (at[PARTS] != size || checksum_of(image, size) != head.checksum)
		return -EBADMSG;
	*cached = (struct cached){
		.key = image + at[KEY],
		.key_bytes = head.key_bytes,
		.maps = (const void *)(image + at[MAPS]),
		.map_count = head.map_count,
		.functions = (const void *)(image + at[FUNCTIONS]),
		.function_count = head.function_count,
		.instructions = (const void *)(image + at[INSTRUCTIONS]),
		.instruction_count = head.instruction_count,
		.btf = image + at[BTF],
		.btf_bytes = head.btf_bytes,
	};
	return check_tables(cached);
}
