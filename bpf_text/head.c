/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#define TCPTOP_PROGRAM_TEXT
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

@LAYOUT@
@SESSION@
@SOCKET@@LIFE@/* Reads through any pointer; what cannot be read is zero. For what is not on every event's path. */
#define LOAD_COLD(type, base, offset)                                                                        \
	({                                                                                                   \
		type read_ = 0;                                                                              \
		bpf_probe_read_kernel(&read_, sizeof read_, (void *)((base) + (offset)));                    \
		read_;                                                                                       \
	})

/* A field of struct sock_common, of a BTF-typed socket or of a copy of it. */
#define HEAD(type, head, field) (*(type *)((head) + (field)))

@ACCESS@
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FROM_NETWORK_ORDER(port) __builtin_bswap16(port)
#define MAPPED_PREFIX 0xffff0000U
#define LINK_LOCAL_MASK 0xc0ff /* ffc0 and fe80 in network order */
#define LINK_LOCAL_PREFIX 0x80fe
#define TOGETHER(first, second) ((u64)(second) << 32 | (first)) /* as two 4-byte fields lie in memory */
#define LOCAL_PORT_SHIFT 16
#else
#define FROM_NETWORK_ORDER(port) (port)
#define MAPPED_PREFIX 0x0000ffffU
#define LINK_LOCAL_MASK 0xffc0
#define LINK_LOCAL_PREFIX 0xfe80
#define TOGETHER(first, second) ((u64)(first) << 32 | (second))
#define LOCAL_PORT_SHIFT 0
#endif

/*
 * Two look-ups that the compiler merges into one are of a table that the kernel does not know: it cannot inline. And a pointer that
 * a helper reads as a key is none any more to older verifiers (6.1): a copy is to be its own.
 */
#define KEEP_APART(value) asm volatile("" : "+r"(value))

#define FAMILY_INET 2
#define FAMILY_INET6 10
#define PROTOCOL_TCP 6
#define PROTOCOL_MPTCP 262
#define TYPE_STREAM 1
#define FLAG_PEEK 0x2
#define FLAG_ERRQUEUE 0x2000

#define DIRECTION_RX 0
#define DIRECTION_TX 1

BPF_ARRAY(generation, u32, 1);
BPF_ARRAY(other, struct session_other, 1);
BPF_PERCPU_ARRAY(runs, u64, RUN_KINDS); /* by enum program_run */

/* For what all this costs. A run that is lost as another one interrupts is missing from an estimate alone. */
static __always_inline void note_run(u32 kind)
{
	u64 *count = runs.lookup(&kind);

	if (count)
		(*count)++;
}
