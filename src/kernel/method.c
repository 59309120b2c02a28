/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/method.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/util.h"
#include "kernel/processor.h"
#include "model/session.h"

extern const struct method method_tracepoint, method_fentry, method_kprobe;

const struct method *const methods[] = { &method_tracepoint, &method_fentry, &method_kprobe };
const size_t method_count = COUNT_OF(methods);

const struct method *method_find(enum probe_method id)
{
	for (size_t i = 0; i < method_count; i++)
		if (methods[i]->id == id)
			return methods[i];
	return NULL;
}

const char *probe_method_name(enum probe_method id)
{
	const struct method *method = method_find(id);

	return method ? method->name : id == PROBE_AUTO ? "auto" : "unknown";
}

static __attribute__((format(printf, 2, 3))) void note(
    const struct method_trial *trial, const char *format, ...)
{
	char text[2 * METHOD_WHY_SIZE];
	va_list arguments;

	if (!trial || !trial->note)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	trial->note(trial->to, text);
}

#define FRONTS_TOGETHER_MAX 32768 /* the kernel's PAGE_ALLOC_COSTLY_ORDER, of 4 KB pages */

unsigned method_fronts(const struct kernel *kernel, unsigned wanted)
{
	bool scattered = kernel->version >= KERNEL_VERSION_CODE(5, 15, 0);

	return kernel->cpus && (scattered || kernel->cpus * sizeof(struct front6) <= FRONTS_TOGETHER_MAX)
	           ? wanted
	           : 0;
}

bool planner_rule_out(struct planner *planner, const char *why)
{
	snprintf(planner->why, sizeof planner->why, "%s", why);
	planner->err = -ENOTSUP;
	return false;
}

bool planner_knows(struct planner *planner, unsigned needs)
{
	enum kernel_field lacking = kernel_lacks(planner->kernel, needs);
	char why[METHOD_WHY_SIZE];

	if (lacking == FIELD_COUNT)
		return true;
	snprintf(why, sizeof why, "this kernel's BTF does not tell where %s is", kernel_field_macro(lacking));
	return planner_rule_out(planner, why);
}

/* -524 is the kernel's own ENOTSUPP. */
static const char *refusal_text(int err)
{
	return err == -524 ? "not supported on this processor" : strerror(-err);
}

bool planner_works(struct planner *planner, enum hook_kind kind, enum kernel_symbol symbol)
{
	static const char *const kinds[HOOK_KIND_COUNT] = {
		[HOOK_TYPED_TRACEPOINT] = "BTF-typed tracepoint",
		[HOOK_RAW_TRACEPOINT] = "raw tracepoint",
		[HOOK_PERF_TRACEPOINT] = "perf's tracepoint",
		[HOOK_ITERATOR] = "iterator",
		[HOOK_FEXIT] = "return of",
		[HOOK_KPROBE] = "kprobe",
		[HOOK_KRETPROBE] = "kretprobe",
	};
	const struct hook hook = { .kind = kind, .symbol = symbol, .function = "trial" };
	bool again = planner->tried[kind][symbol].done;
	int err = planner->tried[kind][symbol].err;

	if (!again && planner->trial)
		err = planner->trial->attach(&hook, planner->kernel);
	planner->tried[kind][symbol].done = true;
	planner->tried[kind][symbol].err = err;
	if (!err)
		return true;
	planner->err = err;
	snprintf(planner->why, sizeof planner->why, "the kernel refuses it: %s", refusal_text(err));
	if (!again)
		note(planner->trial, "%s %s: %s", kinds[kind], kernel_symbol_name(symbol), planner->why);
	return false;
}

/* Does BTF tell all that casts need? */
static bool knows_casts(const struct kernel *kernel)
{
	for (int i = 0; i < TYPE_COUNT; i++)
		if (!kernel->type_ids[i])
			return false;
	return kernel_lacks(kernel, NEED_CAST) == FIELD_COUNT &&
	       kernel->prototypes[SYMBOL_BPF_RDONLY_CAST].btf_id;
}

/* Kernels inline look-ups in arrays of each CPU from 6.10 on: before, one call would take the place of another. */
static bool finds_current(const struct kernel *kernel)
{
	return kernel->processor && kernel->version >= KERNEL_VERSION_CODE(6, 10, 0) &&
	       kernel->version < kernel->processor->inlines_current_since &&
	       kernel_lacks(kernel, NEED_CURRENT) == FIELD_COUNT;
}

