/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of the socket interface whose returns tell what was moved: all of them for the fentry and kprobe methods,
 * those that no tracepoint tells of for the tracepoint method.
 */
#ifndef TCPTOP_SOCKET_CALLS_H
#define TCPTOP_SOCKET_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "kernel/kernel.h"

struct plan;
struct planner;

struct socket_call {
	enum kernel_symbol symbol;
	const char *role;       /* returned_ROLE() in bpf_text/roles.c */
	const char *guard;      /* is_tcp or is_plain_tcp */
	bool takes_sock;        /* first argument is the struct sock, else the struct socket */
	int extra_parameter;    /* index of the argument that the role needs, -1: none */
	bool required;          /* the fentry and kprobe methods are not offered without it */
	bool has_no_tracepoint; /* what it moves passes neither sock_send_length nor sock_recv_length */
	unsigned needs;         /* fields: enum kernel_need */
	unsigned front;         /* what it returns is counted in this program's front, or in NO_FRONT's */
};

extern const struct socket_call socket_calls[];
extern const size_t socket_call_count;

/* What no method on these functions sees, whatever hooks it. */
/* clang-format off */
#define SOCKET_CALL_BLIND_SPOTS \
	{ "splice_out", "this kernel's tcp_splice_read cannot be probed", \
	    { SYMBOL_TCP_SPLICE_READ, SYMBOL_COUNT }, SYMBOL_COUNT, 0, 0 }, \
	{ "zerocopy_receive", "this kernel's tcp_zerocopy_receive cannot be probed", \
	    { SYMBOL_TCP_ZEROCOPY_RECEIVE, SYMBOL_COUNT }, SYMBOL_COUNT, 0, 0 }, \
	{ "splice_tls", \
	    "splice() out of a kernel TLS socket: TLS was not in use when tracing started, or cannot be probed", \
	    { SYMBOL_TLS_SW_SPLICE_READ, SYMBOL_COUNT }, SYMBOL_COUNT, 0, 0 }, \
	{ "call_before_start", "a call that waited when tracing started is not seen to return", \
	    UNLESS_NOTHING, SYMBOL_COUNT, 0, 0 },
/* clang-format on */

/* Whether a method on these functions works without this symbol. */
bool socket_call_required(enum kernel_symbol symbol);

/* Which of the functions a plan takes. */
enum socket_calls_which { SOCKET_CALLS_ALL, SOCKET_CALLS_WITHOUT_TRACEPOINT };

/* Adds programs on the functions' returns. False: BTF does not know one that `all` requires. */
bool socket_calls_plan_returns(struct plan *plan, const struct kernel *kernel, enum socket_calls_which which);

/*
 * Adds kprobe and kretprobe of each function. Without BTF it is not known which of them exist: attaching finds out.
 * Where the kernel may run out of instances for returns while fentry would lose runs, both together lose none: then
 * programs on the returns stand by.
 */
void socket_calls_plan_kprobes(struct plan *plan, struct planner *planner, enum socket_calls_which which);

/* Prints the programs of the plan's hooks on these functions, as struct method's print does. Returns 0. */
int socket_calls_print(FILE *out, const struct kernel *kernel, const struct plan *plan);

#endif
