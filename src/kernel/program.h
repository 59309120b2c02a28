/* SPDX-License-Identifier: Apache-2.0 */
/* A request and kernel facts in, program text out: pure, the same text for the same input. */
#ifndef TCPTOP_PROGRAM_H
#define TCPTOP_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/condition.h"

struct error;
struct kernel;
struct plan;

/* What the user asks of the text. */
struct program_request {
	const uint32_t *pids;         /* unique; borrowed */
	size_t pid_count;             /* 0: every process */
	int family;                   /* 0 both, 4 or 6 */
	unsigned filters;             /* bits 1 << index in filters[] */
	struct conditions conditions; /* borrowed */
	uint32_t max_sessions;
	bool no_splice;       /* sockets are not followed for the sake of splice() */
	bool ends;            /* when connections end, and when processes began */
	bool accepted;        /* which connections a listener accepted */
	bool cgroups;         /* which cgroups are made */
	uint32_t max_sockets; /* for so many there is room when all are told of; 0: they are not */
	bool lives;           /* how connections begin and end, once somebody asks */
};

/* Adds to a method's plan what the request has noted beside the counting, where it can be had, and drops what it goes without. */
void program_add_hooks(struct plan *plan, const struct program_request *request, const struct kernel *kernel);

/* Where the text has the places of the kernel's fields from. */
enum offsets_from {
	OFFSETS_FROM_BTF,     /* as numbers; includes no kernel header */
	OFFSETS_FROM_HEADERS, /* <net/sock.h> is included and the compiler finds them */
};

/* BTF, where this kernel has it. */
enum offsets_from program_offsets_from(const struct kernel *kernel);

/*
 * Makes the text that libbcc compiles: *text is allocated, the caller frees it. Returns 0, -ENOMEM, or
 * -EOPNOTSUPP with *error naming the field that BTF does not know or the processor without a register table.
 */
int program_build(char **text, const struct program_request *request, const struct kernel *kernel,
    const struct plan *plan, enum offsets_from from, struct error *error);

/* The stub headers for kernels whose headers are not installed: path below the include root, and text. */
struct program_stub {
	const char *path;
	const char *text; /* "" for those that only have to be there */
};

extern const struct program_stub program_stubs[];
extern const size_t program_stub_count;

/* linux/version.h, the one stub that depends on the kernel, written into buffer. Returns its length. */
size_t program_stub_version(char *buffer, size_t size, const struct kernel *kernel);

#endif
