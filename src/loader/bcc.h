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

/* Its tables: names, borrowed, and descriptors, owned by the module. */
size_t bcc_table_count(const struct bcc *bcc);
const char *bcc_table_name(const struct bcc *bcc, size_t index);
int bcc_table_fd(const struct bcc *bcc, size_t index);

/* Its functions: names and instructions, borrowed from the module. */
size_t bcc_function_count(const struct bcc *bcc);
const char *bcc_function_name(const struct bcc *bcc, size_t index);
const struct bpf_insn *bcc_function(const struct bcc *bcc, size_t index, size_t *count);

/* The release that this was built against, the only one that is loaded. */
const char *bcc_release(void);

/* There is no bcc_close: unloading LLVM gives nothing back and the child ends by _exit. */

#endif
