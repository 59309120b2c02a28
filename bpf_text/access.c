/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*@ access_direct */
/* The verifier knows what a socket's and a task's pointers point to: fields are plain loads. */
#define LOAD(type, base, offset) (*(type *)((base) + (offset)))
#define READ_KIND(kind, sk)               \
	((kind) = (struct socket_kind){ \
	     LOAD(u16, SOCK(sk), SK_TYPE), LOAD(u16, SOCK(sk), SK_PROTOCOL) })
#define READ_HEAD(head, sk) u64 head = SOCK(sk)
/*@ sockets_typed */
#define SOCK(sk) (sk)
#define SOCKET(socket) (socket)
/*@ sockets_cast */

/* A kprobe's arguments and those of a record are numbers: they are given their type. */
#define SOCK(sk) CAST(TYPE_SOCK, sk)
#define SOCKET(socket) CAST(TYPE_SOCKET, socket)
/*@ casts */

/*
 * A function of the kernel's own, bpf_rdonly_cast (Linux 6.2), gives an address a type. No call is left of it: the verifier takes it
 * out, and reads are of the kind that may fail. The loader makes the call of its number.
 */
#define CAST(type, address) (((u64 (*)(u64, u64))@RDONLY_CAST@)((u64)(address), type))
/*@ current_of_cpu */

/*
 * The run queue of each CPU, once a program has found it, for that knows which task runs. A helper tells that as well, but where
 * processors have to guard returns (SRSO) the way back from one takes more time than all else that a program does. Of kernels that
 * inline the look-up here (6.10) and not the helper (7.0 does, on arm64 6.11).
 */
BPF_PERCPU_ARRAY(run_queues, u64, 1);

static __always_inline u64 current_task(void)
{
	u32 slot = 0;
	u64 task, queue, *known = run_queues.lookup(&slot);

	if (known && *known)
		return CAST(TYPE_TASK_STRUCT, LOAD(u64, CAST(TYPE_RQ, *known), RQ_CURR));
	task = CAST(TYPE_TASK_STRUCT, bpf_get_current_task());
	queue = LOAD(u64, LOAD(u64, task, TASK_CFS_RQ), CFS_RQ_RQ);
	if (known && LOAD(u64, queue, RQ_CURR) == task)
		*known = queue;
	return task;
}

#define CURRENT_TASK() current_task()
#define CURRENT_PID() LOAD(u32, current_task(), TASK_TGID)
/*@ current_inlined */
#define CURRENT_TASK() ((u64)bpf_get_current_task_btf())
#define CURRENT_PID() LOAD(u32, CURRENT_TASK(), TASK_TGID)
/*@ current_helper */
#define CURRENT_TASK() ((u64)bpf_get_current_task_btf())
#define CURRENT_PID() ((u32)(bpf_get_current_pid_tgid() >> 32))
/*@ access_probe */
#define LOAD(type, base, offset) LOAD_COLD(type, base, offset)
#define CURRENT_TASK() ((u64)bpf_get_current_task())
#define CURRENT_PID() ((u32)(bpf_get_current_pid_tgid() >> 32))
#define SOCK(sk) (sk)
#define SOCKET(socket) (socket)

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
