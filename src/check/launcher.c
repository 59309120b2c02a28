/* SPDX-License-Identifier: Apache-2.0 */
#include "check/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/error.h"
#include "check/runner.h"

enum { STOP_LIMIT_MS = 10000, DESCRIPTORS = 2 };

enum request_kind {
	REQUEST_RUN,   /* answered by EVENT_CONNECTED where it is held, and when it is done */
	REQUEST_GO,    /* what is held goes on */
	REQUEST_ABORT, /* or ends */
	REQUEST_TRACE,
	REQUEST_END,   /* tells tcptop to end; answered when it has */
	REQUEST_AWAIT, /* the same without telling it */
	REQUEST_LEAVE,
};

/* Of numbers alone, any of which can come. */
struct request {
	uint32_t kind;
	uint8_t trial, held;
	char name[64]; /* of the path or method */
};

struct answer {
	enum { ANSWER_DONE, ANSWER_CONNECTED } kind;
	int err;
	int status; /* of waitpid(2) */
	struct error error;
	struct path_result result;
};

/* The message and its descriptors, of either side. */
union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
};

/* ---- the launcher's process ---- */

struct server {
	const struct launcher_settings *settings;
	int socket;
	pid_t tcptop; /* 0: none */
	struct answer answer;
};

static _Noreturn void execute(
    const struct launcher_settings *settings, const char *method, int output_fd, int notes_fd, pid_t parent)
{
	const char *argv[] = { "tcptop", "-o", "json", "--probe", method, "0.05", NULL, NULL, NULL, NULL };
	int count = 6;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (settings->max_sessions) {
		argv[count++] = "--max-sessions";
		argv[count++] = settings->max_sessions;
	}
	if (settings->verbose)
		argv[count++] = "-v";
	if (getppid() == parent && dup2(output_fd, STDOUT_FILENO) >= 0 && dup2(notes_fd, STDERR_FILENO) >= 0)
		execv(settings->program, (char *const *)(uintptr_t)argv);
	dprintf(notes_fd, "tcptop: %s cannot be executed: %s\n", settings->program, strerror(errno));
	_exit(EXIT_CODE_UNSUPPORTED);
}

/* fds: what can be read of it, its stderr, and where it writes, which is closed here. */
static int spawn(struct server *server, const char *method, int fds[3], struct error *error)
{
	pid_t parent = getpid();
	int pipe_fds[2];

	fds[1] = memfd_create("tcptop-stderr", MFD_CLOEXEC);
	if (fds[1] < 0 || pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_set(error, EXIT_CODE_RUNTIME, -errno, "pipe: %s", strerror(errno));
	fds[0] = pipe_fds[0];
	fds[2] = pipe_fds[1];
	pid_t pid = fork();

	if (pid == 0)
		execute(server->settings, method, fds[2], fds[1], parent);
	if (pid < 0)
		return error_set(
		    error, EXIT_CODE_RUNTIME, -errno, "tcptop cannot be started: %s", strerror(errno));
	server->tcptop = pid;
	return 0;
}

/* With what the answer holds; descriptors: none if NULL. An asker who has gone is noticed by the next request. */
static void reply(struct server *server, int kind, int err, const int *fds)
{
	union control control = { .header = { .cmsg_level = SOL_SOCKET,
		                      .cmsg_type = SCM_RIGHTS,
		                      .cmsg_len = CMSG_LEN(DESCRIPTORS * sizeof *fds) } };
	struct iovec vector = { &server->answer, sizeof server->answer };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };

	server->answer.kind = kind;
	server->answer.err = err;
	if (fds) {
		message.msg_control = &control;
		message.msg_controllen = sizeof control;
		memcpy(CMSG_DATA(&control.header), fds, DESCRIPTORS * sizeof *fds);
	}
	sendmsg(server->socket, &message, MSG_NOSIGNAL);
}

/* For the runner, too. No signal tells it: a confined asker's death may send none to root. */
static bool asker_gone(void *argument)
{
	struct server *server = argument;
	struct pollfd fd = { .fd = server->socket };

	return poll(&fd, 1, 0) > 0 && fd.revents & (POLLHUP | POLLERR);
}

