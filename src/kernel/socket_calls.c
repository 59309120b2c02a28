/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/socket_calls.h"

#include "base/util.h"
#include "kernel/template.h"

/*
 * The socket interface of the inet families (struct proto_ops): every caller passes here once, kernel TLS
 * and MPTCP with their own bytes. sendpage went in 6.5; without it sendfile and splice use sendmsg.
 */
const struct socket_call socket_calls[] = {
	{ SYMBOL_INET_SENDMSG, "send", "is_tcp", false, -1, true },
	{ SYMBOL_INET6_SENDMSG, "send", "is_tcp", false, -1, false },
	{ SYMBOL_INET_RECVMSG, "receive", "is_tcp", false, 3, true },
	{ SYMBOL_INET6_RECVMSG, "receive", "is_tcp", false, 3, false },
	{ SYMBOL_INET_SENDPAGE, "send", "is_plain_tcp", false, -1, false },
	{ SYMBOL_TCP_SPLICE_READ, "splice", "is_tcp", false, -1, false },
	{ SYMBOL_TCP_ZEROCOPY_RECEIVE, "zerocopy", "is_tcp", true, 1, false },
	{ SYMBOL_TLS_SW_SPLICE_READ, "splice", "is_tcp", false, -1, false },
};
const size_t socket_call_count = COUNT_OF(socket_calls);

const struct socket_call *socket_call_find(enum kernel_symbol symbol)
{
	for (size_t i = 0; i < socket_call_count; i++)
		if (socket_calls[i].symbol == symbol)
			return &socket_calls[i];
	return NULL;
}

bool socket_call_required(enum kernel_symbol symbol)
{
	const struct socket_call *call = socket_call_find(symbol);

	return call && call->required;
}

void socket_call_print(FILE *out, const char *text, const struct socket_call *call, int first, int extra,
    int result, const char *return_address)
{
	char sk[64], extra_text[32] = "0", result_text[16], function[16];

	snprintf(sk, sizeof sk, call->takes_sock ? "ctx[%d]" : "LOAD(u64, ctx[%d], SOCKET_SK)", first);
	if (call->extra_parameter >= 0)
		snprintf(extra_text, sizeof extra_text, "ctx[%d]", extra);
	snprintf(result_text, sizeof result_text, "%d", result);
	snprintf(function, sizeof function, "%d", (int)call->symbol);
	const struct slot slots[] = {
		{ "SYMBOL", kernel_symbol_name(call->symbol) },
		{ "ROLE", call->role },
		{ "GUARD", call->guard },
		{ "SK", sk },
		{ "EXTRA", extra_text },
		{ "RESULT", result_text },
		{ "FUNCTION", function },
		{ "RETURN_ADDRESS", return_address },
	};

	template_fill(out, text, slots, COUNT_OF(slots));
}
