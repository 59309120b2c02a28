/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
struct socket_kind {
	u16 type;
	u16 protocol;
};

/* TCP or MPTCP, and not a raw socket whose user writes TCP headers */
static __always_inline bool is_tcp(u64 sk)
{
	struct socket_kind kind;

	READ_KIND(kind, sk);
	return (kind.protocol == PROTOCOL_TCP || kind.protocol == PROTOCOL_MPTCP) && kind.type == TYPE_STREAM;
}

/* For functions of plain TCP alone: MPTCP passes through them on the way to another one, where it is counted. */
static __always_inline bool is_plain_tcp(u64 sk)
{
	struct socket_kind kind;

	READ_KIND(kind, sk);
	return kind.protocol == PROTOCOL_TCP && kind.type == TYPE_STREAM;
}

static __always_inline bool is_wanted(u32 pid)
{
@FILTER_PID@
	return true;
}

/*
 * sk: a struct sock for which is_tcp() holds; bytes: what the call returned, so errors and nothing end here; program: the
 * number of the caller's front.
 */
static __always_inline int account(u64 sk, s64 bytes, const int direction, const u32 program)
{
	u32 slot = 0, pid, netns, *odd;
	u16 family;

	if (bytes <= 0)
		return 0;
	pid = CURRENT_PID();
	if (!is_wanted(pid))
		return 0;
@FILTER_TASK@
	READ_HEAD(head, sk);
@FILTER_SOCKET@
	odd = generation.lookup(&slot);
	if (!odd)
		return 0;
	netns = network_namespace(head); /* before the ways part: the verifier looks for a pointer's type each time it comes by */
	family = HEAD(u16, head, SK_FAMILY);
@FILTER_FAMILY@
	return 0;
}
