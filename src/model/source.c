/* SPDX-License-Identifier: Apache-2.0 */
#include "model/source.h"

#include <errno.h>

#include "base/error.h"
#include "options.h"
#include "trace/tracer.h"

static int fd(void *state)
{
	return tracer_fd(state);
}

static int take(void *state, const struct snapshot **snapshot, struct error *error)
{
	return tracer_take(state, snapshot, error);
}

static void release(void *state)
{
	tracer_release(state);
}

static void stop(void *state)
{
	tracer_stop(state);
}

static void set_interval(void *state, uint64_t interval_ns)
{
	tracer_set_interval(state, interval_ns);
}

struct source source_of_tracer(struct tracer *tracer)
{
	return (struct source){ tracer, fd, take, release, stop, set_interval };
}

static bool passes(const struct options *options, const struct session *session)
{
	if (options->family && options->family != session->family)
		return false;
	return !options->pid_count || options_has_pid(options, session->pid);
}

static int filter_fd(void *state)
{
	struct source_filter *filter = state;

	return filter->inner.fd(filter->inner.state);
}

static int fill_passed(struct source_filter *filter, const struct snapshot *all, struct error *error)
{
	struct snapshot *passed = &filter->passed;

	snapshot_reset(passed);
	for (size_t i = 0; i < all->session_count; i++) {
		if (!passes(filter->options, &all->sessions[i]))
			continue;
		struct session *session = snapshot_add(passed);

		if (!session)
			return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
		*session = all->sessions[i];
	}
	passed->time = all->time;
	passed->interval_ns = all->interval_ns;
	passed->other = all->other;
	passed->missed_runs = all->missed_runs;
	passed->last = all->last;
	snapshot_total(passed);
	return 0;
}

static int filter_take(void *state, const struct snapshot **snapshot, struct error *error)
{
	struct source_filter *filter = state;
	int err = filter->inner.take(filter->inner.state, snapshot, error);

	if (err || !*snapshot || (!filter->options->family && !filter->options->pid_count))
		return err;
	err = fill_passed(filter, *snapshot, error);
	*snapshot = &filter->passed;
	return err;
}

static void filter_release(void *state)
{
	struct source_filter *filter = state;

	filter->inner.release(filter->inner.state);
}

static void filter_stop(void *state)
{
	struct source_filter *filter = state;

	filter->inner.stop(filter->inner.state);
}

static void filter_set_interval(void *state, uint64_t interval_ns)
{
	struct source_filter *filter = state;

	filter->inner.set_interval(filter->inner.state, interval_ns);
}

struct source source_filter_open(
    struct source_filter *filter, struct source inner, const struct options *options)
{
	filter->inner = inner;
	filter->options = options;
	snapshot_init(&filter->passed);
	return (struct source){ filter, filter_fd, filter_take, filter_release, filter_stop,
		inner.set_interval ? filter_set_interval : NULL };
}

void source_filter_close(struct source_filter *filter)
{
	snapshot_fini(&filter->passed);
}
