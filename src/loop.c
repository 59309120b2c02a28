/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/format.h"
#include "base/util.h"
#include "model/snapshot.h"
#include "model/source.h"
#include "output/renderer.h"
#include "signals.h"

struct loop {
	const struct source *source;
	const struct renderer *renderer;
	void *state;
	const struct loop_output *output;
	bool done;
	bool costs_too_much; /* and is ended for it */
	char cost[160];      /* that was too much */
	int err;             /* of opening the output anew */
};

/* The terminal is restored while the process is stopped. */
static void stop_process(struct loop *loop)
{
	if (loop->renderer->suspend)
		loop->renderer->suspend(loop->state);
	signals_stop();
	if (loop->renderer->resume)
		loop->renderer->resume(loop->state);
}

/* Between two intervals, so that none is cut. */
static void reopen(struct loop *loop, struct error *error)
{
	if (loop->output->reopen && !loop->err)
		loop->err = loop->output->reopen(loop->output->to, error);
}

static void handle_signals(struct loop *loop, struct signals *signals, struct error *error)
{
	for (int number; (number = signals_next(signals)) != 0;) {
		if (signals_is_end(number))
			loop->source->stop(loop->source->state);
		else if (number == SIGTSTP)
			stop_process(loop);
		else if (number == SIGCONT && loop->renderer->resume)
			loop->renderer->resume(loop->state);
		else if (number == SIGUSR1)
			reopen(loop, error);
		else if (number == SIGWINCH && loop->renderer->resize)
			loop->renderer->resize(loop->state);
	}
}

/* Calls keys or tick, and does what they ask for. */
static void react(struct loop *loop, unsigned (*call)(void *state, struct renderer_request *request))
{
	struct renderer_request request = { 0 };
	unsigned reaction = call ? call(loop->state, &request) : REACTION_NONE;

	if ((reaction & REACTION_INTERVAL) && loop->source->set_interval) {
		loop->source->set_interval(loop->source->state, request.interval_ns);
		loop->output->overhead->interval_ns = request.interval_ns;
	}
	if ((reaction & REACTION_PLAY) && loop->source->play)
		loop->source->play(loop->source->state, &request.play);
	if ((reaction & REACTION_SOCKETS) && loop->source->tell_sockets) {
		loop->source->tell_sockets(
		    loop->source->state, request.tells_sockets || loop->output->is_strict);
		loop->output->overhead->can_drop = request.tells_sockets && !loop->output->is_strict;
	}
	if ((reaction & REACTION_CONNECTIONS) && loop->source->tell_connections)
		loop->source->tell_connections(loop->source->state, request.tells_connections);
	if (reaction & REACTION_QUIT)
		loop->source->stop(loop->source->state);
}

/* "0.52% of a CPU, 0.40% of it in the kernel: above --max-overhead 0.5" */
static void write_cost(struct loop *loop, const struct snapshot *snapshot)
{
	const struct own_cost *cost = &snapshot->cost;
	char all[COST_TEXT_SIZE], programs[COST_TEXT_SIZE];

	snprintf(loop->cost, sizeof loop->cost,
	    "%s of a CPU, %s of it in the kernel: above --max-overhead %.4g",
	    cost_share(all, cost->total_ns, snapshot->interval_ns),
	    cost_share(programs, cost->programs_ns, snapshot->interval_ns),
	    loop->output->overhead->limit_ppm / (double)COST_PPM_OF_PERCENT);
}

/* Keeps own cost below its limit, as far as that can be. */
static void limit_cost(struct loop *loop, const struct snapshot *snapshot)
{
	const struct source *source = loop->source;
	struct overhead *overhead = loop->output->overhead;
	unsigned actions =
	    snapshot->last ? 0 : overhead_judge(overhead, &snapshot->cost, snapshot->interval_ns);
	char span[32];

	if (!actions)
		return;
	write_cost(loop, snapshot);
	if ((actions & OVERHEAD_DROPS) && source->tell_sockets)
		source->tell_sockets(source->state, false);
	if ((actions & OVERHEAD_INTERVAL) && source->set_interval)
		source->set_interval(source->state, overhead->interval_ns);
	if (actions & OVERHEAD_STOPS) {
		loop->costs_too_much = true;
		source->stop(source->state);
		return;
	}
	if (loop->renderer->limited) {
		loop->renderer->limited(loop->state, overhead->interval_ns, actions & OVERHEAD_DROPS);
		return;
	}
	format_span(span, sizeof span, overhead->interval_ns / NS_PER_MS);
	fprintf(stderr, "tcptop: it costs %s%s%s%s\n", loop->cost,
	    actions & OVERHEAD_DROPS ? ", no passes over sockets" : "",
	    actions & OVERHEAD_INTERVAL ? ", intervals of " : "", actions & OVERHEAD_INTERVAL ? span : "");
}

