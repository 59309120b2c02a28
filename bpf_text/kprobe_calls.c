/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */

/*
 * A thread's call between entry and return. What is left over when the return was missed is overwritten by
 * the thread's next call, and both kinds of mismatch are counted.
 */
struct pending_call {
	u64 sk;
	u64 extra;
	u64 function;
};

BPF_TABLE("hash", u64, struct pending_call, pending_calls, 32768);
BPF_ARRAY(missed_runs, u64, 1);

static __always_inline void count_missed_run(void)
{
	u32 slot = 0;
	u64 *missed = missed_runs.lookup(&slot);

	if (missed)
		__sync_fetch_and_add(missed, 1);
}

static __always_inline int call_enter(u64 sk, u64 extra, u64 function)
{
	u64 thread = bpf_get_current_pid_tgid();
	struct pending_call call = { sk, extra, function };

	if (pending_calls.lookup(&thread))
		count_missed_run();
	if (pending_calls.update(&thread, &call))
		count_missed_run();
	return 0;
}

static __always_inline bool call_return(struct pending_call *call, u64 function)
{
	u64 thread = bpf_get_current_pid_tgid();
	struct pending_call *found = pending_calls.lookup(&thread);

	if (!found || found->function != function)
		return false;
	*call = *found;
	pending_calls.delete(&thread);
	return true;
}
