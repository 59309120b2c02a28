/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the running kernel is like, found out without privilege: struct layouts and prototypes from BTF,
 * installed headers, which probe methods BTF and sysfs predict. Reading a kernel's BTF takes about 14 MB
 * for a moment, so the long-lived process leaves it to the loader's child.
 */
#ifndef TCPTOP_KERNEL_H
#define TCPTOP_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct processor;

/* Who needs a field: bits. A field that nobody needs may be missing from the kernel. */
enum kernel_need {
	NEED_EVENT = 1 << 0,    /* every program text */
	NEED_CALLS = 1 << 1,    /* programs on functions that take the struct socket: fentry, kprobe */
	NEED_SPLICE = 1 << 2,   /* what follows splice() by tracepoint */
	NEED_SOCKETS = 1 << 3,  /* the pass over sockets */
	NEED_RECORD = 1 << 4,   /* tracepoints by the record that perf makes of them */
	NEED_ZEROCOPY = 1 << 5, /* programs on tcp_zerocopy_receive */
	NEED_MPTCP = 1 << 6,    /* the link of MPTCP sockets, where BTF knows such: no kernel header does */
	NEED_ENDS = 1 << 7,     /* ends of connections, and when processes began */
	NEED_ACCEPTED = 1 << 8, /* whether a connection was accepted */
	NEED_CGROUPS = 1 << 9,  /* which cgroups are made */
	NEED_LIVES = 1 << 11,   /* how connections began and ended */
	NEED_CAST = 1 << 12,    /* programs that give addresses a type */
	NEED_CURRENT = 1 << 13, /* and find the current task in its CPU's run queue */
	NEED_BITS =
	    1 << 10, /* nobody: the field may be some bits of a byte, and the text has their place, too */
};

/* Where a task keeps the number of the system call that it is in, and what the result register held before. */
#if defined(__aarch64__)
#define REGS_SYSCALL_MEMBER "syscallno"
#define REGS_BEFORE_MEMBER "orig_x0" /* regs[0] has left it once there is a result */
#else
#define REGS_SYSCALL_MEMBER "orig_ax"
#define REGS_BEFORE_MEMBER "ax" /* -ENOSYS until there is a result */
#endif

/*
 * Fields whose place the program text needs: name in the text, struct, members from the struct on (anonymous ones
 * are looked through), who needs it. Without BTF, MNT_NS_INUM is found in mnt_namespace_head: kernel_field_offsetof.
 */
