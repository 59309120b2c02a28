/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe methods: which hooks each has, what it asks of the kernel, and what it cannot see. Tables only;
 * the program text is made from them by program.c, attached by loader.c.
 */
#ifndef TCPTOP_METHOD_H
#define TCPTOP_METHOD_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/kernel.h"
#include "options.h"

enum {
	PROBES_MAX = 24,     /* programs of one method */
	NOT_COUNTED_MAX = 8, /* paths that one method may have to declare */
};

enum probe_kind {
	PROBE_KIND_TYPED_TRACEPOINT, /* BTF-typed: arguments are read directly */
	PROBE_KIND_RAW_TRACEPOINT,
	PROBE_KIND_ITERATOR, /* runs once, at the start, and is not kept */
	PROBE_KIND_FEXIT,
	PROBE_KIND_KPROBE,
	PROBE_KIND_KRETPROBE,
};

/* One program to load and attach. */
struct probe {
	enum probe_kind kind;
	enum kernel_symbol symbol;
	char function[64]; /* its name in the program text */
};

/* The plan of a method on this kernel. */
struct probe_plan {
	enum probe_method method;
	bool direct;      /* fields are plain loads, else probe reads */
	bool preemptible; /* runs may be skipped: see probe_blind_spots */
	size_t probe_count;
	struct probe probes[PROBES_MAX];
};

/* A function that the fentry and kprobe methods watch return. */
struct probe_hook {
	enum kernel_symbol symbol;
	const char *role;    /* returned_ROLE() in bpf_text/roles.c */
	const char *guard;   /* is_tcp or is_plain_tcp */
	bool takes_sock;     /* first argument is the struct sock, else the struct socket */
	int extra_parameter; /* index of the argument that the role needs, -1: none */
	bool required;       /* the method is not offered without it */
};

extern const struct probe_hook probe_hooks[];
extern const size_t probe_hook_count;

/* The id of what is not a path: runs that a fully preemptible kernel skips. */
#define PROBE_PREEMPTED "preempted_runs"

/* A data path that some method cannot see on some kernels. */
struct probe_blind_spot {
	const char *path; /* id, as JSON's not_counted, --check and the screen show it */
	const char *reason;
};

/*
 * Fills *plan with the method's programs on this kernel as far as its facts tell. typed: tracepoints as
 * BTF-typed programs. Returns false when the kernel's facts rule the method out; *why then says so.
 */
bool probe_plan_make(struct probe_plan *plan, enum probe_method method, bool typed,
    const struct kernel *kernel, const char **why);

bool probe_plan_has(const struct probe_plan *plan, enum kernel_symbol symbol);

/* The order in which "auto" tries: methods[0..count-1]. */
extern const enum probe_method probe_auto_order[];
extern const size_t probe_auto_count;

/* What the method does not count on this kernel: fills up to NOT_COUNTED_MAX entries, returns how many. */
size_t probe_blind_spots(
    const struct probe_blind_spot *spots[NOT_COUNTED_MAX], const struct probe_plan *plan);

#endif
