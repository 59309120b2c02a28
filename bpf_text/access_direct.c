/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The verifier knows what a socket's and a task's pointers point to: fields are plain loads. */
#define LOAD(type, base, offset) (*(type *)((base) + (offset)))
#define CURRENT_TASK() ((u64)bpf_get_current_task_btf())
#define TCP_SOCK(sk) ((u64)bpf_skc_to_tcp_sock((void *)(sk)))
