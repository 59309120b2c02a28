/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*@ tracepoint_arguments */

/* The arguments as they are: sock_send_length(struct sock *sk, int ret, int flags), sock_recv_length likewise. */
#define ARGUMENT_SK(ctx) ((ctx)[0])
#define ARGUMENT_RESULT(ctx) ((int)(ctx)[1])
#define ARGUMENT_FLAGS(ctx) ((u32)(ctx)[2])
/*@ tracepoint_record */

/* The record that perf makes of them, after its own 8 bytes. */
#define ARGUMENT_SK(ctx) (*(u64 *)((u64)(ctx) + RECORD_SK))
#define ARGUMENT_RESULT(ctx) (*(int *)((u64)(ctx) + RECORD_RESULT))
#define ARGUMENT_FLAGS(ctx) (*(u32 *)((u64)(ctx) + RECORD_FLAGS))
/*@ probe_tracepoint */

/* They fire for sockets of every family. */
int tracepoint_send(u64 *ctx)
{
	u64 sk = ARGUMENT_SK(ctx);

	note_run(RUN_BEGINS);
	if (!is_tcp(sk))
		return 0;
	return account(sk, ARGUMENT_RESULT(ctx), DIRECTION_TX, 0);
}

int tracepoint_receive(u64 *ctx)
{
	u64 sk = ARGUMENT_SK(ctx);

	note_run(RUN_BEGINS);
	if ((ARGUMENT_FLAGS(ctx) & (FLAG_PEEK | FLAG_ERRQUEUE)) || !is_tcp(sk))
		return 0;
	return account(sk, ARGUMENT_RESULT(ctx), DIRECTION_RX, 1);
}