#define KERNEL_FIELDS(FIELD)                                                                                 \
	FIELD(SK_FAMILY, "sock", "__sk_common.skc_family", NEED_EVENT)                                       \
	FIELD(SK_ADDRPAIR, "sock", "__sk_common.skc_addrpair", NEED_EVENT)                                   \
	FIELD(SK_PORTPAIR, "sock", "__sk_common.skc_portpair", NEED_EVENT)                                   \
	FIELD(SK_NET, "sock", "__sk_common.skc_net.net", NEED_EVENT)                                         \
	FIELD(SK_V6_DADDR, "sock", "__sk_common.skc_v6_daddr", NEED_EVENT)                                   \
	FIELD(SK_V6_RCV_SADDR, "sock", "__sk_common.skc_v6_rcv_saddr", NEED_EVENT)                           \
	FIELD(SK_BOUND_DEV_IF, "sock", "__sk_common.skc_bound_dev_if", NEED_EVENT)                           \
	FIELD(SK_PROTOCOL, "sock", "sk_protocol", NEED_EVENT)                                                \
	FIELD(SK_TYPE, "sock", "sk_type", NEED_EVENT)                                                        \
	FIELD(MPTCP_FIRST, "mptcp_sock", "first", NEED_MPTCP)                                                \
	FIELD(TCP_IS_MPTCP, "tcp_sock", "is_mptcp", NEED_MPTCP)                                              \
	FIELD(TCP_SRTT_US, "tcp_sock", "srtt_us", NEED_SOCKETS | NEED_LIVES)                                 \
	FIELD(TCP_TOTAL_RETRANS, "tcp_sock", "total_retrans", NEED_SOCKETS | NEED_LIVES)                     \
	FIELD(INET_SPORT, "inet_sock", "inet_sport", NEED_EVENT)                                             \
	FIELD(NET_INUM, "net", "ns.inum", NEED_EVENT)                                                        \
	FIELD(TASK_GROUP_LEADER, "task_struct", "group_leader", NEED_EVENT)                                  \
	FIELD(TASK_COMM, "task_struct", "comm", NEED_EVENT)                                                  \
	FIELD(TASK_NSPROXY, "task_struct", "nsproxy", NEED_EVENT)                                            \
	FIELD(NSPROXY_MNT_NS, "nsproxy", "mnt_ns", NEED_EVENT)                                               \
	FIELD(MNT_NS_INUM, "mnt_namespace", "ns.inum", NEED_EVENT)                                           \
	FIELD(                                                                                               \
	    SK_STATE, "sock", "__sk_common.skc_state", NEED_SPLICE | NEED_ENDS | NEED_SOCKETS | NEED_LIVES)  \
	FIELD(TASK_START_TIME, "task_struct", "start_time", NEED_ENDS | NEED_SOCKETS | NEED_LIVES)           \
	FIELD(INET_MC_INDEX, "inet_sock", "mc_index", NEED_ACCEPTED)                                         \
	FIELD(INET_PINET6, "inet_sock", "pinet6", NEED_ACCEPTED)                                             \
	FIELD(IPV6_MCAST_OIF, "ipv6_pinfo", "mcast_oif", NEED_ACCEPTED)                                      \
	FIELD(SOCKET_SK, "socket", "sk", NEED_CALLS | NEED_SPLICE | NEED_SOCKETS | NEED_LIVES)               \
	FIELD(ZEROCOPY_LENGTH, "tcp_zerocopy_receive", "length", NEED_ZEROCOPY)                              \
	FIELD(ZEROCOPY_COPYBUF_LEN, "tcp_zerocopy_receive", "copybuf_len", NEED_ZEROCOPY)                    \
	FIELD(TCP_COPIED_SEQ, "tcp_sock", "copied_seq", NEED_SPLICE | NEED_SOCKETS | NEED_LIVES)             \
	FIELD(TCP_RCV_NXT, "tcp_sock", "rcv_nxt", NEED_SPLICE | NEED_SOCKETS | NEED_LIVES)                   \
	FIELD(TCP_BYTES_RECEIVED, "tcp_sock", "bytes_received", NEED_SPLICE | NEED_SOCKETS | NEED_LIVES)     \
	FIELD(ICSK_ULP_OPS, "inet_connection_sock", "icsk_ulp_ops", NEED_SPLICE | NEED_SOCKETS | NEED_LIVES) \
	FIELD(SK_LOCK_OWNED, "sock", "sk_lock.owned", NEED_SPLICE | NEED_SOCKETS | NEED_LIVES)               \
	FIELD(SK_FLAGS, "sock", "__sk_common.skc_flags", NEED_SPLICE | NEED_LIVES)                           \
	FIELD(SK_COOKIE, "sock", "__sk_common.skc_cookie.counter", NEED_SPLICE)                              \
	FIELD(TASK_STACK, "task_struct", "stack", NEED_SPLICE)                                               \
	FIELD(REGS_SYSCALL, "pt_regs", REGS_SYSCALL_MEMBER, NEED_SPLICE)                                     \
	FIELD(REGS_BEFORE, "pt_regs", REGS_BEFORE_MEMBER, NEED_SPLICE)                                       \
	FIELD(RECORD_SK, "trace_event_raw_sock_msg_length", "sk", NEED_RECORD)                               \
	FIELD(RECORD_RESULT, "trace_event_raw_sock_msg_length", "ret", NEED_RECORD)                          \
	FIELD(RECORD_FLAGS, "trace_event_raw_sock_msg_length", "flags", NEED_RECORD)                         \
	FIELD(CGROUP_KN, "cgroup", "kn", NEED_CGROUPS | NEED_SOCKETS | NEED_LIVES)                           \
	FIELD(CGROUP_ROOT, "cgroup", "root", NEED_CGROUPS)                                                   \
	FIELD(CGROUP_ROOT_HIERARCHY_ID, "cgroup_root", "hierarchy_id", NEED_CGROUPS)                         \
	FIELD(KERNFS_NODE_ID, "kernfs_node", "id", NEED_CGROUPS | NEED_SOCKETS | NEED_LIVES)                 \
	FIELD(TASK_TGID, "task_struct", "tgid", NEED_CAST | NEED_SOCKETS | NEED_LIVES)                       \
	FIELD(TASK_CFS_RQ, "task_struct", "se.cfs_rq", NEED_CURRENT)                                         \
	FIELD(CFS_RQ_RQ, "cfs_rq", "rq", NEED_CURRENT)                                                       \
	FIELD(RQ_CURR, "rq", "curr", NEED_CURRENT)                                                           \
	FIELD(TASK_CRED, "task_struct", "cred", NEED_SOCKETS | NEED_LIVES)                                   \
	FIELD(CRED_UID, "cred", "uid", NEED_SOCKETS | NEED_LIVES)                                            \
	FIELD(TASK_CGROUPS, "task_struct", "cgroups", NEED_SOCKETS | NEED_LIVES)                             \
	FIELD(CSS_SET_DFL_CGRP, "css_set", "dfl_cgrp", NEED_SOCKETS | NEED_LIVES)                            \
	FIELD(CGROUP_LEVEL, "cgroup", "level", NEED_SOCKETS | NEED_LIVES)                                    \
	FIELD(CGROUP_SELF, "cgroup", "self", NEED_SOCKETS | NEED_LIVES)                                      \
	FIELD(CSS_PARENT, "cgroup_subsys_state", "parent", NEED_SOCKETS | NEED_LIVES)                        \
	FIELD(TCP_BYTES_SENT, "tcp_sock", "bytes_sent", NEED_SOCKETS)                                        \
	FIELD(TCP_BYTES_RETRANS, "tcp_sock", "bytes_retrans", NEED_SOCKETS)                                  \
	FIELD(TCP_BYTES_ACKED, "tcp_sock", "bytes_acked", NEED_SOCKETS | NEED_LIVES)                         \
	FIELD(TCP_CHRONO_STAT, "tcp_sock", "chrono_stat", NEED_SOCKETS)                                      \
	FIELD(TCP_CHRONO_START, "tcp_sock", "chrono_start", NEED_SOCKETS)                                    \
	FIELD(TCP_CHRONO_TYPE, "tcp_sock", "chrono_type", NEED_SOCKETS | NEED_BITS)                          \
	FIELD(TCP_WRITE_SEQ, "tcp_sock", "write_seq", NEED_SOCKETS | NEED_LIVES)                             \
	FIELD(TCP_SND_NXT, "tcp_sock", "snd_nxt", NEED_SOCKETS)                                              \
	FIELD(TCP_SND_UNA, "tcp_sock", "snd_una", NEED_SOCKETS | NEED_LIVES)                                 \
	FIELD(TCP_SND_CWND, "tcp_sock", "snd_cwnd", NEED_SOCKETS)                                            \
	FIELD(TCP_PACKETS_OUT, "tcp_sock", "packets_out", NEED_SOCKETS)                                      \
	FIELD(TCP_RTT_MIN, "tcp_sock", "rtt_min", NEED_SOCKETS)                                              \
	FIELD(MINMAX_VALUE, "minmax_sample", "v", NEED_SOCKETS)                                              \
	FIELD(TCP_RCV_RTT_US, "tcp_sock", "rcv_rtt_est.rtt_us", NEED_SOCKETS)                                \
	FIELD(TCP_LSNDTIME, "tcp_sock", "lsndtime", NEED_SOCKETS)                                            \
	FIELD(ICSK_LRCVTIME, "inet_connection_sock", "icsk_ack.lrcvtime", NEED_SOCKETS | NEED_LIVES)         \
	FIELD(ICSK_CA_STATE, "inet_connection_sock", "icsk_ca_state", NEED_SOCKETS | NEED_BITS)              \
	FIELD(ICSK_RETRANSMITS, "inet_connection_sock", "icsk_retransmits", NEED_SOCKETS)                    \
	FIELD(ICSK_PROBES_OUT, "inet_connection_sock", "icsk_probes_out", NEED_SOCKETS)                      \
	FIELD(SK_ERR, "sock", "sk_err", NEED_LIVES)                                                          \
	FIELD(SK_SNDBUF, "sock", "sk_sndbuf", NEED_SOCKETS)                                                  \
	FIELD(SK_WMEM_QUEUED, "sock", "sk_wmem_queued", NEED_SOCKETS)                                        \
	FIELD(SK_ACK_BACKLOG, "sock", "sk_ack_backlog", NEED_SOCKETS)                                        \
	FIELD(SK_MAX_ACK_BACKLOG, "sock", "sk_max_ack_backlog", NEED_SOCKETS)                                \
	FIELD(SK_WRITE_PENDING, "sock", "sk_write_pending", NEED_SOCKETS)                                    \
	FIELD(SK_USER_DATA, "sock", "sk_user_data", NEED_SOCKETS | NEED_LIVES)                               \
	FIELD(SK_WQ, "sock", "sk_wq", NEED_SOCKETS)                                                          \
	FIELD(WQ_HEAD, "socket_wq", "wait.head", NEED_SOCKETS)                                               \
	FIELD(WAIT_ENTRY, "wait_queue_entry", "entry", NEED_SOCKETS)                                         \
	FIELD(WAIT_PRIVATE, "wait_queue_entry", "private", NEED_SOCKETS)                                     \
	FIELD(TCP_URG_SEQ, "tcp_sock", "urg_seq", NEED_SOCKETS | NEED_LIVES)                                 \
	FIELD(TCP_REPAIR, "tcp_sock", "repair", NEED_SOCKETS | NEED_LIVES | NEED_BITS)                       \
	FIELD(SK_DROPS, "sock", "sk_drops", NEED_SOCKETS)

