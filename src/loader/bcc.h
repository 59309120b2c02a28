/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libbcc behind a few functions: the only module that includes its headers. It is loaded when bcc_open is
 * called and brings LLVM with it (64 MB resident), so only the loader's child does that.
 */
#ifndef TCPTOP_BCC_H
#define TCPTOP_BCC_H

#include <stddef.h>

struct bpf_insn;
struct error;

struct bcc {
	void *library;
	void *module;
	const struct bcc_api *api;
};

/* Loads libbcc and checks that it is the release that this was built against. 0 or -errno with *error. */
int bcc_open(struct bcc *bcc, struct error *error);

/* Compiles text: creates its tables and translates its functions. What libbcc prints goes to stderr. */
int bcc_compile(struct bcc *bcc, const char *text, struct error *error);

/* A table's descriptor, owned by the module; -1: the text has no such table. */
int bcc_table_fd(const struct bcc *bcc, const char *name);

/* The sizes of a table's keys and values as compiled, to hold against the C structs. */
size_t bcc_table_key_size(const struct bcc *bcc, const char *name);
size_t bcc_table_value_size(const struct bcc *bcc, const char *name);

/* A function's instructions, borrowed from the module; NULL: the text has no such function. */
const struct bpf_insn *bcc_function(const struct bcc *bcc, const char *name, size_t *count);

/* There is no bcc_close: unloading LLVM gives nothing back and the child ends by _exit. */

#endif
