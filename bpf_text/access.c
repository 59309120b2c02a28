/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*@ access_direct */
/* The verifier knows what a socket's and a task's pointers point to: fields are plain loads. */
#define LOAD(type, base, offset) (*(type *)((base) + (offset)))
#define CURRENT_TASK() ((u64)bpf_get_current_task_btf())
#define TCP_SOCK(sk) ((u64)bpf_skc_to_tcp_sock((void *)(sk)))
/*@ access_probe */
#define LOAD(type, base, offset) LOAD_COLD(type, base, offset)
#define CURRENT_TASK() ((u64)bpf_get_current_task())
#define TCP_SOCK(sk) (LOAD(u16, sk, SK_PROTOCOL) == PROTOCOL_TCP ? (sk) : 0)
