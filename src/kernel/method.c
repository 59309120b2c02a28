/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/method.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/util.h"

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

bool method_plan(
    struct plan *plan, const struct method *method, bool typed, const struct kernel *kernel, const char **why)
{
	memset(plan, 0, sizeof *plan);
	plan->method = method->id;
	plan->preemptible = kernel->fully_preemptible;
	return method->plan(plan, kernel, typed, why);
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

/* One method, as BTF-typed programs where that is a choice. 0 or -errno; why tells the user. */
static int try_plan(struct plan *plan, const struct method *method, bool typed, const struct kernel *kernel,
    const struct method_trial *trial, char why[METHOD_WHY_SIZE])
{
	const char *reason = "";

	if (!method_plan(plan, method, typed, kernel, &reason)) {
		snprintf(why, METHOD_WHY_SIZE, "%s", reason);
		return -ENOTSUP;
	}
	int err = trial ? trial->attach(&plan->hooks[0], kernel) : 0;

	if (err)
		snprintf(why, METHOD_WHY_SIZE, "the kernel refuses it: %s",
		    err == -524 ? "not supported on this processor" : strerror(-err)); /* ENOTSUPP */
	return err;
}

static int try_method(struct plan *plan, const struct method *method, const struct kernel *kernel,
    const struct method_trial *trial, char why[METHOD_WHY_SIZE])
{
	int err = try_plan(plan, method, true, kernel, trial, why);

	if (err && method->typed_or_raw) {
		note(trial, "probe %s, BTF-typed: %s", method->name, why);
		err = try_plan(plan, method, false, kernel, trial, why);
	}
	note(trial, "probe %s: %s", method->name, err ? why : "works");
	return err;
}

int method_choose(struct plan *plan, enum probe_method wanted, const struct kernel *kernel,
    const struct method_trial *trial, struct method_refusal *refusal)
{
	char why[METHOD_WHY_SIZE] = "";

	*refusal = (struct method_refusal){ 0 };
	for (size_t i = 0; i < method_count; i++) {
		if (wanted != PROBE_AUTO && wanted != methods[i]->id)
			continue;
		int err = try_method(plan, methods[i], kernel, trial, why);

		if (!err)
			return 0;
		size_t used = strlen(refusal->why);

		snprintf(refusal->why + used, sizeof refusal->why - used, "%s%s: %s", used ? "; " : "",
		    methods[i]->name, why);
		if (refusal->err_count < COUNT_OF(refusal->errs))
			refusal->errs[refusal->err_count++] = err;
	}
	return -ENOTSUP;
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

static bool follows_splice(const struct hook *hook)
{
	return hook->symbol == SYMBOL_TCP_RCV_SPACE_ADJUST || hook->symbol == SYMBOL_BPF_ITER_TASK_FILE;
}

/*
 * An entry without its return counts nothing, and a socket's position without the iterator's would be counted
 * from anywhere.
 */
bool plan_belong_together(const struct hook *one, const struct hook *other)
{
	return one->symbol == other->symbol || (follows_splice(one) && follows_splice(other));
}

static bool is_blind(const struct blind_spot *spot, const struct plan *plan)
{
	return (!spot->preemptible || plan->preemptible) &&
	       (spot->unless == SYMBOL_COUNT || !plan_has(plan, spot->unless)) &&
	       (spot->where == SYMBOL_COUNT || plan_has(plan, spot->where));
}

size_t plan_blind_spots(const struct blind_spot *spots[NOT_COUNTED_MAX], const struct plan *plan)
{
	const struct method *method = method_find(plan->method);
	size_t count = 0;

	for (size_t i = 0; i < method->blind_spot_count; i++)
		if (is_blind(&method->blind_spots[i], plan))
			spots[count++] = &method->blind_spots[i];
	return count;
}