static void trace(struct server *server, const char *method)
{
	int fds[3] = { -1, -1, -1 };
	struct error *error = &server->answer.error;
	int err = server->tcptop ? error_set(error, EXIT_CODE_RUNTIME, -EBUSY, "tcptop runs already")
	                         : spawn(server, method, fds, error);

	reply(server, ANSWER_DONE, err, err ? NULL : fds);
	for (int i = 0; i < 3; i++)
		if (fds[i] >= 0)
			close(fds[i]); /* kept here, the reader would not notice its end */
}

/* Returns what waitpid(2) says of it; -1: there is none. */
static int stop(struct server *server, bool tell)
{
	int waited_ms = 0, status = -1;

	if (server->tcptop && tell)
		kill(server->tcptop, SIGINT);
	while (server->tcptop && waitpid(server->tcptop, &status, WNOHANG) == 0) {
		if (waited_ms++ == STOP_LIMIT_MS || asker_gone(server))
			kill(server->tcptop, SIGKILL);
		usleep(1000);
	}
	server->tcptop = 0;
	return status;
}

static void end(struct server *server, bool tell)
{
	server->answer.status = stop(server, tell);
	reply(server, ANSWER_DONE, 0, NULL);
}

static int serve(struct server *server, bool held);

/* For the runner, when the sockets exist: meanwhile the caller asks for what it wants. */
static int hold(void *argument, const struct shared *shared)
{
	struct server *server = argument;

	(void)shared;
	reply(server, ANSWER_CONNECTED, 0, NULL);
	return serve(server, true);
}

/* Nobody but the caller shall ask: not the processes that move bytes. */
static void run(struct server *server, const struct request *request)
{
	const struct runner_settings settings = {
		.unprivileged = !request->trial,
		.trial = request->trial,
		.connected = request->held ? hold : NULL,
		.gone = asker_gone,
		.argument = server,
		.private_fd = server->socket,
	};
	const struct path *path = path_find(request->name);
	struct error *error = &server->answer.error;
	int err = path ? runner_run(path, &settings, &server->answer.result, error)
	               : error_set(error, EXIT_CODE_RUNTIME, -ENOENT, "no path of that name");

	reply(server, ANSWER_DONE, err, NULL);
}

/* Until the caller has gone; while a run is held, until it is let go: 0, or -ECANCELED. */
static int serve(struct server *server, bool held)
{
	struct request request;
	ssize_t got;

	while ((got = recv(server->socket, &request, sizeof request, 0)) == sizeof request ||
	       (got < 0 && errno == EINTR)) {
		if (got < 0)
			continue;
		memset(&server->answer, 0, sizeof server->answer);
		request.name[sizeof request.name - 1] = '\0';
		if (held && (request.kind == REQUEST_GO || request.kind == REQUEST_ABORT))
			return request.kind == REQUEST_GO ? 0 : -ECANCELED;
		if (request.kind == REQUEST_RUN && !held)
			run(server, &request);
		else if (request.kind == REQUEST_TRACE)
			trace(server, request.name);
		else if (request.kind == REQUEST_END || request.kind == REQUEST_AWAIT)
			end(server, request.kind == REQUEST_END);
		else
			break;
	}
	return -ECANCELED;
}

/* What the caller prints has readers who wait for its end; his terminal is none of ours. */
static bool leave_standard(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	return fd >= 0 && dup2(fd, STDIN_FILENO) >= 0 && dup2(fd, STDOUT_FILENO) >= 0 && close(fd) == 0;
}

static _Noreturn void launcher_main(int socket, const struct launcher_settings *settings)
{
	struct server *server = calloc(1, sizeof *server);

	prctl(PR_SET_NAME, "tcptop-launcher");
	if (!server || !leave_standard())
		_exit(EXIT_FAILURE);
	*server = (struct server){ .settings = settings, .socket = socket };
	serve(server, false);
	stop(server, true);
	_exit(EXIT_SUCCESS);
}

/* ---- the caller's ---- */

