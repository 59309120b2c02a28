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