unsigned planner_casts(struct planner *planner, enum hook_kind kind)
{
	const struct kernel *kernel = planner->kernel;

	if (!knows_casts(kernel))
		return 0;
	int err = planner->trial ? planner->trial->cast(kind, kernel) : 0;

	if (!err)
		return NEED_CAST | (finds_current(kernel) ? NEED_CURRENT : 0);
	note(planner->trial, "%s: the kernel refuses it: %s", kernel_symbol_name(SYMBOL_BPF_RDONLY_CAST),
	    refusal_text(err));
	return 0;
}

bool method_plan(struct plan *plan, const struct method *method, struct planner *planner)
{
	memset(plan, 0, sizeof *plan);
	plan->method = method->id;
	plan->preemptible = planner->kernel->preemptible;
	plan->tracepoints_preemptible = planner->kernel->tracepoints_preemptible;
	plan->kretprobes_collide = planner->kernel->kretprobes_collide;
	plan->ways = planner->kernel->ways;
	return method->plan(plan, planner);
}

static void add_refusal(
    struct method_refusal *refusal, const struct method *method, const struct planner *planner)
{
	size_t used = strlen(refusal->why);

	snprintf(refusal->why + used, sizeof refusal->why - used, "%s%s: %s", used ? "; " : "", method->name,
	    planner->why);
	if (refusal->err_count < COUNT_OF(refusal->errs))
		refusal->errs[refusal->err_count++] = planner->err;
}

int method_choose(struct plan *plan, enum probe_method wanted, const struct kernel *kernel,
    const struct method_trial *trial, struct method_refusal *refusal)
{
	struct planner planner = { .kernel = kernel, .trial = trial };
	bool found = false;

	*refusal = (struct method_refusal){ 0 };
	for (size_t i = 0; i < method_count; i++) {
		struct plan next;

		if (wanted != PROBE_AUTO && wanted != methods[i]->id)
			continue;
		if (!method_plan(&next, methods[i], &planner)) {
			note(trial, "probe %s: %s", methods[i]->name, planner.why);
			add_refusal(refusal, methods[i], &planner);
			continue;
		}
		bool loses = plan_skips(&next) & SKIPS_PREEMPTED;

		note(trial, "probe %s: works%s", methods[i]->name,
		    loses ? ", but programs that are preempted make others be skipped" : "");
		if (!found || !loses)
			*plan = next;
		found = true;
		if (!loses)
			return 0;
	}
	return found ? 0 : -ENOTSUP;
}

bool plan_has(const struct plan *plan, enum kernel_symbol symbol)
{
	for (size_t i = 0; i < plan->hook_count; i++)
		if (plan->hooks[i].symbol == symbol)
			return true;
	return false;
}

void plan_add(
    struct plan *plan, enum hook_kind kind, enum kernel_symbol symbol, const char *prefix, const char *name)
{
	struct hook *hook = &plan->hooks[plan->hook_count++];

	hook->kind = kind;
	hook->symbol = symbol;
	snprintf(hook->function, sizeof hook->function, "%s_%s", prefix, name);
}

bool plan_has_kind(const struct plan *plan, enum hook_kind kind, enum kernel_symbol symbol)
{
	for (size_t i = 0; i < plan->hook_count; i++)
		if (plan->hooks[i].kind == kind && plan->hooks[i].symbol == symbol)
			return true;
	return false;
}

void plan_drop_following(struct plan *plan)
{
	size_t kept = 0;

	if (!plan_has(plan, SYMBOL_TCP_RCV_SPACE_ADJUST))
		return;
	for (size_t i = 0; i < plan->hook_count; i++)
		if (plan->hooks[i].symbol == SYMBOL_SOCK_SEND_LENGTH ||
		    plan->hooks[i].symbol == SYMBOL_SOCK_RECV_LENGTH)
			plan->hooks[kept++] = plan->hooks[i];
	plan->hook_count = kept;
	plan->needs &= ~(unsigned)NEED_SPLICE;
}

