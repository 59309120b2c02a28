/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe methods: what each hooks on this kernel, the program text that it counts by, and what it cannot see.
 * Facts in, plans and text out; the loader attaches what a plan names.
 */
#ifndef TCPTOP_METHOD_H
#define TCPTOP_METHOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "kernel/kernel.h"

struct error;

enum {
	HOOKS_MAX = 24,        /* programs of one method */
	NOT_COUNTED_MAX = 16,  /* blind spots of one method, which each asserts */
	METHOD_WHY_SIZE = 128, /* a reason that a method is not taken */
};

enum probe_method {
	PROBE_AUTO,
	PROBE_TRACEPOINT,
	PROBE_FENTRY,
	PROBE_KPROBE,
};

enum hook_kind {
	HOOK_TYPED_TRACEPOINT, /* BTF-typed: arguments are read directly */
	HOOK_RAW_TRACEPOINT,
	HOOK_ITERATOR, /* runs once, at the start, and is not kept */
	HOOK_FEXIT,
	HOOK_KPROBE,
	HOOK_KRETPROBE,
};

/* One program, and the place in the kernel that it is attached to. */
struct hook {
	enum hook_kind kind;
	enum kernel_symbol symbol;
	char function[64]; /* its name in the program text */
};

/* What a method hooks on this kernel. */
struct plan {
	enum probe_method method;
	bool direct;      /* fields are plain loads, else probe reads */
	bool preemptible; /* tasks in the kernel are interrupted by others: runs may be skipped */
	size_t hook_count;
	struct hook hooks[HOOKS_MAX];
};

/* A data path that some method cannot see on some kernels. */
struct blind_spot {
	const char *id;            /* as JSON's not_counted, --check and the screen show it */
	const char *reason;        /* for the user */
	enum kernel_symbol unless; /* not blind where this symbol is hooked; SYMBOL_COUNT: always blind */
	enum kernel_symbol where;  /* blind only where this symbol is hooked; SYMBOL_COUNT: anywhere */
	bool preemptible;          /* only where tasks in the kernel are interrupted by others */
};

/* The id of what is not a path: runs that a fully preemptible kernel skips. */
#define BLIND_SPOT_PREEMPTED "preempted_runs"

/* One probe method. */
struct method {
	enum probe_method id;
	const char *name; /* as --probe takes it and JSON shows it */

	/* Fills plan->hooks and direct as far as the kernel's facts tell; false: they rule it out, *why says so. */
	bool (*plan)(struct plan *plan, const struct kernel *kernel, bool typed, const char **why);

	/* Prints the programs of the plan. 0 or -errno, with *error where it is not for want of memory. */
	int (*print)(FILE *out, const struct kernel *kernel, const struct plan *plan, struct error *error);

	/* The method does not work without this symbol's hook. */
	bool (*requires)(enum kernel_symbol symbol);

	unsigned needs; /* enum kernel_need: fields that its text reads, beside those of NEED_SPLICE */
	const struct blind_spot *blind_spots;
	size_t blind_spot_count;
	bool typed_or_raw; /* falls back to plain raw tracepoints */
	bool
	    interrupted_loses_runs; /* on a preemptible kernel whoever reads the maps must not be interrupted */
	void (*prime)(void);        /* called once after attaching; NULL: nothing to do */
};

/* In the order that "auto" tries. */
extern const struct method *const methods[];
extern const size_t method_count;

/* NULL for PROBE_AUTO, which is no method: no plan that was made has it. */
const struct method *method_find(enum probe_method id);

/* "auto", "tracepoint", "fentry", "kprobe": as --probe takes them and JSON shows them. */
const char *probe_method_name(enum probe_method id);

/*
 * Fills *plan with the method's hooks on this kernel as far as its facts tell. typed: tracepoints as BTF-typed
 * programs. Returns false when the kernel's facts rule the method out; *why then says so.
 */
bool method_plan(struct plan *plan, const struct method *method, bool typed, const struct kernel *kernel,
    const char **why);

/* How method_choose finds out whether a plan works here: by what the loader passes. */
struct method_trial {
	int (*attach)(const struct hook *hook, const struct kernel *kernel); /* 0 or -errno */
	void (*note)(void *to, const char *text);                            /* progress; NULL: nobody asks */
	void *to;
};

/* Why no method was chosen. */
struct method_refusal {
	char why[4 * METHOD_WHY_SIZE]; /* of each method that was tried */
	int errs[8];                   /* what the trials ended with, in their order */
	size_t err_count;
};

/*
 * The one choice of method, for the run as for --ebpf: the first of methods[] (of `wanted` alone, unless that is
 * PROBE_AUTO) that the kernel's facts allow and that works when its first hook is tried. trial NULL: nothing is
 * tried, the facts decide. Fills *plan and returns 0, or -ENOTSUP with *refusal.
 */
int method_choose(struct plan *plan, enum probe_method wanted, const struct kernel *kernel,
    const struct method_trial *trial, struct method_refusal *refusal);

bool plan_has(const struct plan *plan, enum kernel_symbol symbol);

/* Adds a hook whose function in the text is PREFIX_NAME. For the methods' plan(). */
void plan_add(
    struct plan *plan, enum hook_kind kind, enum kernel_symbol symbol, const char *prefix, const char *name);

/* Two hooks that are attached both or not at all. */
bool plan_belong_together(const struct hook *one, const struct hook *other);

/* What the plan's method does not count on this kernel: fills up to NOT_COUNTED_MAX, returns how many. */
size_t plan_blind_spots(const struct blind_spot *spots[NOT_COUNTED_MAX], const struct plan *plan);

#endif