/* What the last snapshot tells that makes the run a failure. 0 or -errno with *error. */
static int judge_end(const struct loop *loop, const struct snapshot *snapshot, struct error *error)
{
	if (loop->costs_too_much && snapshot->last)
		return error_set(error, EXIT_CODE_OVERHEAD, -EDQUOT, "stopped: it costs %s", loop->cost);
	if (!loop->output->is_strict || !snapshot->last)
		return 0;
	if (snapshot->sockets.err)
		return error_set(error, EXIT_CODE_UNSUPPORTED, snapshot->sockets.err,
		    "--strict: this kernel does not let sockets be looked at: %s",
		    strerror(-snapshot->sockets.err));
	if (snapshot->audit.unexplained_bytes)
		return error_set(error, EXIT_CODE_WRONG_COUNT, -EILSEQ,
		    "unexplained: %" PRIu64 " of %" PRIu64 " bytes, of %u connections: what was counted is "
		    "not what their sockets moved",
		    snapshot->audit.unexplained_bytes, snapshot->audit.bytes, snapshot->audit.deviating);
	return 0;
}

static int handle_snapshot(struct loop *loop, struct error *error)
{
	const struct snapshot *snapshot;
	int err = loop->source->take(loop->source->state, &snapshot, error);

	if (err || !snapshot)
		return err;
	err = loop->renderer->show(loop->state, snapshot, error);
	if (!err && loop->output->also)
		err = loop->output->also->show(loop->output->also_state, snapshot, error);
	limit_cost(loop, snapshot);
	loop->done = snapshot->last;
	err = err ?: judge_end(loop, snapshot, error);
	loop->source->release(loop->source->state);
	return err;
}

int loop_run(const struct source *source, const struct renderer *renderer, void *state,
    struct signals *signals, const struct loop_output *output, struct error *error)
{
	struct loop loop = { .source = source, .renderer = renderer, .state = state, .output = output };
	enum { SIGNALS, SNAPSHOTS, OUTPUT, KEYS };
	struct pollfd events[] = {
		[SIGNALS] = { .fd = signals->fd, .events = POLLIN },
		[SNAPSHOTS] = { .fd = source->fd(source->state), .events = POLLIN },
		[OUTPUT] = { .fd = output->fd }, /* errors alone: a pipe's reader or a terminal gone */
		[KEYS] = { .fd = renderer->key_fd ? renderer->key_fd(state) : -1, .events = POLLIN },
	};
	int err = 0;

	while (!loop.done && !err) {
		int timeout_ms = renderer->timeout_ms ? renderer->timeout_ms(state) : -1;
		int ready = poll(events, sizeof events / sizeof *events, timeout_ms);

		if (ready < 0 && errno != EINTR)
			return error_set(
			    error, EXIT_CODE_RUNTIME, -errno, "cannot wait: %s", strerror(errno));
		if (ready <= 0) {
			react(&loop, renderer->tick);
			continue;
		}
		if (events[SIGNALS].revents)
			handle_signals(&loop, signals, error);
		if (events[KEYS].revents & POLLIN)
			react(&loop, renderer->keys);
		else if (events[KEYS].revents) /* no keys will come any more */
			events[KEYS].fd = -1;
		if (events[OUTPUT].revents & (POLLERR | POLLHUP))
			return -EPIPE;
		err = loop.err;
		if (!err && events[SNAPSHOTS].revents)
			err = handle_snapshot(&loop, error);
		react(&loop, renderer->tick);
	}
	return err;
}
