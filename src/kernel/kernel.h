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

/* Fields whose place the program text needs; the table in kernel.c names their structs and paths. */
enum kernel_field {
	FIELD_SK_FAMILY,
	FIELD_SK_ADDRPAIR,
	FIELD_SK_PORTPAIR,
	FIELD_SK_NET,
	FIELD_SK_V6_DADDR,
	FIELD_SK_V6_RCV_SADDR,
	FIELD_SK_PROTOCOL,
	FIELD_SK_TYPE,
	FIELD_TCP_SRTT_US,
	FIELD_TCP_TOTAL_RETRANS,
	FIELD_INET_SPORT,
	FIELD_NET_INUM,
	FIELD_TASK_GROUP_LEADER,
	FIELD_TASK_COMM,
	FIELD_TASK_NSPROXY,
	FIELD_NSPROXY_MNT_NS,
	FIELD_MNT_NS_INUM,
	FIELD_SOCKET_SK,
	FIELD_ZEROCOPY_LENGTH,
	FIELD_ZEROCOPY_COPYBUF_LEN,
	FIELD_TCP_COPIED_SEQ,
	FIELD_TCP_RCV_NXT,
	FIELD_TCP_BYTES_RECEIVED,
	FIELD_ICSK_ULP_OPS,
	FIELD_SK_LOCK_OWNED,
	FIELD_SK_FLAGS,
	FIELD_REGS_SYSCALL,
	FIELD_REGS_BEFORE,
	FIELD_COUNT
};

/* Functions and tracepoints that a probe method may hook; the table in kernel.c names them. */
enum kernel_symbol {
	SYMBOL_SOCK_SEND_LENGTH,     /* tracepoint, 6.3 */
	SYMBOL_SOCK_RECV_LENGTH,     /* tracepoint, 6.3 */
	SYMBOL_TCP_RCV_SPACE_ADJUST, /* tracepoint, 4.16 */
	SYMBOL_SCHED_PROCESS_EXIT,   /* tracepoint, in every thread that ends */
	SYMBOL_BPF_ITER_TASK_FILE,   /* what a BPF iterator of all open files attaches to, 5.8 */
	SYMBOL_INET_SENDMSG,
	SYMBOL_INET6_SENDMSG,
	SYMBOL_INET_RECVMSG,
	SYMBOL_INET6_RECVMSG,
	SYMBOL_INET_SENDPAGE, /* before 6.5 */
	SYMBOL_TCP_SPLICE_READ,
	SYMBOL_TCP_ZEROCOPY_RECEIVE,
	SYMBOL_TLS_SW_SPLICE_READ, /* in KERNEL_MODULE, as a rule: there when kernel TLS is in use */
	SYMBOL_COUNT
};

struct kernel_prototype {
	uint32_t btf_id;     /* what attach_btf_id takes: 0 when BTF does not know the symbol */
	int parameter_count; /* of the function, or of the tracepoint without its first, hidden one */
	bool in_module;      /* the id is of KERNEL_MODULE's BTF, not of the kernel's */
};

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
	struct kernel_prototype prototypes[SYMBOL_COUNT];
	enum kernel_headers headers;
	int kprobe_pmu_type;    /* perf event type of the kprobe PMU, -1: the kernel has none */
	unsigned kretprobe_bit; /* config bit that makes it a kretprobe */
	bool
	    in_pid_namespace; /* not in the initial one: iterators tell this process of its own one's tasks alone */
	bool fully_preemptible; /* tasks in the kernel can be interrupted by others (preempt=full) */
};

#define KERNEL_VERSION_CODE(major, minor, patch) \
	(((uint32_t)(major) << 16) + ((uint32_t)(minor) << 8) + ((patch) > 255 ? 255 : (uint32_t)(patch)))

/* Where facts are read from: the root directory of proc, sys and lib; "" is the running system. */
struct kernel_sources {
	const char *root;
	const char *release; /* NULL: uname's */
};

/*
 * Fills *kernel; sources NULL: the running system. Not having BTF, headers or kprobes is a fact, not an error. Returns 0, or -errno with
 * *error when what is there cannot be read.
 */
int kernel_inspect(struct kernel *kernel, const struct kernel_sources *sources, struct error *error);

/* The symbol's name as attach points and BTF spell it (without "btf_trace_"). */
const char *kernel_symbol_name(enum kernel_symbol symbol);
bool kernel_symbol_is_tracepoint(enum kernel_symbol symbol);

/* The name of the field's macro in the program text. */
const char *kernel_field_macro(enum kernel_field field);

/* C text of the field's offset, for kernels without BTF: written into buffer, which it returns. */
const char *kernel_field_offsetof(enum kernel_field field, char *buffer, size_t size);

#endif