enum kernel_field {
#define FIELD_ENUM(macro, type, path, needs) FIELD_##macro,
	KERNEL_FIELDS(FIELD_ENUM)
#undef FIELD_ENUM
	    FIELD_COUNT
};

/*
 * Functions and tracepoints that a probe method may hook: name as BTF and attach points spell it (without
 * "btf_trace_"), and the group in tracefs of those that are tracepoints.
 */
#define KERNEL_SYMBOLS(SYMBOL)                                                                            \
	SYMBOL(SOCK_SEND_LENGTH, "sock_send_length", "sock") /* 6.3 */                                    \
	SYMBOL(SOCK_RECV_LENGTH, "sock_recv_length", "sock") /* 6.3 */                                    \
	SYMBOL(TCP_RCV_SPACE_ADJUST, "tcp_rcv_space_adjust", "tcp")                                       \
	SYMBOL(INET_SOCK_SET_STATE, "inet_sock_set_state", "sock")                                        \
	SYMBOL(SCHED_PROCESS_EXIT, "sched_process_exit", "sched")     /* in every thread that ends */     \
	SYMBOL(SCHED_PROCESS_EXEC, "sched_process_exec", "sched")     /* when execve() has succeeded */   \
	SYMBOL(BPF_ITER_TASK_FILE, "bpf_iter_task_file", NULL)        /* an iterator of all open files */ \
	SYMBOL(BPF_ITER_SOCKETS, "bpf_iter_bpf_sk_storage_map", NULL) /* of all sockets with a storage */ \
	SYMBOL(INET_SENDMSG, "inet_sendmsg", NULL)                                                        \
	SYMBOL(INET6_SENDMSG, "inet6_sendmsg", NULL)                                                      \
	SYMBOL(INET_RECVMSG, "inet_recvmsg", NULL)                                                        \
	SYMBOL(INET6_RECVMSG, "inet6_recvmsg", NULL)                                                      \
	SYMBOL(INET_SENDPAGE, "inet_sendpage", NULL) /* before 6.5 */                                     \
	SYMBOL(TCP_SPLICE_READ, "tcp_splice_read", NULL)                                                  \
	SYMBOL(TCP_ZEROCOPY_RECEIVE, "tcp_zerocopy_receive", NULL)                                        \
	SYMBOL(TLS_SW_SPLICE_READ, "tls_sw_splice_read", NULL) /* in KERNEL_MODULE, when TLS is in use */ \
	SYMBOL(MPTCP_SPLICE_READ, "mptcp_splice_read", NULL)   /* 7.0; before, a splice is a receive */   \
	SYMBOL(CGROUP_MKDIR, "cgroup_mkdir", "cgroup")                                                    \
	SYMBOL(TCP_SEND_RESET, "tcp_send_reset", "tcp")                                                   \
	SYMBOL(BPF_RDONLY_CAST, "bpf_rdonly_cast", NULL) /* 6.2; called, not hooked */

