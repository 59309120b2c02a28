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
	{ SYMBOL_CGROUP_MKDIR, { 2, 2 } },
	{ SYMBOL_BPF_ITER_TASK_FILE, { 4, 4 } },
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
