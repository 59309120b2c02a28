/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include "tracer.h"

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
