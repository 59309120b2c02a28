/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*@ describe_life */
	value->process_start_ms = LOAD_COLD(u64, leader, TASK_START_TIME) / 1000000;
	value->is_closed = LOAD_COLD(u8, sk, SK_STATE) == TCP_CLOSE;
/*@ ends_head */

#define TCP_ESTABLISHED 1
#define TCP_CLOSE 7
#define TCP_LISTEN 10
/*@ ends */

BPF_ARRAY(ends_lost, u64, 1); /* ends that found no place; only grows */

static __always_inline void lose_end(void)
{
	u32 slot = 0;
	u64 *lost = ends_lost.lookup(&slot);

	if (lost)
		__sync_fetch_and_add(lost, 1);
}
/*@ end */

/* When a connection ended (CLOCK_MONOTONIC), by the sessions' key without a PID: softirqs end connections, too. */
BPF_TABLE("hash", struct session_key@N@, u64, ends@N@_even, @MAX_ENDS@);
BPF_TABLE("hash", struct session_key@N@, u64, ends@N@_odd, @MAX_ENDS@);

/* One that begins takes back the end of the connection that had its key before. */
static __always_inline void end@N@(u64 sk, u64 head, u32 netns, bool closed, bool odd)
{
	struct session_key@N@ key = {};
	u64 now = bpf_ktime_get_ns();
	int err;

	session_key@N@_fill(&key, sk, head, netns, 0);
	if (!closed) {
		if (odd)
			ends@N@_odd.delete(&key);
		else
			ends@N@_even.delete(&key);
		return;
	}
	if (odd)
		err = ends@N@_odd.update(&key, &now);
	else
		err = ends@N@_even.update(&key, &now);
	if (err)
		lose_end();
}
/*@ ends_subflow */
	/* of an MPTCP connection, which goes on without it, and whose own socket tells its end */
	if (LOAD(u16, SOCK(sk), SK_PROTOCOL) == PROTOCOL_TCP && LOAD_COLD(u8, sk, TCP_IS_MPTCP))
		return 0;
/*@ ends_program */

/*
 * inet_sock_set_state(sk, oldstate, newstate). A connection has ended when its socket is closed: after FIN both ways
 * or a reset, and when it goes to TIME_WAIT, which is a socket of its own.
 */
int ends_set_state(u64 *ctx)
{
	u64 sk = ctx[0];
	int before = (int)ctx[1], now = (int)ctx[2];
	bool closed = now == TCP_CLOSE;
	u32 slot = 0, netns, *odd;
	u16 family;

	if ((!closed && now != TCP_ESTABLISHED) || before == TCP_LISTEN || before == TCP_CLOSE || !is_tcp(sk))
		return 0;
@SUBFLOW@
	odd = generation.lookup(&slot);
	if (!odd)
		return 0;
	READ_HEAD(head, sk);
	netns = network_namespace(head);
	family = HEAD(u16, head, SK_FAMILY);
@FILTER_FAMILY@
	return 0;
}
