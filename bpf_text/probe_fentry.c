/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */

/* On return: ctx holds the arguments and behind them the result. */
int fentry_@SYMBOL@(u64 *ctx)
{
	u64 sk = @SK@;

	note_run(RUN_BEGINS);
	if (!@GUARD@(sk))
		return 0;
	return returned_@ROLE@(sk, (int)ctx[@RESULT@], @EXTRA@, @PROGRAM@);
}
