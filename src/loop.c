/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/error.h"
#include "output/renderer.h"
#include "model/snapshot.h"
#include "model/source.h"
#include "screen/terminal.h"

static const int end_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

bool signals_is_end(int signal_number)
{
	for (size_t i = 0; i < sizeof end_signals / sizeof *end_signals; i++)
		if (end_signals[i] == signal_number)
			return true;
	return false;
}

int signals_open(struct signals *signals, bool keep_stop, struct error *error)
{
	struct sigaction hangup;
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof end_signals / sizeof *end_signals; i++)
		sigaddset(&set, end_signals[i]);
	sigaddset(&set, SIGWINCH);
	/* nohup(1): what is blocked would be taken although it is ignored */
	if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler == SIG_IGN)
		sigdelset(&set, SIGHUP);
	if (!keep_stop)
		sigaddset(&set, SIGTSTP);
	signal(SIGPIPE, SIG_IGN); /* writing tells with EPIPE */
	signals->fd = -1;
	if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
		signals->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals->fd < 0)
		return error_set(
		    error, EXIT_CODE_RUNTIME, -errno, "cannot take signals: %s", strerror(errno));
	return 0;
}

int signals_next(struct signals *signals)
{
	struct signalfd_siginfo info;

	return read(signals->fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

/* By the default action: the kernel leaves that out where no shell could ever continue the process. */
void signals_stop(void)
{
	struct sigaction action;
	sigset_t set, blocked;

	/* curses has put a handler of its own there, which would also draw */
	if (sigaction(SIGTSTP, NULL, &action) == 0 && action.sa_handler != SIG_IGN)
		signal(SIGTSTP, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	raise(SIGTSTP);
	pthread_sigmask(SIG_UNBLOCK, &set, &blocked);
	pthread_sigmask(SIG_SETMASK, &blocked, NULL);
}

/*
 * The thread that shows may be stuck: in a write that nobody reads, in a read that nobody writes. A signal to
 * end that it does not take then does what it does to any program.
 */
struct guard {
	pthread_t thread;
	const struct signals *signals;
	int stop_fd;
};

#define STUCK_MS 1000

static int pending_end_signal(void)
{
	sigset_t pending;

	if (sigpending(&pending) != 0)
		return 0;
	for (size_t i = 0; i < sizeof end_signals / sizeof *end_signals; i++)
		if (sigismember(&pending, end_signals[i]) == 1)
			return end_signals[i];
	return 0;
}

static void end_by_signal(int number)
{
	sigset_t set;

	terminal_restore();
	signal(number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, number);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	raise(number);
}

static void *guard_run(void *argument)
{
	const struct guard *guard = argument;
	struct pollfd events[] = { { guard->stop_fd, POLLIN, 0 }, { guard->signals->fd, POLLIN, 0 } };

	for (;;) {
		poll(events, 2, -1);
		if (events[0].revents)
			return NULL;
		int number = pending_end_signal();

		if (poll(events, 1, STUCK_MS) > 0)
			return NULL;
		if (number && pending_end_signal() == number)
			end_by_signal(number);
	}
}

/* Without a guard everything works but this: a failure to start it is none. */
static void guard_start(struct guard *guard, const struct signals *signals)
{
	guard->signals = signals;
	guard->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (guard->stop_fd >= 0 && pthread_create(&guard->thread, NULL, guard_run, guard) != 0) {
		close(guard->stop_fd);
		guard->stop_fd = -1;
	}
}

static void guard_stop(struct guard *guard)
{
	if (guard->stop_fd < 0 || eventfd_write(guard->stop_fd, 1) != 0)
		return;
	pthread_join(guard->thread, NULL);
	close(guard->stop_fd);
}

struct loop {
	const struct source *source;
	const struct renderer *renderer;
	void *state;
	bool done;
};

/* The terminal is given back for as long as the process is stopped. */
static void stop_process(struct loop *loop)
{
	if (loop->renderer->suspend)
		loop->renderer->suspend(loop->state);
	signals_stop();
	if (loop->renderer->resume)
		loop->renderer->resume(loop->state);
}

static void handle_signals(struct loop *loop, struct signals *signals)
{
	for (int number; (number = signals_next(signals)) != 0;) {
		if (signals_is_end(number))
			loop->source->stop(loop->source->state);
		else if (number == SIGTSTP)
			stop_process(loop);
		else if (number == SIGWINCH && loop->renderer->resize)
			loop->renderer->resize(loop->state);
	}
}

static void handle_keys(struct loop *loop)
{
	struct renderer_request request = { 0 };
	unsigned reaction = loop->renderer->keys(loop->state, &request);

	if ((reaction & REACTION_INTERVAL) && loop->source->set_interval)
		loop->source->set_interval(loop->source->state, request.interval_ns);
	if (reaction & REACTION_QUIT)
		loop->source->stop(loop->source->state);
}

static int handle_snapshot(struct loop *loop, struct error *error)
{
	const struct snapshot *snapshot;
	int err = loop->source->take(loop->source->state, &snapshot, error);

	if (err || !snapshot)
		return err;
	err = loop->renderer->show(loop->state, snapshot, error);
	loop->done = snapshot->last;
	loop->source->release(loop->source->state);
	return err;
}

static int run(const struct source *source, const struct renderer *renderer, void *state,
    struct signals *signals, int output_fd, struct error *error)
{
	struct loop loop = { source, renderer, state, false };
	enum { SIGNALS, SNAPSHOTS, OUTPUT, KEYS };
	struct pollfd events[] = {
		[SIGNALS] = { .fd = signals->fd, .events = POLLIN },
		[SNAPSHOTS] = { .fd = source->fd(source->state), .events = POLLIN },
		[OUTPUT] = { .fd = output_fd }, /* errors alone: a pipe's reader or a terminal gone */
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
			if (renderer->tick)
				renderer->tick(state);
			continue;
		}
		if (events[SIGNALS].revents)
			handle_signals(&loop, signals);
		if (events[KEYS].revents & POLLIN)
			handle_keys(&loop);
		else if (events[KEYS].revents) /* no keys will come any more */
			events[KEYS].fd = -1;
		if (events[OUTPUT].revents & (POLLERR | POLLHUP))
			return -EPIPE;
		if (events[SNAPSHOTS].revents)
			err = handle_snapshot(&loop, error);
		if (renderer->tick)
			renderer->tick(state);
	}
	return err;
}

int loop_run(const struct source *source, const struct renderer *renderer, void *state,
    struct signals *signals, int output_fd, struct error *error)
{
	struct guard guard;

	guard_start(&guard, signals);
	int err = run(source, renderer, state, signals, output_fd, error);

	guard_stop(&guard);
	return err;
}
