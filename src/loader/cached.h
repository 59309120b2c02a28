/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compiled program as a file has it. Pure: bytes in, tables out. Of the machine that wrote it alone: native byte order.
 *
 * Instructions that load a map have its place among the maps where they had a descriptor.
 */
#ifndef TCPTOP_CACHED_H
#define TCPTOP_CACHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_insn;

enum { CACHED_NAME_SIZE = 64, CACHED_KERNEL_NAME_SIZE = 16 };

/* Each a multiple of eight bytes, without holes: they are written as they are. */
struct cached_map {
	char name[CACHED_NAME_SIZE];               /* in the text, NUL-terminated, */
	char kernel_name[CACHED_KERNEL_NAME_SIZE]; /* and in the kernel */
	uint32_t type, key_bytes, value_bytes, max_entries, flags;
	uint32_t btf_key_type, btf_value_type; /* in the BTF; 0: it has none */
	uint32_t zero;
};

struct cached_function {
	char name[CACHED_NAME_SIZE];
	uint32_t count; /* of its instructions, which follow those of the function before */
	uint32_t zero;
};

struct cached {
	const void *key; /* what it was compiled from and for: all of it must be equal */
	size_t key_bytes;
	const struct cached_map *maps;
	size_t map_count;
	const struct cached_function *functions;
	size_t function_count;
	const struct bpf_insn *instructions; /* of all functions */
	size_t instruction_count;
	const void *btf; /* of the maps */
	size_t btf_bytes;
};

/* *bytes is for free(). 0 or -ENOMEM. */
int cached_encode(const struct cached *cached, void **bytes, size_t *size);

/* Points into bytes, which are aligned as malloc() does. 0 or -EBADMSG: cut, changed, or of another release. */
int cached_decode(struct cached *cached, const void *bytes, size_t size);

/* Does this instruction load a map, in its imm? Then it has a second half. */
bool cached_loads_map(const struct bpf_insn *instruction);

#endif
