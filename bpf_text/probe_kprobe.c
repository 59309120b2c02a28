/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */

/* ctx: the registers, as 8-byte slots */
int kprobe_@SYMBOL@(u64 *ctx)
{
	u64 sk = @SK@;

	if (!@GUARD@(sk))
		return call_pass(@FUNCTION@);
	return call_enter(sk, @EXTRA@, @FUNCTION@, @RETURN_ADDRESS@);
}

int kretprobe_@SYMBOL@(u64 *ctx)
{
	struct pending_call call = {};

	if (!call_return(&call, @FUNCTION@))
		return 0;
	return returned_@ROLE@(call.sk, (int)ctx[@RESULT@], call.extra);
}