void plan_add_ends(struct plan *plan, const struct kernel *kernel)
{
	if (kernel_lacks(kernel, NEED_ENDS) != FIELD_COUNT || plan->hook_count == HOOKS_MAX ||
	    (plan->direct && !kernel->prototypes[SYMBOL_INET_SOCK_SET_STATE].btf_id))
		return;
	plan_add(plan, plan->direct ? HOOK_TYPED_TRACEPOINT : HOOK_RAW_TRACEPOINT, SYMBOL_INET_SOCK_SET_STATE,
	    "ends", "set_state");
	plan->hooks[plan->hook_count - 1].duty = DUTY_NOTE_ENDS;
	plan->needs |= NEED_ENDS;
}

void plan_add_cgroups(struct plan *plan, const struct kernel *kernel)
{
	if (kernel_lacks(kernel, NEED_CGROUPS) != FIELD_COUNT || plan->hook_count == HOOKS_MAX)
		return;
	plan_add(plan, HOOK_RAW_TRACEPOINT, SYMBOL_CGROUP_MKDIR, "cgroups", "mkdir");
	plan->hooks[plan->hook_count - 1].duty = DUTY_NOTE_CGROUPS;
	plan->needs |= NEED_CGROUPS;
}

/* A hook that is loaded at the start, and attached when somebody asks. */
struct late_hook {
	enum hook_kind kind;
	enum kernel_symbol symbol;
	const char *name;
	bool optional; /* what the duty can be done without, where the kernel lacks it */
};

#define LATE_HOOKS 3

/* All of them, or none: they need storage from tracing programs (5.11) and all fields. */
static void add_late(struct plan *plan, const struct kernel *kernel, enum hook_duty duty, unsigned need,
    const char *program, const struct late_hook hooks[LATE_HOOKS])
{
	if (!kernel->has_btf || kernel_lacks(kernel, need) != FIELD_COUNT ||
	    plan->hook_count + LATE_HOOKS > HOOKS_MAX)
		return;
	for (size_t i = 0; i < LATE_HOOKS; i++)
		if (!kernel->prototypes[hooks[i].symbol].btf_id && !hooks[i].optional)
			return;
	for (size_t i = 0; i < LATE_HOOKS; i++) {
		if (!kernel->prototypes[hooks[i].symbol].btf_id)
			continue;
		plan_add(plan, hooks[i].kind, hooks[i].symbol, program, hooks[i].name);
		plan->hooks[plan->hook_count - 1].duty = duty;
	}
	plan->needs |= need;
}

/* The iterator of sockets can be done without: the walk over open files tells of those that a process has open. */
void plan_add_sockets(struct plan *plan, const struct kernel *kernel)
{
	static const struct late_hook hooks[LATE_HOOKS] = {
		{ HOOK_TYPED_TRACEPOINT, SYMBOL_INET_SOCK_SET_STATE, "set_state", .optional = false },
		{ HOOK_ITERATOR, SYMBOL_BPF_ITER_TASK_FILE, "walk", .optional = false },
		{ HOOK_ITERATOR, SYMBOL_BPF_ITER_SOCKETS, "pass", .optional = true },
	};

	add_late(plan, kernel, DUTY_TELL_SOCKETS, NEED_SOCKETS, "sockets", hooks);
}

/* Why a reset was sent need not be known. */
void plan_add_lives(struct plan *plan, const struct kernel *kernel)
{
	static const struct late_hook hooks[LATE_HOOKS] = {
		{ HOOK_TYPED_TRACEPOINT, SYMBOL_INET_SOCK_SET_STATE, "set_state", .optional = false },
		{ HOOK_ITERATOR, SYMBOL_BPF_ITER_TASK_FILE, "walk", .optional = false },
		{ HOOK_TYPED_TRACEPOINT, SYMBOL_TCP_SEND_RESET, "send_reset", .optional = true },
	};

	add_late(plan, kernel, DUTY_NOTE_LIVES, NEED_LIVES, "lives", hooks);
}

bool duty_is_late(enum hook_duty duty)
{
	return duty == DUTY_TELL_SOCKETS || duty == DUTY_NOTE_LIVES;
}

bool plan_has_duty(const struct plan *plan, enum hook_duty duty)
{
	for (size_t i = 0; i < plan->hook_count; i++)
		if (plan->hooks[i].duty == duty)
			return true;
	return false;
}

bool plan_is_standby(const struct plan *plan, const struct hook *hook)
{
	return hook->kind == HOOK_FEXIT && plan_has_kind(plan, HOOK_KRETPROBE, hook->symbol);
}

