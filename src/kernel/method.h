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

enum {
	HOOKS_MAX = 40,        /* programs of one method */
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
	HOOK_PERF_TRACEPOINT, /* by the record that perf makes of it, with preemption disabled */
	HOOK_ITERATOR,        /* runs once, at the start, and is not kept, unless it is a late one */
	HOOK_FEXIT,
	HOOK_KPROBE,
	HOOK_KRETPROBE,
	HOOK_KIND_COUNT
};

/* What a program is there for. Nothing else needs those that count no bytes, and what they miss is no missed run. */
enum hook_duty {
	DUTY_COUNT,
	DUTY_NOTE_ENDS,    /* of connections */
	DUTY_NOTE_CGROUPS, /* that are made */
	DUTY_TELL_SOCKETS, /* of all that are open: loaded, but not attached before somebody asks */
	DUTY_NOTE_LIVES,   /* of connections: likewise */
	HOOK_DUTY_COUNT
};

/* One program, and the place in the kernel that it is attached to. */
struct hook {
	enum hook_kind kind;
	enum kernel_symbol symbol;
	char function[64]; /* its name in the program text */
	enum hook_duty duty;
};

/* What a method hooks on this kernel. */
struct plan {
	enum probe_method method;
	bool direct; /* sockets are typed; else fields are probe reads, unless casts are needed */
	bool preemptible, tracepoints_preemptible; /* as in struct kernel */
	bool kretprobes_collide;                   /* likewise */
	unsigned ways;                             /* likewise */
	unsigned needs;                            /* fields of its text: enum kernel_need */
	unsigned fronts; /* how many of its programs count in a front of their own (model/session.h) */
	size_t hook_count;
	struct hook hooks[HOOKS_MAX];
};

/* Why the kernel may skip runs of a plan's programs: bits. */
enum skipped_runs {
	SKIPS_PREEMPTED = 1 << 0, /* while another task is preempted in the same program on that CPU */
	SKIPS_MAP_CALLS = 1 << 1, /* while another task is preempted in a map's system call on that CPU */
	SKIPS_WAITING =
	    1 << 2, /* returns of calls that wait at once, beyond the kernel's instances for them */
	SKIPS_COLLIDING = 1 << 3, /* returns on several CPUs at once */
};

/* A data path that some method cannot see on some kernels. */
struct blind_spot {
	const char *id;               /* as JSON's not_counted, --check and the screen show it */
	const char *reason;           /* for the user */
	enum kernel_symbol unless[2]; /* not blind where one of them is hooked; SYMBOL_COUNT: none */
	enum kernel_symbol where;     /* blind only where this symbol is hooked; SYMBOL_COUNT: anywhere */
	unsigned skips;               /* only where the plan's runs are skipped for this; 0: everywhere */
	unsigned ways;                /* only where the kernel can have one of these; 0: everywhere */
};

#define UNLESS_NOTHING                     \
	{                                  \
		SYMBOL_COUNT, SYMBOL_COUNT \
	}

/* What no method sees, whatever it hooks. */
/* clang-format off */
#define COMMON_BLIND_SPOTS \
	{ "splice_mptcp", "splice() out of an MPTCP socket: this kernel's mptcp_splice_read is not probed", \
	    { SYMBOL_MPTCP_SPLICE_READ, SYMBOL_COUNT }, SYMBOL_COUNT, 0, WAY_SPLICE_MPTCP }, \
	{ "zerocopy_receive_io_uring", "io_uring's zero-copy receive (IORING_OP_RECV_ZC) passes no socket call", \
	    UNLESS_NOTHING, SYMBOL_COUNT, 0, WAY_RECEIVE_IO_URING }, \
	{ "kernel_readers", \
	    "what the kernel itself receives past the socket calls: NVMe/TCP, iSCSI, RDS, KCM, soft iWARP, OpenVPN, " \
	    "ESP in TCP", \
	    UNLESS_NOTHING, SYMBOL_COUNT, 0, WAY_READERS }, \
	{ "kernel_senders", \
	    "what the kernel itself sends past the socket calls: soft iWARP, OpenVPN, ESP in TCP", \
	    UNLESS_NOTHING, SYMBOL_COUNT, 0, WAY_SENDERS }, \
	{ "mptcp_links", "MPTCP over link-local addresses: without BTF equal ones on two links are one connection", \
	    UNLESS_NOTHING, SYMBOL_COUNT, 0, WAY_LINKS_MPTCP },
/* clang-format on */

/* The ids of what is not a path: runs that a preemptible kernel skips, and that processors miss beside each other. */
#define BLIND_SPOT_PREEMPTED "preempted_runs"
#define BLIND_SPOT_BUSY "busy_returns"

/* How the loader passes what works here: by programs of a few instructions. */
struct method_trial {
	int (*attach)(const struct hook *hook, const struct kernel *kernel); /* 0 or -errno */
	int (*cast)(enum hook_kind kind, const struct kernel *kernel);       /* likewise: see planner_casts */
	void (*note)(void *to, const char *text);                            /* progress; NULL: nobody asks */
	void *to;
};

/* Answers a method's questions while it makes its plan. */
struct planner {
	const struct kernel *kernel;
	const struct method_trial *trial; /* NULL: nothing is tried, what the facts allow works */
	char why[METHOD_WHY_SIZE];        /* of the last refusal */
	int err;                          /* likewise, -errno */
	struct {
		bool done;
		int err;
	} tried[HOOK_KIND_COUNT][SYMBOL_COUNT]; /* each is tried once, for all methods */
};

