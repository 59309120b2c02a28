/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of the socket interface whose returns the fentry and kprobe methods watch. */
#ifndef TCPTOP_SOCKET_CALLS_H
#define TCPTOP_SOCKET_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "kernel/kernel.h"

struct socket_call {
	enum kernel_symbol symbol;
	const char *role;    /* returned_ROLE() in bpf_text/roles.c */
	const char *guard;   /* is_tcp or is_plain_tcp */
	bool takes_sock;     /* first argument is the struct sock, else the struct socket */
	int extra_parameter; /* index of the argument that the role needs, -1: none */
	bool required;       /* the method is not offered without it */
};

extern const struct socket_call socket_calls[];
extern const size_t socket_call_count;

/* What no method on these functions sees, whatever hooks it. */
/* clang-format off */
#define SOCKET_CALL_BLIND_SPOTS \
	{ "splice_out", "this kernel's tcp_splice_read cannot be probed", \
	    SYMBOL_TCP_SPLICE_READ, SYMBOL_COUNT, false }, \
	{ "zerocopy_receive", "this kernel's tcp_zerocopy_receive cannot be probed", \
	    SYMBOL_TCP_ZEROCOPY_RECEIVE, SYMBOL_COUNT, false }, \
	{ "splice_tls", \
	    "splice() out of a kernel TLS socket: TLS was not in use when tracing started, or cannot be probed", \
	    SYMBOL_TLS_SW_SPLICE_READ, SYMBOL_COUNT, false }, \
	{ "call_before_start", "a call that waited when tracing started is not seen to return", \
	    SYMBOL_COUNT, SYMBOL_COUNT, false },
/* clang-format on */

/* NULL: no such function. */
const struct socket_call *socket_call_find(enum kernel_symbol symbol);

/* Whether a method on these functions works without this symbol. */
bool socket_call_required(enum kernel_symbol symbol);

/*
 * Prints the program of one function from its template. first, extra and result are indices into ctx;
 * return_address is C text, for the templates that ask for it.
 */
void socket_call_print(FILE *out, const char *text, const struct socket_call *call, int first, int extra,
    int result, const char *return_address);

#endif
