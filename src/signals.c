/* SPDX-License-Identifier: Apache-2.0 */
#include "signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/util.h"
#include "screen/terminal.h"

static const int end_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

bool signals_is_end(int signal_number)
{
	for (size_t i = 0; i < COUNT_OF(end_signals); i++)
		if (end_signals[i] == signal_number)
			return true;
	return false;
}

static void mask_usr1(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(how, &set, NULL);
}

void signals_hold_usr1(void)
{
	mask_usr1(SIG_BLOCK);
}

void signals_release_usr1(void)
{
	mask_usr1(SIG_UNBLOCK);
}

int signals_open(struct signals *signals, bool keep_stop, bool take_usr1, struct error *error)
{
	struct sigaction hangup;
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < COUNT_OF(end_signals); i++)
		sigaddset(&set, end_signals[i]);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGCONT); /* after a SIGSTOP, of which nothing else tells */
	/* nohup(1): signalfd delivers a blocked signal although it is ignored */
	if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler == SIG_IGN)
		sigdelset(&set, SIGHUP);
	if (take_usr1)
		sigaddset(&set, SIGUSR1);
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

/* By the default action, which the kernel ignores in an orphaned process group: nobody could continue it. */
void signals_stop(void)
{
	struct sigaction action;
	sigset_t set, blocked;

	/* curses has installed a handler, which would also draw */
	if (sigaction(SIGTSTP, NULL, &action) == 0 && action.sa_handler != SIG_IGN)
		signal(SIGTSTP, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	raise(SIGTSTP);
	pthread_sigmask(SIG_UNBLOCK, &set, &blocked);
	pthread_sigmask(SIG_SETMASK, &blocked, NULL);
	/* What continued it is known by returning. */
	sigemptyset(&set);
	sigaddset(&set, SIGCONT);
	sigtimedwait(&set, NULL, &(struct timespec){ 0 });
}

#define STUCK_MS 1000

static int pending_end_signal(void)
{
	sigset_t pending;

	if (sigpending(&pending) != 0)
		return 0;
	for (size_t i = 0; i < COUNT_OF(end_signals); i++)
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
	const struct signals_guard *guard = argument;
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

void signals_guard_start(struct signals_guard *guard, const struct signals *signals)
{
	guard->signals = signals;
	guard->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (guard->stop_fd >= 0 && pthread_create(&guard->thread, NULL, guard_run, guard) != 0) {
		close(guard->stop_fd);
		guard->stop_fd = -1;
	}
}

void signals_guard_stop(struct signals_guard *guard)
{
	if (guard->stop_fd < 0 || eventfd_write(guard->stop_fd, 1) != 0)
		return;
	pthread_join(guard->thread, NULL);
	close(guard->stop_fd);
}

static void on_fatal_signal(int number)
{
	terminal_restore();
	signal(number, SIG_DFL);
	raise(number);
}

/* All signals that end a process and that the loop does not take. Those that the user has ignored stay ignored. */
void signals_catch_fatal(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP, SIGXCPU,
		SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT };

	signal(SIGXFSZ, SIG_IGN); /* writing tells with EFBIG, whatever is written */
	for (size_t i = 0; i < COUNT_OF(fatal); i++)
		if (signal(fatal[i], on_fatal_signal) == SIG_IGN)
			signal(fatal[i], SIG_IGN);
}
