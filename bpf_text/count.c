/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */

/* Two generations: programs write the one, the other is drained. */
BPF_TABLE("hash", struct session_key@N@, struct session_value, sessions@N@_even, @MAX_SESSIONS@);
BPF_TABLE("hash", struct session_key@N@, struct session_value, sessions@N@_odd, @MAX_SESSIONS@);

/*
 * Another CPU may create the same session at the same moment: insert() never overwrites, and whoever comes
 * second finds the first one's entry. What cannot be inserted is counted as "other".
 */
static __always_inline void count@N@(u64 sk, u32 pid, u64 bytes, const int direction, bool odd)
{
	struct session_key@N@ key = {};
	struct session_value *value;

	session_key@N@_fill(&key, sk);
	*(u32 *)&key.rport = LOAD(u32, sk, SK_PORTPAIR);
	key.lport = local_port(sk, key.lport);
	key.pid = pid;
	key.netns = network_namespace(sk);
	if (odd) {
		value = sessions@N@_odd.lookup(&key);
		KEEP_APART(value);
	} else {
		value = sessions@N@_even.lookup(&key);
	}
	if (!value) {
		struct session_value fresh = {};

		describe(&fresh);
		if (odd) {
			sessions@N@_odd.insert(&key, &fresh);
			value = sessions@N@_odd.lookup(&key);
		} else {
			sessions@N@_even.insert(&key, &fresh);
			value = sessions@N@_even.lookup(&key);
		}
	}
	if (!value) {
		count_other(bytes, direction);
		return;
	}
	add(&value->rx_bytes, &value->tx_bytes, bytes, direction);
@TAKE_SOCKET_FACTS@
}
