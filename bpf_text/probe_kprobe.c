/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*@ missed_runs */

BPF_ARRAY(missed_runs, u64, 1); /* can sink, when a return takes back what an earlier interval has shown */

static __always_inline void count_missed_runs(s64 runs)
{
	u32 slot = 0;
	u64 *missed = missed_runs.lookup(&slot);

	if (missed)
		__sync_fetch_and_add(missed, runs);
}
/*@ kprobe_calls */

/*
 * A thread's call between entry and return. A call returns to us only when its return address was replaced by
 * the kernel's trampoline, which a kretprobe does as long as it has instances left: it was registered after the
 * kprobe and therefore ran before it. So a missed return is counted when the call begins, also when it waits
 * for hours, unless a program stands by for it. A return that arrives anyway (other tools replace return addresses,
 * too) takes that back. What was to return and is still there when the thread makes its next call, or ends, was missed
 * as well.
 */
struct pending_call {
	u64 sk;
	u64 extra;
	u64 function;
	u64 return_address;
	u32 missed;  /* it will not return to the kretprobe */
	u32 counted; /* ... and stands in missed_runs */
};

/*
 * Where it stands: in a place that its thread owns from its first call on until it ends, by the lower bits of its id, as
 * that is two loads. Who finds that another one owns it has an entry in the table instead.
 */
#define CALL_PLACES 16384

struct call_place {
	u64 thread;
	struct pending_call call; /* sk 0: none */
};

BPF_ARRAY(call_places, struct call_place, CALL_PLACES);
BPF_TABLE("hash", u32, u8, owned_places, CALL_PLACES); /* two threads cannot enter the same one */
BPF_TABLE("hash", u64, struct pending_call, pending_calls, 32768);
BPF_ARRAY(trampoline, u64, 1); /* its address as the last return shows it; 0: none was seen */

static __always_inline u64 trampoline_address(void)
{
	u32 slot = 0;
	u64 *address = trampoline.lookup(&slot);

	return address ? *address : 0;
}

static __always_inline u32 place_number(u64 thread)
{
	return (u32)thread % CALL_PLACES;
}

static __always_inline struct call_place *owned_place(u64 thread)
{
	u32 number = place_number(thread);
	struct call_place *place = call_places.lookup(&number);

	return place && place->thread == thread ? place : 0;
}

static __always_inline struct call_place *take_place(u64 thread)
{
	u32 number = place_number(thread);
	struct call_place *place = call_places.lookup(&number);
	u8 yes = 1;

	if (!place || place->thread || owned_places.insert(&number, &yes))
		return 0;
	place->thread = thread;
	return place;
}

static __always_inline void leave_place(struct call_place *place)
{
	u32 number = place_number(place->thread);

	place->thread = 0;
	owned_places.delete(&number);
}

/* A thread's call that has not returned. place: its own, if it has one. */
static __always_inline struct pending_call *pending(struct call_place *place, u64 thread)
{
	if (!place)
		return pending_calls.lookup(&thread);
	return place->call.sk ? &place->call : 0;
}

static __always_inline void forget(struct call_place *place, u64 thread)
{
	if (place)
		place->call.sk = 0;
	else
		pending_calls.delete(&thread);
}

static __always_inline int call_enter(
    u64 sk, u64 extra, u64 function, u64 return_address, const bool has_standby)
{
	u64 thread = bpf_get_current_pid_tgid(), expected = trampoline_address();
	struct pending_call call = { sk, extra, function, return_address };
	struct call_place *place = owned_place(thread);
	struct pending_call *earlier = pending(place, thread);

	if (earlier && !earlier->counted)
		count_missed_runs(1);
	call.missed = expected && return_address != expected;
	call.counted = call.missed && !has_standby;
	if (!place) {
		place = take_place(thread);
		if (place && earlier)
			pending_calls.delete(&thread);
	}
	if (place)
		place->call = call;
	else if (pending_calls.update(&thread, &call))
		call.counted = 1;
	if (call.counted)
		count_missed_runs(1);
	return 0;
}

/* A call that is not ours, whose return would be taken for that of an earlier one which was missed. */
static __always_inline int call_pass(u64 function)
{
	u64 thread = bpf_get_current_pid_tgid();
	struct call_place *place = owned_place(thread);
	struct pending_call *earlier = pending(place, thread);

	if (!earlier || earlier->function != function)
		return 0;
	if (!earlier->counted)
		count_missed_runs(1);
	forget(place, thread);
	return 0;
}

/* It returns, if it is of that function, and (missed_alone) is known not to return to the kretprobe. */
static __always_inline bool call_take(struct pending_call *call, u64 function, const bool missed_alone)
{
	u64 thread = bpf_get_current_pid_tgid();
	struct call_place *place = owned_place(thread);
	struct pending_call *found = pending(place, thread);

	if (!found || found->function != function || (missed_alone && !found->missed))
		return false;
	*call = *found;
	forget(place, thread);
	if (call->counted)
		count_missed_runs(-1);
	return true;
}

static __always_inline bool call_return(struct pending_call *call, u64 function)
{
	u32 slot = 0;

	if (!call_take(call, function, false))
		return false;
	if (call->return_address != trampoline_address())
		trampoline.update(&slot, &call->return_address);
	return true;
}

static __always_inline int thread_ends(u64 thread)
{
	struct call_place *place = owned_place(thread);
	struct pending_call *call = pending(place, thread);

	if (call && !call->counted)
		count_missed_runs(1);
	if (call)
		forget(place, thread);
	if (place)
		leave_place(place);
	return 0;
}

int thread_exit(u64 *ctx)
{
	return thread_ends(bpf_get_current_pid_tgid());
}

/*
 * sched_process_exec(task, old_pid, bprm). A thread that is not its process's leader takes the leader's id, and the end of the one
 * that it had until then is not told.
 */
int thread_exec(u64 *ctx)
{
	u64 thread = bpf_get_current_pid_tgid();
	u32 before = (u32)ctx[1];

	return before != (u32)thread ? thread_ends(thread >> 32 << 32 | before) : 0;
}
/*@ probe_kprobe */

/* ctx: the registers, as 8-byte slots */
int kprobe_@SYMBOL@(u64 *ctx)
{
	u64 sk = @SK@;

	note_run(RUN_BEGINS);
	if (!@GUARD@(sk))
		return call_pass(@FUNCTION@);
	return call_enter(sk, @EXTRA@, @FUNCTION@, @RETURN_ADDRESS@, @HAS_STANDBY@);
}

int kretprobe_@SYMBOL@(u64 *ctx)
{
	struct pending_call call = {};

	if (!call_return(&call, @FUNCTION@))
		return 0;
	return returned_@ROLE@(call.sk, (int)ctx[@RESULT@], call.extra, @PROGRAM@);
}
/*@ standby */

/*
 * The same return, seen by a program that needs no instance and runs before the kretprobe's: it takes those calls
 * that are known not to return there. It may be preempted and then make others be skipped, but only these few count.
 */
int standby_@SYMBOL@(u64 *ctx)
{
	struct pending_call call = {};

	if (!call_take(&call, @FUNCTION@, true))
		return 0;
	return returned_@ROLE@(call.sk, (int)ctx[@RESULT@], call.extra, NO_FRONT);
}