enum kernel_symbol {
#define SYMBOL_ENUM(symbol, name, group) SYMBOL_##symbol,
	KERNEL_SYMBOLS(SYMBOL_ENUM)
#undef SYMBOL_ENUM
	    SYMBOL_COUNT
};

/*
 * A call's number in the program text from here on is no helper's: what it is more is the BTF id of one of the kernel's own
 * functions (kfunc). Compilers know helpers alone, which end far below; ids end below 1 << 20 (BTF_MAX_TYPE).
 */
#define KERNEL_FUNCTION_CALLS (1 << 24)

/* Structs that the program text gives addresses the type of. */
#define KERNEL_TYPES(TYPE)               \
	TYPE(SOCK, "sock")               \
	TYPE(SOCKET, "socket")           \
	TYPE(TCP_SOCK, "tcp_sock")       \
	TYPE(TASK_STRUCT, "task_struct") \
	TYPE(PT_REGS, "pt_regs")         \
	TYPE(RQ, "rq")

enum kernel_type {
#define TYPE_ENUM(type, name) TYPE_##type,
	KERNEL_TYPES(TYPE_ENUM)
#undef TYPE_ENUM
	    TYPE_COUNT
};

/* Ways past the socket interface on which a kernel may move the bytes of a TCP socket: bits. */
enum kernel_way {
	WAY_RECEIVE_IO_URING = 1 << 0, /* IORING_OP_RECV_ZC */
	WAY_SPLICE_MPTCP = 1 << 1,     /* MPTCP's own splice_read; without it, a splice is a receive */
	WAY_READERS = 1 << 2,          /* users in the kernel that read by read_sock */
	WAY_SENDERS = 1 << 3,          /* users in the kernel that send with the socket's lock held */
	WAY_LINKS_MPTCP = 1 << 4,      /* not past it: MPTCP over links that only BTF could tell */
};

