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
#include "base/passing.h"
#include "check/runner.h"
#include "kernel/method.h"

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
	bool over;    /* the asker broke the rules, or cannot be answered: what has been started is killed */
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

/* For the asker, to read alone, and where tcptop writes. */
enum { READ_OUTPUT, READ_NOTES, WRITE_OUTPUT, WRITE_NOTES, TRACE_FDS };

static int spawn(struct server *server, const char *method, int fds[TRACE_FDS], struct error *error)
{
	pid_t parent = getpid();
	char path[32];
	int pipe_fds[2];

	fds[WRITE_NOTES] = memfd_create("tcptop-stderr", MFD_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fds[WRITE_NOTES]);
	if (fds[WRITE_NOTES] >= 0)
		fds[READ_NOTES] = open(path, O_RDONLY | O_CLOEXEC);
	if (fds[READ_NOTES] < 0 || pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_set(error, EXIT_CODE_RUNTIME, -errno, "pipe: %s", strerror(errno));
	fds[READ_OUTPUT] = pipe_fds[0];
	fds[WRITE_OUTPUT] = pipe_fds[1];
	pid_t pid = fork();

	if (pid == 0)
		execute(server->settings, method, fds[WRITE_OUTPUT], fds[WRITE_NOTES], parent);
	if (pid < 0)
		return error_set(
		    error, EXIT_CODE_RUNTIME, -errno, "tcptop cannot be started: %s", strerror(errno));
	server->tcptop = pid;
	return 0;
}

/* With what the answer holds; descriptors: none if NULL. Whoever waits for one that cannot be sent is to see the socket's end. */
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
	server->over |= sendmsg(server->socket, &message, MSG_NOSIGNAL) != sizeof server->answer;
}

/* For the runner, too. No signal tells it: a confined asker's death may send none to root. */
static bool asker_gone(void *argument)
{
	struct server *server = argument;
	struct pollfd fd = { .fd = server->socket };

	return server->over || (poll(&fd, 1, 0) > 0 && fd.revents & (POLLHUP | POLLERR));
}

/* 0 or -EINVAL with *error: tcptop is told of no other word. */
static int check_method_name(const char *name, struct error *error)
{
	bool known = strcmp(name, "auto") == 0;
	size_t length;

	error_set(error, EXIT_CODE_USAGE, -EINVAL, "wrong --probe '%s': it is one of auto", name);
	for (size_t i = 0; i < method_count; i++) {
		known |= strcmp(name, methods[i]->name) == 0;
		length = strlen(error->text);
		snprintf(error->text + length, sizeof error->text - length, "|%s", methods[i]->name);
	}
	return known ? 0 : -EINVAL;
}

static void trace(struct server *server, const char *method)
{
	int fds[TRACE_FDS] = { -1, -1, -1, -1 };
	struct error *error = &server->answer.error;
	int err = server->tcptop ? error_set(error, EXIT_CODE_RUNTIME, -EBUSY, "tcptop runs already")
	                         : check_method_name(method, error);

	err = err ?: spawn(server, method, fds, error);
	reply(server, ANSWER_DONE, err, err ? NULL : fds);
	for (int i = 0; i < TRACE_FDS; i++)
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
	int err = server->tcptop
	              ? 0
	              : error_set(&server->answer.error, EXIT_CODE_RUNTIME, -ECHILD, "no tcptop runs");

	server->answer.status = stop(server, tell);
	reply(server, ANSWER_DONE, err, NULL);
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

/* false: the caller has gone, or sent what is no request. */
static bool next_request(struct server *server, struct request *request)
{
	ssize_t got;

	do
		got = recv(server->socket, request, sizeof *request, MSG_TRUNC);
	while (got < 0 && errno == EINTR);
	server->over = got != sizeof *request || !memchr(request->name, '\0', sizeof request->name);
	return !server->over;
}

/* Until the caller has gone; while a run is held, until it is let go: 0, or -ECANCELED. */
static int serve(struct server *server, bool held)
{
	struct request request;

	while (!server->over && next_request(server, &request)) {
		memset(&server->answer, 0, sizeof server->answer);
		if (held && (request.kind == REQUEST_GO || request.kind == REQUEST_ABORT))
			return request.kind == REQUEST_GO ? 0 : -ECANCELED;
		if (request.kind == REQUEST_RUN && !held)
			run(server, &request);
		else if (request.kind == REQUEST_TRACE)
			trace(server, request.name);
		else if (request.kind == REQUEST_END || request.kind == REQUEST_AWAIT)
			end(server, request.kind == REQUEST_END);
		else {
			server->over = held || request.kind != REQUEST_LEAVE;
			break;
		}
	}
	return -ECANCELED;
}

/* What the caller prints has readers who wait for its end; his terminal is none of ours. */
static bool leave_standard(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	return fd >= 0 && dup2(fd, STDIN_FILENO) >= 0 && dup2(fd, STDOUT_FILENO) >= 0 && close(fd) == 0;
}

/* An answer is sent as a whole or not at all, also where the host's default is small. */
static void raise_buffer(int socket)
{
	const int size = 4 * sizeof(struct answer);

	if (setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
		setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

static _Noreturn void launcher_main(int socket, const struct launcher_settings *settings)
{
	struct server *server = calloc(1, sizeof *server);

	prctl(PR_SET_NAME, "tcptop-launcher");
	raise_buffer(socket);
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

void launcher_confine(bool verbose)
{
	static const char program[] = "tcptop: check";

	runner_become(RUNNER_UID_UNUSED);
	prctl(PR_SET_DUMPABLE, 0);
	confine_tell(verbose, program, "landlock", confine_files());
	confine_tell(verbose, program, "seccomp", confine_calls(CONFINE_JUDGE));
}

/* false: nobody is there. */
static bool ask(struct launcher *launcher, const struct request *request)
{
	return send(launcher->socket, request, sizeof *request, MSG_NOSIGNAL) == sizeof *request;
}

/* fds: those that have come with it, the caller's whatever is returned; the others stay as they are. NULL: none can come. */
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
	if (fds && got >= 0)
		passing_take(&message, fds, DESCRIPTORS);
	return got == sizeof *answer;
}

static int fail_ended(struct error *error)
{
	return error_set(
	    error, EXIT_CODE_RUNTIME, LAUNCHER_ENDED, "the process that starts tcptop has ended");
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
	bool answered = ask(launcher, &request) && receive(launcher, &answer, fds);

	if (answered && !answer.err && fds[READ_NOTES] >= 0) {
		*output_fd = fds[READ_OUTPUT];
		*notes_fd = fds[READ_NOTES];
		return 0;
	}
	for (int i = 0; i < DESCRIPTORS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (!answered)
		return fail_ended(error);
	*error = answer.error;
	if (answer.err)
		return answer.err;
	/* it runs, and there is nothing to read it by */
	launcher_end(launcher, true);
	return launcher_ended(launcher, &answer.status, error)
	           ?: error_set(error, EXIT_CODE_RUNTIME, -EMFILE, "pipe: %s", strerror(EMFILE));
}

void launcher_end(struct launcher *launcher, bool tell)
{
	const struct request request = { .kind = tell ? REQUEST_END : REQUEST_AWAIT };

	ask(launcher, &request);
}

int launcher_ended(struct launcher *launcher, int *status, struct error *error)
{
	struct answer answer;

	if (!receive(launcher, &answer, NULL))
		return fail_ended(error);
	*status = answer.status;
	if (answer.err)
		*error = answer.error;
	return answer.err;
}