bool plan_requires(const struct plan *plan, const struct hook *hook)
{
	return hook->duty == DUTY_COUNT && !plan_is_standby(plan, hook) &&
	       method_find(plan->method)->requires(hook->symbol);
}

static bool follows_splice(const struct hook *hook)
{
	return hook->symbol == SYMBOL_TCP_RCV_SPACE_ADJUST || hook->symbol == SYMBOL_INET_SOCK_SET_STATE ||
	       hook->symbol == SYMBOL_BPF_ITER_TASK_FILE;
}

/*
 * An entry without its return counts nothing, and a socket's position without the iterator's would be counted
 * from anywhere.
 */
bool plan_falls_with(const struct plan *plan, const struct hook *hook, const struct hook *lost)
{
	if (hook->duty != DUTY_COUNT || lost->duty != DUTY_COUNT)
		return hook == lost ||
		       (duty_is_late(hook->duty) && hook->duty == lost->duty &&
		           lost->symbol != SYMBOL_BPF_ITER_SOCKETS && lost->symbol != SYMBOL_TCP_SEND_RESET);
	if (hook == lost || (follows_splice(hook) && follows_splice(lost)))
		return true;
	return hook->symbol == lost->symbol && !plan_is_standby(plan, lost);
}

static unsigned hook_skips(const struct plan *plan, const struct hook *hook)
{
	if (hook->duty != DUTY_COUNT)
		return 0;
	switch (hook->kind) {
	case HOOK_TYPED_TRACEPOINT:
	case HOOK_RAW_TRACEPOINT:
		/* those of threads only notice what was missed already, and give a place back */
		return plan->tracepoints_preemptible && hook->symbol != SYMBOL_SCHED_PROCESS_EXIT &&
		               hook->symbol != SYMBOL_SCHED_PROCESS_EXEC
		           ? SKIPS_PREEMPTED
		           : 0;
	case HOOK_FEXIT:
		return plan->preemptible && !plan_is_standby(plan, hook) ? SKIPS_PREEMPTED : 0;
	case HOOK_KRETPROBE:
		return (plan->preemptible ? SKIPS_MAP_CALLS : 0) |
		       (plan->kretprobes_collide ? SKIPS_COLLIDING : 0) |
		       (plan_has_kind(plan, HOOK_FEXIT, hook->symbol) ? 0 : SKIPS_WAITING);
	case HOOK_PERF_TRACEPOINT:
	case HOOK_KPROBE:
		return plan->preemptible ? SKIPS_MAP_CALLS : 0;
	case HOOK_ITERATOR:
	case HOOK_KIND_COUNT:
		break;
	}
	return 0;
}

unsigned plan_skips(const struct plan *plan)
{
	unsigned skips = 0;

	for (size_t i = 0; i < plan->hook_count; i++)
		skips |= hook_skips(plan, &plan->hooks[i]);
	return skips;
}

static bool is_hooked(const struct plan *plan, enum kernel_symbol symbol)
{
	return symbol != SYMBOL_COUNT && plan_has(plan, symbol);
}

const char *method_blind_reason(const char *name, const char *id)
{
	for (size_t i = 0; i < method_count; i++)
		for (size_t j = 0; j < methods[i]->blind_spot_count; j++)
			if (strcmp(methods[i]->name, name) == 0 &&
			    strcmp(methods[i]->blind_spots[j].id, id) == 0)
				return methods[i]->blind_spots[j].reason;
	return NULL;
}

static bool is_blind(const struct blind_spot *spot, const struct plan *plan, unsigned skips)
{
	return (!spot->skips || (spot->skips & skips)) && (!spot->ways || (spot->ways & plan->ways)) &&
	       !is_hooked(plan, spot->unless[0]) && !is_hooked(plan, spot->unless[1]) &&
	       (spot->where == SYMBOL_COUNT || plan_has(plan, spot->where));
}

size_t plan_blind_spots(const struct blind_spot *spots[NOT_COUNTED_MAX], const struct plan *plan)
{
	const struct method *method = method_find(plan->method);
	unsigned skips = plan_skips(plan);
	size_t count = 0;

	for (size_t i = 0; i < method->blind_spot_count; i++)
		if (is_blind(&method->blind_spots[i], plan, skips))
			spots[count++] = &method->blind_spots[i];
	return count;
}
