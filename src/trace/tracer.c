/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/tracer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/clock.h"
#include "loader/tracing.h"
#include "model/snapshot.h"
#include "names/interfaces.h"
#include "trace/cost.h"
#include "trace/ended.h"
#include "trace/link_reader.h"
#include "trace/lives.h"
#include "trace/maps.h"
#include "trace/sockets.h"

/* The mutex guards the hand-over and the requests, down to `error`. The rest belongs to the thread while it runs. */
struct tracer {
	pthread_t thread;
	pthread_mutex_t mutex;
	int ready_fd;  /* readable: full or failed */
	int wakeup_fd; /* readable: a request, or the consumer has released */

	bool full; /* the snapshot is the consumer's */
	bool stop;
	bool quit;
	bool tells_sockets;     /* wanted */
	bool tells_connections; /* the same */
	uint64_t interval_ns;
	int failure;
	struct error error;

	uint64_t count;
	struct tracing tracing;
	struct maps maps;
	struct sockets sockets;
	bool follows_sockets; /* they are attached, */
	int sockets_err;      /* or could not be */
	struct lives lives;
	bool notes_lives; /* the same */
	int lives_err;
	struct interfaces *interfaces;
	struct link_reader *links;
	struct cost_meter cost;
	struct snapshot snapshot;
};

static void signal_event(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof one) < 0) {
		/* full: it is readable anyway */
	}
}

static void drain_event(int fd)
{
	uint64_t value;

	if (read(fd, &value, sizeof value) < 0) {
		/* it was not readable: nothing to do */
	}
}

struct requests {
	bool full;
	bool stop;
	bool quit;
	bool tells_sockets;
	bool tells_connections;
	uint64_t interval_ns;
};

static struct requests read_requests(struct tracer *tracer)
{
	pthread_mutex_lock(&tracer->mutex);
	struct requests requests = { tracer->full, tracer->stop, tracer->quit, tracer->tells_sockets,
		tracer->tells_connections, tracer->interval_ns };
	pthread_mutex_unlock(&tracer->mutex);
	return requests;
}

/* Attaches or detaches as is wanted, at once: what is born from then on is followed, also what no process has open yet. */
static void follow_sockets(struct tracer *tracer, bool wanted)
{
	if (wanted == tracer->follows_sockets)
		return;
	tracer->follows_sockets = wanted;
	if (wanted)
		tracer->sockets_err = sockets_start(&tracer->sockets);
	else
		sockets_stop(&tracer->sockets);
}

/* At once, as it is of no interval: what it has noted is drained with the next one. */
static void note_lives(struct tracer *tracer, bool wanted)
{
	if (wanted == tracer->notes_lives)
		return;
	tracer->notes_lives = wanted;
	tracer->lives_err = wanted ? lives_start(&tracer->lives) : 0;
	if (!wanted)
		lives_stop(&tracer->lives);
}

/*
 * Sleeps until the interval that began at start_ns is over, not before rested_ns, and the consumer has released the
 * last snapshot. Meanwhile sockets are followed or not, as is wanted.
 */
static struct requests wait_for_end(struct tracer *tracer, uint64_t start_ns, uint64_t rested_ns)
{
	struct pollfd wakeup = { .fd = tracer->wakeup_fd, .events = POLLIN };

	for (;;) {
		struct requests requests = read_requests(tracer);

		follow_sockets(tracer, requests.tells_sockets);
		uint64_t now = clock_now_ns(), end = start_ns + requests.interval_ns;

		note_lives(tracer, requests.tells_connections);
		end = end > rested_ns ? end : rested_ns;
		bool over = requests.stop || now >= end;

		if (requests.quit || (over && !requests.full))
			return requests;
		struct timespec left = { (end - now) / NS_PER_S, (end - now) % NS_PER_S };

		ppoll(&wakeup, 1, over ? NULL : &left, NULL);
		drain_event(tracer->wakeup_fd);
	}
}

static void publish(struct tracer *tracer, int failure, const struct error *error)
{
	pthread_mutex_lock(&tracer->mutex);
	if (failure) {
		tracer->failure = failure;
		tracer->error = *error;
	} else {
		tracer->full = true;
	}
	pthread_mutex_unlock(&tracer->mutex);
	signal_event(tracer->ready_fd);
}

/* Converts a recent time on the monotonic clock to wall-clock time. */
static struct timespec wall_time(uint64_t monotonic_ns)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	uint64_t time_ns = (uint64_t)now.tv_sec * NS_PER_S + now.tv_nsec - (clock_now_ns() - monotonic_ns);

	return (struct timespec){ time_ns / NS_PER_S, time_ns % NS_PER_S };
}

static void name_interface(struct interfaces *interfaces, struct session *session)
{
	const char *name =
	    session->ifindex ? interfaces_name(interfaces, session->netns, session->ifindex) : NULL;

	if (name)
		snprintf(session->ifname, sizeof session->ifname, "%s", name);
}