struct kernel_prototype {
	uint32_t btf_id;     /* what attach_btf_id takes: 0 when BTF does not know the symbol */
	int parameter_count; /* of the function, or of the tracepoint without its first, hidden one */
	bool in_module;      /* the id is of KERNEL_MODULE's BTF, not of the kernel's */
};

/* The reasons of resets that are sent: enum sk_rst_reason, whose numbers move. */
enum { RESET_REASONS_MAX = 40, RESET_REASON_SIZE = 32 };

/* The one module that has functions of ours. */
#define KERNEL_MODULE "tls"

enum kernel_headers {
	HEADERS_NONE,
	HEADERS_INSTALLED, /* /lib/modules/RELEASE/build, with or without a separate source tree */
};

struct kernel {
	char release[65];
	uint32_t version; /* as LINUX_VERSION_CODE */
	bool has_btf;
	int32_t offsets[FIELD_COUNT]; /* in bytes; -1 where BTF does not know the field */
	struct {
		uint8_t shift, count;
	} bits[FIELD_COUNT]; /* within that byte, of a field that NEED_BITS has */
	struct kernel_prototype prototypes[SYMBOL_COUNT];
	uint32_t type_ids[TYPE_COUNT]; /* in its BTF; 0: not there */
	enum kernel_headers headers;
	int kprobe_pmu_type;     /* perf event type of the kprobe PMU, -1: the kernel has none */
	unsigned kretprobe_bit;  /* config bit that makes it a kretprobe */
	bool kretprobes_collide; /* a call is missed that returns while another CPU's does */
	/* Not in the initial PID namespace: iterators show this process only the tasks of its namespace. */
	bool in_pid_namespace;
	unsigned cpus;                     /* that are possible; 0: not known */
	bool preemptible;                  /* tasks in the kernel can be preempted (preempt=full or lazy) */
	bool tracepoints_preemptible;      /* also in what a tracepoint calls: see inspect_preemption */
	const struct processor *processor; /* NULL: one whose calls are not known */
	unsigned ways;                     /* that it can have: enum kernel_way */
	/* In small letters, without what all begin with: "tcp_abort_on_close"; "": the kernel knows none of that number. */
	char reset_reasons[RESET_REASONS_MAX][RESET_REASON_SIZE];
};

#define KERNEL_VERSION_CODE(major, minor, patch) \
	(((uint32_t)(major) << 16) + ((uint32_t)(minor) << 8) + ((patch) > 255 ? 255 : (uint32_t)(patch)))

#define KERNEL_VERSION_OLDEST KERNEL_VERSION_CODE(5, 10, 0)

/* Where facts are read from: the root directory of proc, sys and lib; "" is the running system. */
struct kernel_sources {
	const char *root;
	const char *release; /* NULL: uname's */
};

/*
 * Fills *kernel; sources NULL: the running system. That BTF, headers or kprobes are missing is a fact, not an error.
 * Returns 0, or -errno with *error when what is there cannot be read, or is older than KERNEL_VERSION_OLDEST.
 */
int kernel_inspect(struct kernel *kernel, const struct kernel_sources *sources, struct error *error);

/* The symbol's name as attach points and BTF spell it (without "btf_trace_"). */
const char *kernel_symbol_name(enum kernel_symbol symbol);

/* The tracepoint's folder below events/ in tracefs; NULL: a function. */
const char *kernel_symbol_group(enum kernel_symbol symbol);

/* The name of the field's macro in the program text. */
const char *kernel_field_macro(enum kernel_field field);

/* Who needs the field: enum kernel_need. */
unsigned kernel_field_needs(enum kernel_field field);

/* The first field of these needs that its BTF lacks; FIELD_COUNT: none, or it has no BTF. */
enum kernel_field kernel_lacks(const struct kernel *kernel, unsigned needs);

/* C text of the field's offset, for kernels without BTF: written into buffer, which it returns. */
const char *kernel_field_offsetof(enum kernel_field field, char *buffer, size_t size);

#endif
