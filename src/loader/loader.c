/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/loader.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "loader/child.h"
#include "loader/message.h"
#include "loader/tracing.h"

#define START_NICE (-20)

/*
 * A start is some tenths of a second of work that somebody waits for, mostly as the machine is busy: without precedence it takes as
 * many times longer. Who has made tcptop nice has meant it. Where it is refused it is left.
 */
static void take_precedence(void)
{
	if (getpriority(PRIO_PROCESS, 0) == 0)
		(void)setpriority(PRIO_PROCESS, 0, START_NICE);
}

/* The child dies with its parent, prints nothing to the user, and exits without running LLVM's destructors. */
static _Noreturn void run_child(pid_t parent, int socket, int output, const struct loader_request *request)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		_exit(1);
	take_precedence();
	_exit(loader_child(socket, request));
}

int loader_start(struct loader *loader, const struct loader_request *request, struct error *error)
{
	pid_t parent = getpid();
	int sockets[2];

	*loader = (struct loader){ -1, -1, memfd_create("tcptop-compiler", MFD_CLOEXEC) };
	if (loader->output < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
		return error_set(
		    error, EXIT_CODE_RUNTIME, -errno, "cannot start the loader: %s", strerror(errno));
	loader->child = fork();
	if (loader->child == 0) {
		close(sockets[0]);
		run_child(parent, sockets[1], loader->output, request);
	}
	int err = loader->child < 0 ? -errno : 0;

	close(sockets[1]);
	loader->socket = sockets[0];
	if (err)
		return error_set(
		    error, EXIT_CODE_RUNTIME, err, "cannot start the loader: %s", strerror(-err));
	return 0;
}

/* Does a compiler that got no memory end so? The kernel kills it; LLVM aborts, or goes on without. */
static bool wants_memory(int signal)
{
	return signal == SIGKILL || signal == SIGABRT || (signal == SIGSEGV && error_memory_is_limited());
}

/* Fills *error with how a child ended that sent no result. */
static int child_ended(struct loader *loader, struct error *error)
{
	int status = 0;

	if (waitpid(loader->child, &status, 0) == loader->child)
		loader->child = -1;
	if (WIFSIGNALED(status))
		return error_set(error, EXIT_CODE_RUNTIME, -ECHILD,
		    "the compiler was ended by signal %d (%s)%s", WTERMSIG(status),
		    strsignal(WTERMSIG(status)), wants_memory(WTERMSIG(status)) ? ERROR_SHORT_OF_MEMORY : "");
	return error_set(error, EXIT_CODE_RUNTIME, -ECHILD, "the compiler ended without a result (status %d)",
	    WEXITSTATUS(status));
}

int loader_receive(
    struct loader *loader, struct tracing *tracing, char *note, size_t note_size, struct error *error)
{
	struct loader_message message;
	int err = loader_message_receive(loader->socket, &message, tracing);

	if (err == -ENODATA)
		return child_ended(loader, error);
	if (err)
		return error_set(error, EXIT_CODE_RUNTIME, err, "lost the loader: %s", strerror(-err));
	switch (message.kind) {
	case LOADER_NOTE:
		snprintf(note, note_size, "%s", message.note);
		return 0;
	case LOADER_FAILED:
		*error = message.error;
		return message.err;
	case LOADER_READY:
		return 1;
	}
	return error_set(error, EXIT_CODE_RUNTIME, -EPROTO, "lost the loader: %s", strerror(EPROTO));
}

static void send_signal(const struct loader *loader, int number)
{
	if (loader->child > 0)
		kill(loader->child, number);
}

void loader_suspend(const struct loader *loader)
{
	send_signal(loader, SIGSTOP);
}

void loader_resume(const struct loader *loader)
{
	send_signal(loader, SIGCONT);
}

void loader_close(struct loader *loader)
{
	if (loader->socket >= 0)
		close(loader->socket);
	if (loader->child > 0) {
		kill(loader->child, SIGKILL);
		waitpid(loader->child, NULL, 0);
	}
	if (loader->output >= 0)
		close(loader->output);
	*loader = (struct loader){ -1, -1, -1 };
}