/* Now, as an interface may be gone, or have another name, when the snapshot is shown. */
static void name_interfaces(struct interfaces *interfaces, struct snapshot *snapshot)
{
	interfaces_refresh(interfaces);
	for (size_t i = 0; i < snapshot->session_count; i++)
		name_interface(interfaces, &snapshot->sessions[i]);
	for (size_t i = 0; i < snapshot->ending_count; i++)
		name_interface(interfaces, &snapshot->endings[i].connection);
	for (size_t i = 0; i < snapshot->connection_count; i++)
		name_interface(interfaces, &snapshot->connections[i].session);
}

/* What was counted, held against what sockets have told, and those that have ended. */
static int audit(struct sockets *sockets, struct snapshot *snapshot)
{
	int err = ended_audit(&sockets->audit, &sockets->earlier, &sockets->told, snapshot);

	if (snapshot->sockets.cpu_ns)
		audit_end(&sockets->audit);
	snapshot->audit = sockets->audit.result;
	return err;
}

/* That they cannot be told of is told. */
static void tell_sockets(struct tracer *tracer)
{
	if (!tracer->follows_sockets)
		return;
	if (!tracer->sockets_err)
		tracer->sockets_err = sockets_tell(&tracer->sockets, &tracer->snapshot)
		                          ?: audit(&tracer->sockets, &tracer->snapshot);
	tracer->snapshot.sockets.err = tracer->sockets_err;
}

static int end_interval(struct tracer *tracer, uint64_t *start_ns, bool last, struct error *error)
{
	uint64_t end_ns;

	/* A program that began before detaching may read the generation after the last swap, which nobody drains. */
	if (last) {
		tracing_detach(&tracer->tracing);
		lives_detach(&tracer->lives);
		maps_wait(&tracer->maps);
	}
	int err = maps_swap(&tracer->maps, &end_ns, error);

	if (err)
		return err;
	snapshot_reset(&tracer->snapshot);
	/* First, as draining may take long, and these counters do not stand still. */
	if (tracer->links)
		link_reader_read(tracer->links, &tracer->snapshot.links);
	err = maps_drain(&tracer->maps, &tracer->snapshot, error);
	tracer->snapshot.connections_error = (uint32_t)-tracer->lives_err;
	tracer->snapshot.notes_connections = tracer->notes_lives && !tracer->lives_err;
	err = err ?: lives_settle(&tracer->snapshot);
	tell_sockets(tracer);
	name_interfaces(tracer->interfaces, &tracer->snapshot);
	if (tracer->links)
		link_reader_place(tracer->links, &tracer->snapshot);
	tracer->snapshot.time = wall_time(end_ns);
	tracer->snapshot.interval_ns = end_ns - *start_ns;
	tracer->snapshot.last = last;
	cost_read(&tracer->cost, tracer->snapshot.interval_ns, &tracer->snapshot.cost);
	*start_ns = end_ns;
	return err;
}

bool tracer_needs_precedence(const struct plan *plan)
{
	return plan_skips(plan) & SKIPS_MAP_CALLS;
}

/*
 * While a task is in a map's system call the kernel skips every program of a perf event (kprobes, perf's tracepoints)
 * on that CPU, also those of tasks that preempt it (bpf_disable_instrumentation, bpf_prog_active), and before 6.7
 * without counting it. So on a preemptible kernel this thread must not be preempted there. Where real-time priority
 * is refused, the losses are those that were declared. Returns whether it was granted.
 */
static bool take_precedence(const struct plan *plan)
{
	struct sched_param parameters = { .sched_priority = TRACER_PRIORITY };

	return tracer_needs_precedence(plan) &&
	       pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters) == 0;
}

/*
 * With real-time priority a reading that is longer than the interval would leave no other task its processor, until
 * the kernel takes it away for a while (sched_rt_runtime_us), in the midst of a map's system call. So it rests a
 * quarter of the time that it took. Returns when it may go on.
 */
static uint64_t rested_after(uint64_t began_ns)
{
	uint64_t now_ns = clock_now_ns();

	return now_ns + (now_ns - began_ns) / 4;
}

static void *run(void *argument)
{
	struct tracer *tracer = argument;
	uint64_t start_ns = tracer->tracing.start_ns, rested_ns = 0, done = 0;
	bool last = false, precedes = take_precedence(&tracer->tracing.plan);

	while (!last) {
		struct requests requests = wait_for_end(tracer, start_ns, rested_ns);
		struct error error;

		if (requests.quit)
			break;
		last = requests.stop || ++done == tracer->count;
		int err = end_interval(tracer, &start_ns, last, &error);

		publish(tracer, err, &error);
		if (err)
			break;
		if (precedes)
			rested_ns = rested_after(start_ns);
	}
	return NULL;
}