/* One probe method. */
struct method {
	enum probe_method id;
	const char *name; /* as --probe takes it and JSON shows it */

	/* Fills plan->hooks and direct, asking the planner; false: it does not work here, planner->why says so. */
	bool (*plan)(struct plan *plan, struct planner *planner);

	/* Prints the programs of the plan. 0, or -errno for want of memory. */
	int (*print)(FILE *out, const struct kernel *kernel, const struct plan *plan);

	/* The method does not work without this symbol's hook. */
	bool (*requires)(enum kernel_symbol symbol);

	const struct blind_spot *blind_spots;
	size_t blind_spot_count;
};

/*
 * How many of `wanted` programs may have a front here. Reading one takes memory of all CPUs, which before 5.15 has to lie together: where
 * that is more than the kernel gives at any time there are none.
 */
unsigned method_fronts(const struct kernel *kernel, unsigned wanted);

/* In the order that "auto" tries. */
extern const struct method *const methods[];
extern const size_t method_count;

/* NULL for PROBE_AUTO, which is no method: no plan that was made has it. */
const struct method *method_find(enum probe_method id);

/* "auto", "tracepoint", "fentry", "kprobe": as --probe takes them and JSON shows them. */
const char *probe_method_name(enum probe_method id);

/* Does a hook of this kind work here? Asked by the methods' plan(). When it does not, planner->why says so. */
bool planner_works(struct planner *planner, enum hook_kind kind, enum kernel_symbol symbol);

/*
 * Can programs of this kind of hook give an address a type here (bpf_rdonly_cast), so that fields are plain loads? Not before Linux
 * 6.2, and not where programs are interpreted. Returns what that needs, NEED_CAST and, where a CPU's run queue tells its
 * task, NEED_CURRENT; 0: they cannot.
 */
unsigned planner_casts(struct planner *planner, enum hook_kind kind);

/* What the kernel's facts rule out, in words. Returns false. */
bool planner_rule_out(struct planner *planner, const char *why);

/* Does BTF tell where these fields are (enum kernel_need)? When it does not, planner->why says so. */
bool planner_knows(struct planner *planner, unsigned needs);

/* Fills *plan with the method's hooks on planner->kernel. False: it does not work here, planner->why and err tell. */
bool method_plan(struct plan *plan, const struct method *method, struct planner *planner);

/* Why no method was chosen. */
struct method_refusal {
	char why[4 * METHOD_WHY_SIZE]; /* of each method that was tried */
	int errs[8];                   /* what the trials ended with, in their order */
	size_t err_count;
};

/*
 * The one choice of method, for the run as for --ebpf: of those that work here (`wanted` alone, unless that is
 * PROBE_AUTO) the first of methods[] whose programs preemption does not keep from running, else the first. trial NULL:
 * nothing is tried, the facts decide. Fills *plan and returns 0, or -ENOTSUP with *refusal.
 */
int method_choose(struct plan *plan, enum probe_method wanted, const struct kernel *kernel,
    const struct method_trial *trial, struct method_refusal *refusal);

/* Why its runs may be skipped: enum skipped_runs. */
unsigned plan_skips(const struct plan *plan);

bool plan_has(const struct plan *plan, enum kernel_symbol symbol);

/* Adds a hook whose function in the text is PREFIX_NAME. For the methods' plan(). */
void plan_add(
    struct plan *plan, enum hook_kind kind, enum kernel_symbol symbol, const char *prefix, const char *name);

bool plan_has_kind(const struct plan *plan, enum hook_kind kind, enum kernel_symbol symbol);

/* Takes out of a method's plan the hooks that follow how far each socket was read, if that is how splice() is counted. */
void plan_drop_following(struct plan *plan);

/*
 * Adds the program that notes when connections end, for any method's plan, where it can be had. Its reading of the
 * kernel's fields is the plan's.
 */
void plan_add_ends(struct plan *plan, const struct kernel *kernel);

/* The same for the program that notes which cgroups are made: a plain raw tracepoint in every plan, as it is seldom run. */
void plan_add_cgroups(struct plan *plan, const struct kernel *kernel);

/* And for those that tell of all sockets, on kernels that can. */
void plan_add_sockets(struct plan *plan, const struct kernel *kernel);

/* And for those that note how connections begin and end. */
void plan_add_lives(struct plan *plan, const struct kernel *kernel);

/* Is a duty's program attached later, by who asks for what it tells? */
bool duty_is_late(enum hook_duty duty);

/* Is a program of this duty in it? */
bool plan_has_duty(const struct plan *plan, enum hook_duty duty);

/* A program on a function's return that stands by for the kretprobe's: see bpf_text/probe_kprobe.c. */
bool plan_is_standby(const struct plan *plan, const struct hook *hook);

/* The method does not work without this hook. */
bool plan_requires(const struct plan *plan, const struct hook *hook);

/* Where `lost` cannot be attached, `hook` is of no use. */
bool plan_falls_with(const struct plan *plan, const struct hook *hook, const struct hook *lost);

/* Why the method of that name (see probe_method_name) does not count a path, for the user; NULL: no such name or id. */
const char *method_blind_reason(const char *name, const char *id);

/* What the plan's method does not count on this kernel: fills up to NOT_COUNTED_MAX, returns how many. */
size_t plan_blind_spots(const struct blind_spot *spots[NOT_COUNTED_MAX], const struct plan *plan);

#endif
