/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*@ roles */

/*
 * What a function's return means, by the role that the function plays. extra is the one further argument
 * that the role needs. Results are int or ssize_t, and never beyond an int (MAX_RW_COUNT).
 */
static __always_inline int returned_send(u64 sk, int result, u64 extra, const u32 program)
{
	return account(sk, result, DIRECTION_TX, program);
}

static __always_inline int returned_receive(u64 sk, int result, u64 flags, const u32 program)
{
	if ((u32)flags & (FLAG_PEEK | FLAG_ERRQUEUE))
		return 0;
	return account(sk, result, DIRECTION_RX, program);
}

static __always_inline int returned_splice(u64 sk, int result, u64 extra, const u32 program)
{
	return account(sk, result, DIRECTION_RX, program);
}
/*@ role_zerocopy */

/* Not a count but an error is returned; the pages mapped and the bytes copied beside them stand in *zc. */
static __always_inline int returned_zerocopy(u64 sk, int result, u64 zc, const u32 program)
{
	s64 bytes = LOAD_COLD(u32, zc, ZEROCOPY_LENGTH);
	s32 copied = LOAD_COLD(s32, zc, ZEROCOPY_COPYBUF_LEN);

	if (copied > 0)
		bytes += copied;
	return account(sk, result ? 0 : bytes, DIRECTION_RX, program);
}
