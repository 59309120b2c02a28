/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */

/* sock_send_length and sock_recv_length(struct sock *sk, int ret, int flags) fire for sockets of every family */
int tracepoint_send(u64 *ctx)
{
	u64 sk = ctx[0];

	if (!is_tcp(sk))
		return 0;
	return account(sk, (int)ctx[1], DIRECTION_TX);
}

int tracepoint_receive(u64 *ctx)
{
	u64 sk = ctx[0];

	if (((u32)ctx[2] & (FLAG_PEEK | FLAG_ERRQUEUE)) || !is_tcp(sk))
		return 0;
	return account(sk, (int)ctx[1], DIRECTION_RX);
}
