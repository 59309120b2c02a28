/* SPDX-License-Identifier: Apache-2.0 */
/* What the recorded kernels (data/README.md) are like, read out of bpftool's dumps of their whole BTF. */
#ifndef TCPTOP_KNOWN_KERNELS_H
#define TCPTOP_KNOWN_KERNELS_H

#include "kernel/kernel.h"

#define ABSENT (-1)

enum { RECORDED_6_18, RECORDED_6_1, RECORDED_COUNT };

static const char *const recordings[RECORDED_COUNT] = { "btf-6.18", "btf-6.1" };

static const struct {
	enum kernel_field field;
	int32_t offsets[RECORDED_COUNT];
} known_fields[] = {
	{ FIELD_SK_FAMILY, { 16, 16 } },
	{ FIELD_SK_ADDRPAIR, { 0, 0 } },
	{ FIELD_SK_PORTPAIR, { 12, 12 } },
	{ FIELD_SK_NET, { 48, 48 } },
	{ FIELD_SK_V6_DADDR, { 56, 56 } },
	{ FIELD_SK_V6_RCV_SADDR, { 72, 72 } },
	{ FIELD_SK_BOUND_DEV_IF, { 20, 20 } },
	{ FIELD_SK_PROTOCOL, { 532, 516 } },
	{ FIELD_SK_TYPE, { 534, 514 } },
	{ FIELD_MPTCP_FIRST, { 1712, 1736 } },
	{ FIELD_TCP_IS_MPTCP, { 2252, 2220 } },
	{ FIELD_SK_STATE, { 18, 18 } },
	{ FIELD_TASK_START_TIME, { 1552, 2776 } },
	{ FIELD_SK_LOCK_OWNED, { 324, 156 } },
	{ FIELD_SK_FLAGS, { 96, 96 } },
	{ FIELD_SK_COOKIE, { 88, 88 } },
	{ FIELD_TASK_STACK, { 32, 32 } },
	{ FIELD_TASK_CFS_RQ, { 296, 248 } },
	{ FIELD_CFS_RQ_RQ, { 312, 304 } },
	{ FIELD_RQ_CURR, { 2720, 2400 } },
	{ FIELD_INET_SPORT, { 814, 804 } },
	{ FIELD_INET_MC_INDEX, { 840, 820 } },
	{ FIELD_INET_PINET6, { 784, 776 } },
	{ FIELD_IPV6_MCAST_OIF, { 48, 72 } },
	{ FIELD_NET_INUM, { 176, 144 } },
	{ FIELD_TASK_GROUP_LEADER, { 1328, 2480 } },
	{ FIELD_TASK_COMM, { 1752, 2976 } },
	{ FIELD_TASK_NSPROXY, { 1840, 3064 } },
	{ FIELD_NSPROXY_MNT_NS, { 24, 24 } },
	{ FIELD_MNT_NS_INUM, { 24, 16 } },
	{ FIELD_CGROUP_KN, { 256, 248 } },
	{ FIELD_CGROUP_ROOT, { 696, 656 } },
	{ FIELD_CGROUP_ROOT_HIERARCHY_ID, { 12, 12 } },
	{ FIELD_KERNFS_NODE_ID, { 96, 104 } },
	{ FIELD_SOCKET_SK, { 24, 24 } },
	{ FIELD_ZEROCOPY_LENGTH, { 8, 8 } },
	{ FIELD_ZEROCOPY_COPYBUF_LEN, { 32, 32 } },
	{ FIELD_TCP_COPIED_SEQ, { 1464, 1468 } },
	{ FIELD_TCP_RCV_NXT, { 1664, 1464 } },
	{ FIELD_TCP_BYTES_RECEIVED, { 1752, 1448 } },
	{ FIELD_ICSK_ULP_OPS, { 1224, 1248 } },
	{ FIELD_TCP_SRTT_US, { 1680, 1672 } },
	{ FIELD_TCP_TOTAL_RETRANS, { 2200, 2144 } },
	{ FIELD_RECORD_SK, { 8, ABSENT } },
	{ FIELD_RECORD_RESULT, { 20, ABSENT } },
	{ FIELD_RECORD_FLAGS, { 24, ABSENT } },
#if defined(__x86_64__)
	{ FIELD_REGS_SYSCALL, { 120, 120 } },
	{ FIELD_REGS_BEFORE, { 80, 80 } },
#else
	{ FIELD_REGS_BEFORE, { ABSENT, ABSENT } },
	{ FIELD_REGS_SYSCALL, { ABSENT, ABSENT } }, /* the recorded kernels' register has another name */
#endif
	{ FIELD_TASK_TGID, { 1268, 2420 } },
	{ FIELD_TASK_CRED, { 1736, 2960 } },
	{ FIELD_CRED_UID, { 8, 8 } },
	{ FIELD_TASK_CGROUPS, { 2376, 3600 } },
	{ FIELD_CSS_SET_DFL_CGRP, { 112, 128 } },
	{ FIELD_CGROUP_LEVEL, { 216, 208 } },
	{ FIELD_CGROUP_SELF, { 0, 0 } },
	{ FIELD_CSS_PARENT, { 184, 192 } },
	{ FIELD_TCP_BYTES_SENT, { 1544, 1488 } },
	{ FIELD_TCP_BYTES_RETRANS, { 2192, 2136 } },
	{ FIELD_TCP_BYTES_ACKED, { 1824, 1496 } },
	{ FIELD_TCP_CHRONO_STAT, { 1564, 1624 } },
	{ FIELD_TCP_CHRONO_START, { 1560, 1620 } },
	{ FIELD_TCP_CHRONO_TYPE, { 1556, 1636 } },
	{ FIELD_TCP_WRITE_SEQ, { 1576, 1852 } },
	{ FIELD_TCP_SND_NXT, { 1668, 1476 } },
	{ FIELD_TCP_SND_UNA, { 1672, 1508 } },
	{ FIELD_TCP_SND_CWND, { 1444, 1776 } },
	{ FIELD_TCP_PACKETS_OUT, { 1684, 1716 } },
	{ FIELD_TCP_RTT_MIN, { 1496, 1692 } },
	{ FIELD_MINMAX_VALUE, { 4, 4 } },
	{ FIELD_TCP_RCV_RTT_US, { 1832, 2176 } },
	{ FIELD_TCP_LSNDTIME, { 1584, 1520 } },
	{ FIELD_ICSK_LRCVTIME, { 1264, 1304 } },
	{ FIELD_ICSK_CA_STATE, { 1248, 1280 } },
	{ FIELD_ICSK_RETRANSMITS, { 1249, 1281 } },
	{ FIELD_ICSK_PROBES_OUT, { 1253, 1285 } },
	{ FIELD_SK_ERR, { 284, 544 } },
	{ FIELD_SK_SNDBUF, { 568, 332 } },
	{ FIELD_SK_WMEM_QUEUED, { 376, 336 } },
	{ FIELD_SK_ACK_BACKLOG, { 600, 552 } },
	{ FIELD_SK_MAX_ACK_BACKLOG, { 604, 556 } },
	{ FIELD_SK_WRITE_PENDING, { 364, 388 } },
	{ FIELD_SK_USER_DATA, { 656, 632 } },
	{ FIELD_SK_WQ, { 256, 296 } },
	{ FIELD_WQ_HEAD, { 8, 8 } },
	{ FIELD_WAIT_ENTRY, { 24, 24 } },
	{ FIELD_WAIT_PRIVATE, { 8, 8 } },
	{ FIELD_TCP_URG_SEQ, { 2216, 2148 } },
	{ FIELD_TCP_REPAIR, { 1463, 1637 } },
	{ FIELD_SK_DROPS, { 136, 184 } },
};