int launcher_open(struct launcher *launcher, const struct launcher_settings *settings, struct error *error)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return error_set(error, EXIT_CODE_RUNTIME, -errno, "socketpair: %s", strerror(errno));
	pid_t pid = fork();

	if (pid == 0) {
		close(pair[0]);
		launcher_main(pair[1], settings);
	}
	int err = pid < 0 ? error_set(error, EXIT_CODE_RUNTIME, -errno, "fork: %s", strerror(errno)) : 0;

	close(pair[1]);
	launcher->socket = pair[0];
	if (err)
		close(pair[0]);
	return err;
}

void launcher_confine(void)
{
	runner_become(RUNNER_UID_UNUSED);
	prctl(PR_SET_DUMPABLE, 0);
	confine_files();
	confine_calls(CONFINE_JUDGE);
}

/* false: nobody is there. */
static bool ask(struct launcher *launcher, const struct request *request)
{
	return send(launcher->socket, request, sizeof *request, MSG_NOSIGNAL) == sizeof *request;
}

/* fds: the descriptors that have come with it, -1 for none; may be NULL when none can. */
static bool receive(struct launcher *launcher, struct answer *answer, int *fds)
{
	union control control;
	struct iovec vector = { answer, sizeof *answer };
	struct msghdr message = { .msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = fds ? sizeof control : 0 };
	ssize_t got;

	do
		got = recvmsg(launcher->socket, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	const struct cmsghdr *header = fds ? CMSG_FIRSTHDR(&message) : NULL;

	if (got == sizeof *answer && header && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(DESCRIPTORS * sizeof *fds))
		memcpy(fds, CMSG_DATA(header), DESCRIPTORS * sizeof *fds);
	return got == sizeof *answer;
}

static int fail_ended(struct error *error)
{
	return error_set(error, EXIT_CODE_RUNTIME, -EPIPE, "the process that starts tcptop has ended");
}

void launcher_close(struct launcher *launcher)
{
	static const struct request leave = { .kind = REQUEST_LEAVE };
	char byte;

	/* It closes its end when it ends: to wait for the process takes one more system call. */
	if (ask(launcher, &leave))
		while (recv(launcher->socket, &byte, sizeof byte, 0) < 0 && errno == EINTR)
			;
	close(launcher->socket);
}

int launcher_run(struct launcher *launcher, const struct launcher_run *run, struct path_result *result,
    struct error *error)
{
	struct request request = { .kind = REQUEST_RUN, .trial = run->trial, .held = run->connected != NULL };
	struct answer answer;
	int aborted = 0;

	snprintf(request.name, sizeof request.name, "%s", run->path);
	if (!ask(launcher, &request) || !receive(launcher, &answer, NULL))
		return fail_ended(error);
	if (answer.kind == ANSWER_CONNECTED) {
		aborted = run->connected(run->argument);
		request.kind = aborted ? REQUEST_ABORT : REQUEST_GO;
		if (!ask(launcher, &request) || !receive(launcher, &answer, NULL))
			return fail_ended(error);
	}
	if (aborted)
		return aborted;
	if (answer.err)
		*error = answer.error;
	else if (result)
		*result = answer.result;
	return answer.err;
}

int launcher_trace(
    struct launcher *launcher, const char *method, int *output_fd, int *notes_fd, struct error *error)
{
	struct request request = { .kind = REQUEST_TRACE };
	struct answer answer;
	int fds[DESCRIPTORS] = { -1, -1 };

	snprintf(request.name, sizeof request.name, "%s", method);
	if (!ask(launcher, &request) || !receive(launcher, &answer, fds))
		return fail_ended(error);
	if (answer.err) {
		*error = answer.error;
		return answer.err;
	}
	*output_fd = fds[0];
	*notes_fd = fds[1];
	return fds[0] < 0 ? error_set(error, EXIT_CODE_RUNTIME, -EMFILE, "pipe: %s", strerror(EMFILE)) : 0;
}

void launcher_end(struct launcher *launcher, bool tell)
{
	const struct request request = { .kind = tell ? REQUEST_END : REQUEST_AWAIT };

	ask(launcher, &request);
}

int launcher_ended(struct launcher *launcher)
{
	struct answer answer;

	return receive(launcher, &answer, NULL) ? answer.status : -1;
}
