/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*@ accepted */

/*
 * Of a connection that a listener accepts the kernel notes on which link it came, in the place of the link for
 * multicast (tcp_v4_syn_recv_sock, tcp_v6_syn_recv_sock; SYN cookies and Fast Open come there, too). Nothing else
 * sets that of a stream: IP_MULTICAST_IF and IPV6_MULTICAST_IF refuse to. An MPTCP socket has it in its first subflow.
 */
static __always_inline u16 is_accepted(u64 sk)
{
	u32 ifindex;

	if (LOAD_COLD(u16, sk, SK_PROTOCOL) == PROTOCOL_MPTCP)
		sk = @FIRST_SUBFLOW@;
	if (!sk)
		return ANSWER_UNKNOWN;
	ifindex = LOAD_COLD(u32, sk, INET_MC_INDEX);
	if (!ifindex && LOAD_COLD(u16, sk, SK_FAMILY) == FAMILY_INET6)
		ifindex = LOAD_COLD(u32, LOAD_COLD(u64, sk, INET_PINET6), IPV6_MCAST_OIF);
	return ifindex ? ANSWER_YES : ANSWER_NO;
}
/*@ describe_accepted */
	value->accepted = is_accepted(sk);
