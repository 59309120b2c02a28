/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*@ access_direct */
/* The verifier knows what a socket's and a task's pointers point to: fields are plain loads. */
#define LOAD(type, base, offset) (*(type *)((base) + (offset)))
#define CURRENT_TASK() ((u64)bpf_get_current_task_btf())
#define TCP_SOCK(sk) ((u64)bpf_skc_to_tcp_sock((void *)(sk)))
#define READ_KIND(kind, sk) \
	((kind) = (struct socket_kind){ LOAD(u16, sk, SK_TYPE), LOAD(u16, sk, SK_PROTOCOL) })
#define READ_HEAD(head, sk) u64 head = (sk)
/*@ access_probe */
#define LOAD(type, base, offset) LOAD_COLD(type, base, offset)
#define CURRENT_TASK() ((u64)bpf_get_current_task())
#define TCP_SOCK(sk) (LOAD(u16, sk, SK_PROTOCOL) == PROTOCOL_TCP ? (sk) : 0)

/* A read costs what it costs for its call, not for its length: what lies together is read together. */
#define KIND_IS_TOGETHER (SK_TYPE - SK_PROTOCOL == 2 || SK_PROTOCOL - SK_TYPE == 2)
#define READ_KIND(kind, sk)                                                                             \
	({                                                                                              \
		u16 both_[2] = {};                                                                      \
		if (KIND_IS_TOGETHER)                                                                   \
			bpf_probe_read_kernel(both_, sizeof both_,                                      \
			    (void *)((sk) + (SK_TYPE < SK_PROTOCOL ? SK_TYPE : SK_PROTOCOL)));          \
		(kind).type = KIND_IS_TOGETHER ? both_[SK_TYPE > SK_PROTOCOL] : LOAD(u16, sk, SK_TYPE); \
		(kind).protocol =                                                                       \
		    KIND_IS_TOGETHER ? both_[SK_PROTOCOL > SK_TYPE] : LOAD(u16, sk, SK_PROTOCOL);       \
	})
#define GREATER(a, b) ((a) > (b) ? (a) : (b))
#define HEAD_SIZE (GREATER(GREATER(SK_NET, SK_PORTPAIR) + 8, GREATER(SK_V6_DADDR, SK_V6_RCV_SADDR) + 16))
#define READ_HEAD(head, sk)                                       \
	u64 copy_[(HEAD_SIZE + 7) / 8];                           \
	bpf_probe_read_kernel(copy_, sizeof copy_, (void *)(sk)); \
	u64 head = (u64)copy_
