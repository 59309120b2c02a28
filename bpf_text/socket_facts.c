/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*@ socket_facts */

/* At every event, for the columns that ask for it. An MPTCP socket has none: its subflows do. */
static __always_inline void take_socket_facts(struct session_value *value, u64 sk)
{
	u64 tp = TCP_SOCK(sk);

	if (!tp)
		return;
	value->rtt_us = LOAD(u32, tp, TCP_SRTT_US) >> 3; /* kept times 8 */
	value->retransmits = LOAD(u32, tp, TCP_TOTAL_RETRANS);
}
/*@ take_socket_facts */
	take_socket_facts(value, sk);
