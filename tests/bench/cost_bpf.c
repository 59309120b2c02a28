/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tcptop's programs are compared with: an empty program, and bcc's layout of the same work: a key with
 * the name in it, each field by a probe read of its own, on a plain raw tracepoint. The namespace is in the
 * key, so that both tell the same sessions apart: 36 bytes. bcc's own table size and its plain add.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define FAMILY_INET 2
#define PROTOCOL_TCP 6
#define FLAG_PEEK 0x2
#define FLAG_ERRQUEUE 0x2000
#define NAME_LENGTH 16
#define ENTRIES 10240

char program_license[] SEC("license") = "GPL";

/* The fields that are read; libbpf puts the running kernel's offsets in. */
#define KERNEL_TYPE __attribute__((preserve_access_index))

struct ns_common {
	__u32 inum;
} KERNEL_TYPE;

struct net {
	struct ns_common ns;
} KERNEL_TYPE;

typedef struct {
	struct net *net;
} KERNEL_TYPE possible_net_t;

struct sock_common {
	__u32 skc_daddr;
	__u32 skc_rcv_saddr;
	__u16 skc_dport;
	__u16 skc_num;
	__u16 skc_family;
	possible_net_t skc_net;
} KERNEL_TYPE;

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
} KERNEL_TYPE;

struct layout_key {
	__u32 pid;
	char name[NAME_LENGTH];
	__u32 netns;
	__u32 laddr;
	__u32 raddr;
	__u16 lport;
	__u16 rport;
};

_Static_assert(sizeof(struct layout_key) == 36, "the size that is compared");

#define LAYOUT_TABLE(table)                      \
	struct {                                 \
		__uint(type, BPF_MAP_TYPE_HASH); \
		__uint(max_entries, ENTRIES);    \
		__type(key, struct layout_key);  \
		__type(value, __u64);            \
	} table SEC(".maps")

LAYOUT_TABLE(send_bytes);
LAYOUT_TABLE(receive_bytes);
LAYOUT_TABLE(calls_send_bytes);
LAYOUT_TABLE(calls_receive_bytes);

/* bcc's programs at a call's entry leave the socket here for those at its return. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ENTRIES);
	__type(key, __u32);
	__type(value, __u64);
} sockets SEC(".maps");

static __always_inline void layout_count(void *table, struct sock *sk, int bytes)
{
	struct layout_key key = { .pid = bpf_get_current_pid_tgid() >> 32 };
	__u64 zero = 0, *value;

	if (BPF_CORE_READ(sk, sk_protocol) != PROTOCOL_TCP || bytes <= 0 ||
	    BPF_CORE_READ(sk, __sk_common.skc_family) != FAMILY_INET)
		return;
	bpf_get_current_comm(key.name, sizeof key.name);
	key.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	key.laddr = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
	key.raddr = BPF_CORE_READ(sk, __sk_common.skc_daddr);
	key.lport = BPF_CORE_READ(sk, __sk_common.skc_num);
	key.rport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	value = bpf_map_lookup_elem(table, &key);
	if (!value) {
		bpf_map_update_elem(table, &key, &zero, BPF_NOEXIST);
		value = bpf_map_lookup_elem(table, &key);
	}
	if (value)
		*value += bytes;
}

/* sock_send_length(struct sock *sk, int ret, int flags), sock_recv_length likewise */
SEC("raw_tp/sock_send_length")
int layout_send(struct bpf_raw_tracepoint_args *ctx)
{
	layout_count(&send_bytes, (struct sock *)ctx->args[0], (int)ctx->args[1]);
	return 0;
}

SEC("raw_tp/sock_recv_length")
int layout_receive(struct bpf_raw_tracepoint_args *ctx)
{
	if (!(ctx->args[2] & (FLAG_PEEK | FLAG_ERRQUEUE)))
		layout_count(&receive_bytes, (struct sock *)ctx->args[0], (int)ctx->args[1]);
	return 0;
}

/* All that bcc's entry and return do together, without what a kprobe itself costs. */
static __always_inline void calls_count(void *table, __u64 *arguments)
{
	__u32 thread = bpf_get_current_pid_tgid();
	__u64 sk = arguments[0], *found;

	bpf_map_update_elem(&sockets, &thread, &sk, BPF_ANY);
	found = bpf_map_lookup_elem(&sockets, &thread);
	if (!found)
		return;
	layout_count(table, (struct sock *)*found, (int)arguments[1]);
	bpf_map_delete_elem(&sockets, &thread);
}

SEC("raw_tp/sock_send_length")
int calls_send(struct bpf_raw_tracepoint_args *ctx)
{
	calls_count(&calls_send_bytes, ctx->args);
	return 0;
}

SEC("raw_tp/sock_recv_length")
int calls_receive(struct bpf_raw_tracepoint_args *ctx)
{
	if (!(ctx->args[2] & (FLAG_PEEK | FLAG_ERRQUEUE)))
		calls_count(&calls_receive_bytes, ctx->args);
	return 0;
}

SEC("tp_btf/sock_send_length")
int empty_send(void *ctx __attribute__((unused)))
{
	return 0;
}

SEC("tp_btf/sock_recv_length")
int empty_receive(void *ctx __attribute__((unused)))
{
	return 0;
}

SEC("tp_btf/tcp_rcv_space_adjust")
int empty_adjust(void *ctx __attribute__((unused)))
{
	return 0;
}