/* The first bit, and how many, of those that are some of a byte. */
static const struct {
	enum kernel_field field;
	uint8_t bits[RECORDED_COUNT][2];
} known_bits[] = {
	{ FIELD_TCP_CHRONO_TYPE, { { 0, 8 }, { 0, 2 } } },
	{ FIELD_ICSK_CA_STATE, { { 0, 5 }, { 0, 5 } } },
	{ FIELD_TCP_REPAIR, { { 0, 1 }, { 6, 1 } } },
};

static const struct {
	enum kernel_symbol symbol;
	int parameters[RECORDED_COUNT]; /* ABSENT: the kernel has no such symbol */
} known_symbols[] = {
	{ SYMBOL_SOCK_SEND_LENGTH, { 3, ABSENT } },
	{ SYMBOL_SOCK_RECV_LENGTH, { 3, ABSENT } },
	{ SYMBOL_TCP_RCV_SPACE_ADJUST, { 1, 1 } },
	{ SYMBOL_INET_SOCK_SET_STATE, { 3, 3 } },
	{ SYMBOL_SCHED_PROCESS_EXIT, { 2, 1 } },
	{ SYMBOL_SCHED_PROCESS_EXEC, { 3, 3 } },
	{ SYMBOL_CGROUP_MKDIR, { 2, 2 } },
	{ SYMBOL_TCP_SEND_RESET, { 3, 2 } },
	{ SYMBOL_BPF_RDONLY_CAST, { 2, ABSENT } },
	{ SYMBOL_BPF_ITER_TASK_FILE, { 4, 4 } },
	{ SYMBOL_BPF_ITER_SOCKETS, { 4, 4 } },
	{ SYMBOL_INET_SENDMSG, { 3, 3 } },
	{ SYMBOL_INET6_SENDMSG, { 3, 3 } },
	{ SYMBOL_INET_RECVMSG, { 4, 4 } },
	{ SYMBOL_INET6_RECVMSG, { 4, 4 } },
	{ SYMBOL_INET_SENDPAGE, { ABSENT, 5 } },
	{ SYMBOL_TCP_SPLICE_READ, { 5, 5 } },
	{ SYMBOL_TCP_ZEROCOPY_RECEIVE, { 3, 3 } },
	{ SYMBOL_TLS_SW_SPLICE_READ, { ABSENT, ABSENT } }, /* in a module, and 6.18 was built without */
	{ SYMBOL_MPTCP_SPLICE_READ, { ABSENT, ABSENT } },
};

#endif
