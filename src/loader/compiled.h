/* SPDX-License-Identifier: Apache-2.0 */
/* A program text as it is loaded: its maps, which are made, and the instructions of its functions, which name them. */
#ifndef TCPTOP_COMPILED_H
#define TCPTOP_COMPILED_H

#include <stddef.h>

struct bcc;
struct bpf_insn;
struct error;

enum {
	COMPILED_MAPS_MAX = 64,
	COMPILED_FUNCTIONS_MAX = 64,
	COMPILED_NAME_SIZE = 64, /* of identifiers in the text, with their NUL */
};

struct compiled {
	struct compiled_map {
		char name[COMPILED_NAME_SIZE];
		int fd;
	} maps[COMPILED_MAPS_MAX];
	size_t map_count;
	struct compiled_function {
		char name[COMPILED_NAME_SIZE];
		const struct bpf_insn *instructions;
		size_t count;
	} functions[COMPILED_FUNCTIONS_MAX];
	size_t function_count;
	void *owned; /* instructions that are not libbcc's: then the maps are not, either */
};

/* What libbcc has compiled; both stay its own. 0 or -errno with *error. */
int compiled_take(struct compiled *compiled, const struct bcc *bcc, struct error *error);

/* Closes and frees what is not libbcc's, and empties it. */
void compiled_fini(struct compiled *compiled);

/* A map's descriptor, borrowed; -1: the text has no such map. */
int compiled_map(const struct compiled *compiled, const char *name);

/* NULL: the text has no such function. */
const struct compiled_function *compiled_function(const struct compiled *compiled, const char *name);

#endif
