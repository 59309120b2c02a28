/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/hooks.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "loader/attach.h"
#include "loader/calibrate.h"
#include "loader/compiled.h"
#include "loader/tracing.h"

/* A program on its way from the text to its hook. */
struct program {
	const struct hook *hook; /* NULL: given up */
	int program_fd;
	int event_fd;
	int link_fd;
};

struct programs {
	const struct hooks_context *context;
	const struct plan *plan;
	struct program all[HOOKS_MAX]; /* of the plan's hooks, in their order */
};

typedef int step_function(const struct hooks_context *context, struct program *program);

static void program_close(struct program *program)
{
	const int fds[] = { program->link_fd, program->event_fd, program->program_fd };

	for (size_t i = 0; i < COUNT_OF(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	*program = (struct program){ NULL, -1, -1, -1 };
}

static void give_up(struct programs *programs, const struct hook *lost)
{
	for (size_t i = 0; i < programs->plan->hook_count; i++)
		if (programs->all[i].hook && plan_falls_with(programs->plan, programs->all[i].hook, lost))
			program_close(&programs->all[i]);
}

static int load(const struct hooks_context *context, struct program *program)
{
	const struct compiled_function *function =
	    compiled_function(context->compiled, program->hook->function);

	program->program_fd =
	    function ? attach_load(program->hook, context->kernel, function->instructions, function->count)
	             : -ENOENT;
	return program->program_fd < 0 ? program->program_fd : 0;
}

static int prepare(const struct hooks_context *context, struct program *program)
{
	return attach_prepare(program->hook, context->kernel, &program->event_fd);
}

/*
 * Takes the position of every socket that is open now, then lets those without one be counted from their
 * birth. Events in between, of sockets on either side, only take positions.
 */
static int run_iterator(const struct hooks_context *context, int program_fd)
{
	uint32_t slot = 0, ready = 1;
	int err = attach_run_iterator(program_fd);

	if (!err &&
	    bpf_map_update_elem(compiled_map(context->compiled, "splice_ready"), &slot, &ready, BPF_ANY) != 0)
		err = -errno;
	return err;
}

static int attach(const struct hooks_context *context, struct program *program)
{
	if (duty_is_late(program->hook->duty))
		return 0; /* by who asks: trace/sockets.c, lives.c */
	if (program->hook->kind == HOOK_ITERATOR)
		return run_iterator(context, program->program_fd);
	program->link_fd = attach_program(program->hook, program->program_fd, program->event_fd);
	if (program->link_fd < 0)
		return program->link_fd;
	program->event_fd = -1; /* the link is made of it */
	return 0;
}

static int attach_return(const struct hooks_context *context, struct program *program)
{
	return program->hook->kind == HOOK_KRETPROBE ? attach(context, program) : 0;
}

static int attach_other(const struct hooks_context *context, struct program *program)
{
	return program->hook->kind != HOOK_KRETPROBE ? attach(context, program) : 0;
}

/*
 * What cannot be had and is not required leaves the plan. A host that has run out of something ends it: what
 * would then be declared as not counted is not the kernel's fault.
 */
static int for_each(struct programs *programs, step_function *step, struct error *error)
{
	for (size_t i = 0; i < programs->plan->hook_count; i++) {
		const struct hook *hook = programs->all[i].hook;
		int err = hook ? step(programs->context, &programs->all[i]) : 0;
		char text[160];

		if (!err)
			continue;
		/* What was kept is compiled anew before anything is done without. */
		if (programs->context->compiled->owned || plan_requires(programs->plan, hook) ||
		    attach_ran_out(err))
			return attach_error(error, err, hook->function);
		snprintf(text, sizeof text, "cannot attach %s: %s", hook->function, strerror(-err));
		programs->context->note(programs->context->to, text);
		give_up(programs, hook);
	}
	return 0;
}

/* The plan is now what was attached. What stays open passes to *tracing. */
static void take(struct programs *programs, struct tracing *tracing)
{
	struct plan plan = *programs->plan;

	plan.hook_count = 0;
	for (size_t i = 0; i < programs->plan->hook_count; i++) {
		struct program *program = &programs->all[i];

		if (program->hook &&
		    (program->hook->kind != HOOK_ITERATOR || duty_is_late(program->hook->duty))) {
			tracing->programs[plan.hook_count] = program->program_fd;
			tracing->links[plan.hook_count] = program->link_fd;
			plan.hooks[plan.hook_count++] = *program->hook;
			program->program_fd = program->link_fd = -1;
		}
		program_close(program);
	}
	tracing->plan = plan;
}

/* A kretprobe's program shows where returns go (bpf_text/probe_kprobe.c): it gets calls that move nothing. */
static void prime(const struct plan *plan)
{
	int fd = -1, pipe_fds[2];
	char byte;

	for (size_t i = 0; i < plan->hook_count && fd < 0; i++)
		if (plan->hooks[i].kind == HOOK_KRETPROBE)
			fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	recv(fd, &byte, sizeof byte, MSG_DONTWAIT); /* ENOTCONN, as the next one */
	if (pipe2(pipe_fds, O_CLOEXEC) == 0) {
		splice(fd, NULL, pipe_fds[1], NULL, 1, SPLICE_F_NONBLOCK);
		close(pipe_fds[0]);
		close(pipe_fds[1]);
	}
	close(fd);
}

/*
 * All programs are loaded, and kprobes' events made, before the first one is attached: that takes milliseconds
 * each, and between the first and the last one's beginning bytes are counted in one direction alone.
 *
 * The order matters. Events in the plan's order, entry before return: the handler that was registered last
 * runs first, so that the program at the entry finds the return address replaced. Programs in the opposite
 * one: no entry is seen whose return is not. The iterator comes right after what needs its positions.
 */
int hooks_attach(const struct hooks_context *context, struct tracing *tracing, struct error *error)
{
	const struct plan plan = tracing->plan;
	struct programs programs = { .context = context, .plan = &plan };
	struct calibration calibration;

	for (size_t i = 0; i < plan.hook_count; i++)
		programs.all[i] = (struct program){ &plan.hooks[i], -1, -1, -1 };
	int err = for_each(&programs, load, error);

	/* What cannot be measured is estimated. Before there are kprobes' events, as these cost without a program, too. */
	calibration_begin(&calibration);
	err = err ?: for_each(&programs, prepare, error);
	tracing->start_ns = clock_now_ns();
	err = err ?: for_each(&programs, attach_return, error);
	err = err ?: for_each(&programs, attach_other, error);
	tracing_set_prices(tracing, calibration_end(&calibration));
	if (err) {
		for (size_t i = 0; i < plan.hook_count; i++)
			program_close(&programs.all[i]);
		return err;
	}
	take(&programs, tracing);
	prime(&tracing->plan);
	return 0;
}