int tracer_open(struct tracer **tracer, struct tracing *tracing, uint64_t interval_ns, uint64_t count,
    const struct tracer_wants *wants, struct error *error)
{
	struct tracer *new = calloc(1, sizeof *new);
	int err = 0;

	if (!new)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "no memory for the tracer");
	new->tracing = *tracing;
	tracing_init(tracing);
	new->interval_ns = interval_ns;
	new->count = count;
	pthread_mutex_init(&new->mutex, NULL);
	snapshot_init(&new->snapshot);
	new->ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	new->wakeup_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (new->ready_fd < 0 || new->wakeup_fd < 0)
		err = -errno;
	new->interfaces = interfaces_open();
	new->links = wants->links ? link_reader_open() : NULL;
	if (!new->interfaces || (wants->links && !new->links))
		err = -ENOMEM;
	err = err ?: maps_init(&new->maps, &new->tracing);
	err = err ?: cost_init(&new->cost, &new->tracing, wants->children);
	sockets_init(&new->sockets, &new->tracing, wants->pass_within_ns);
	lives_init(&new->lives, &new->tracing);
	new->tells_connections = wants->connections;
	note_lives(new, wants->connections);
	if (!err && new->lives_err) {
		err = new->lives_err;
		error_set(error, EXIT_CODE_UNSUPPORTED, err,
		    "this kernel does not let connections be noted without privilege, as Linux 5.19 does: %s",
		    strerror(-err));
		new->quit = true;
		tracer_close(new);
		return err;
	}
	if (!err)
		err = -pthread_create(&new->thread, NULL, run, new);
	if (!err) {
		*tracer = new;
		return 0;
	}
	new->quit = true;
	new->thread = 0;
	tracer_close(new);
	return error_set(error, EXIT_CODE_RUNTIME, err, "cannot start the tracer: %s", strerror(-err));
}

static int source_fd(void *state)
{
	const struct tracer *tracer = state;

	return tracer->ready_fd;
}

static int source_take(void *state, const struct snapshot **snapshot, struct error *error)
{
	struct tracer *tracer = state;

	drain_event(tracer->ready_fd);
	pthread_mutex_lock(&tracer->mutex);
	*snapshot = tracer->full ? &tracer->snapshot : NULL;
	int failure = tracer->full ? 0 : tracer->failure;

	if (failure)
		*error = tracer->error;
	pthread_mutex_unlock(&tracer->mutex);
	return failure;
}

/* Changes a request under the mutex and wakes the thread. */
#define REQUEST(tracer, assignment)                     \
	do {                                            \
		pthread_mutex_lock(&(tracer)->mutex);   \
		(tracer)->assignment;                   \
		pthread_mutex_unlock(&(tracer)->mutex); \
		signal_event((tracer)->wakeup_fd);      \
	} while (0)

static void source_release(void *state)
{
	struct tracer *tracer = state;

	/* The thread does not touch it until it may. What it takes is of use again only when an interval ends. */
	snapshot_release(&tracer->snapshot);
	REQUEST(tracer, full = false);
}

static void source_stop(void *state)
{
	struct tracer *tracer = state;

	REQUEST(tracer, stop = true);
}

static void source_set_interval(void *state, uint64_t interval_ns)
{
	struct tracer *tracer = state;

	REQUEST(tracer, interval_ns = interval_ns);
}

static void source_tell_sockets(void *state, bool wanted)
{
	struct tracer *tracer = state;

	REQUEST(tracer, tells_sockets = wanted);
}

static void source_tell_connections(void *state, bool wanted)
{
	struct tracer *tracer = state;

	REQUEST(tracer, tells_connections = wanted);
}

struct source tracer_source(struct tracer *tracer)
{
	return (struct source){
		.state = tracer,
		.fd = source_fd,
		.take = source_take,
		.release = source_release,
		.stop = source_stop,
		.set_interval = source_set_interval,
		.tell_sockets = sockets_possible(&tracer->tracing) ? source_tell_sockets : NULL,
		.tell_connections = lives_possible(&tracer->tracing) ? source_tell_connections : NULL,
	};
}

void tracer_close(struct tracer *tracer)
{
	if (!tracer)
		return;
	if (tracer->thread) {
		REQUEST(tracer, quit = true);
		pthread_join(tracer->thread, NULL);
	}
	sockets_fini(&tracer->sockets);
	lives_detach(&tracer->lives);
	interfaces_close(tracer->interfaces);
	link_reader_close(tracer->links);
	maps_fini(&tracer->maps);
	cost_fini(&tracer->cost);
	tracing_close(&tracer->tracing);
	snapshot_fini(&tracer->snapshot);
	if (tracer->ready_fd >= 0)
		close(tracer->ready_fd);
	if (tracer->wakeup_fd >= 0)
		close(tracer->wakeup_fd);
	pthread_mutex_destroy(&tracer->mutex);
	free(tracer);
}
