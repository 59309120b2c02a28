/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#define LOAD(type, base, offset) LOAD_COLD(type, base, offset)
#define CURRENT_TASK() ((u64)bpf_get_current_task())
#define TCP_SOCK(sk) (LOAD(u16, sk, SK_PROTOCOL) == PROTOCOL_TCP ? (sk) : 0)
