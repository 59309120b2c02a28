/* SPDX-License-Identifier: Apache-2.0 */
#include "check/counter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "model/snapshot.h"
#include "output/recording.h"

enum { STOP_LIMIT_MS = 10000 };

static const char prefix[] = "tcptop: ";

/* Is the line about what is not counted? That is told path by path. */
static bool declares(const char *line)
{
	static const char words[] = "not counted";

	return memmem(line, strcspn(line, "\n"), words, strlen(words)) != NULL;
}

static _Noreturn void execute(
    const struct counter_settings *settings, int output_fd, int notes_fd, pid_t parent)
{
	const char *argv[] = { "tcptop", "-o", "json", "--probe", settings->method, "0.05", NULL, NULL, NULL,
		NULL };
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

static int spawn(struct counter *counter, const struct counter_settings *settings, struct error *error)
{
	pid_t parent = getpid();
	FILE *stream;
	int fds[2];

	counter->notes_fd = memfd_create("tcptop-stderr", MFD_CLOEXEC);
	if (counter->notes_fd < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return error_set(error, EXIT_CODE_RUNTIME, -errno, "pipe: %s", strerror(errno));
	counter->pid = fork();
	if (counter->pid == 0)
		execute(settings, fds[1], counter->notes_fd, parent);
	close(fds[1]);
	stream = fdopen(fds[0], "r");
	if (counter->pid < 0 || !stream)
		return error_set(
		    error, EXIT_CODE_RUNTIME, -EAGAIN, "tcptop cannot be started: %s", strerror(errno));
	return recording_open_stream(&counter->recording, stream, "tcptop -o json", error);
}

/* It ended: its exit code, and its last words on stderr without their prefix. */
static int describe_end(struct counter *counter, struct error *error)
{
	char notes[16384];
	const char *words = NULL, *at;
	int status = 0, exit_code;

	while (waitpid(counter->pid, &status, 0) < 0 && errno == EINTR)
		;
	counter->pid = 0;
	ssize_t length = pread(counter->notes_fd, notes, sizeof notes - 1, 0);

	notes[length > 0 ? length : 0] = '\0';
	for (at = notes; (at = strstr(at, prefix)); at++)
		if ((at == notes || at[-1] == '\n') && !declares(at))
			words = at + strlen(prefix);
	exit_code = WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : EXIT_CODE_RUNTIME;
	if (!words)
		return error_set(error, exit_code, -EIO, "tcptop ended early, %s %d",
		    WIFEXITED(status) ? "with status" : "by signal",
		    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	error_set(error, exit_code, -EIO, "%s", words);
	while (*error->text && error->text[strlen(error->text) - 1] == '\n')
		error->text[strlen(error->text) - 1] = '\0';
	return -EIO;
}

int counter_start(struct counter *counter, const struct counter_settings *settings, struct error *error)
{
	struct snapshot first;

	memset(counter, 0, sizeof *counter);
	snapshot_init(&first);
	int err = spawn(counter, settings, error) ?: counter_next(counter, &first, error);

	snapshot_fini(&first);
	return err;
}

int counter_next(struct counter *counter, struct snapshot *snapshot, struct error *error)
{
	int got = recording_next(counter->recording, snapshot, error);

	return got > 0 ? 0 : got < 0 ? got : describe_end(counter, error);
}

static void show_notes(const struct counter *counter)
{
	FILE *stream = fdopen(dup(counter->notes_fd), "r");
	char line[1024];

	if (!stream)
		return;
	rewind(stream);
	while (fgets(line, sizeof line, stream))
		if (!declares(line))
			fputs(line, stderr);
	fclose(stream);
}

void counter_stop(struct counter *counter, bool loud)
{
	int waited_ms = 0;

	if (counter->pid > 0)
		kill(counter->pid, SIGINT);
	recording_close(counter->recording); /* what it still writes has no reader: it ends so, too */
	while (counter->pid > 0 && waitpid(counter->pid, NULL, WNOHANG) == 0) {
		if (waited_ms++ == STOP_LIMIT_MS)
			kill(counter->pid, SIGKILL);
		usleep(1000);
	}
	if (loud && counter->notes_fd > 0)
		show_notes(counter);
	if (counter->notes_fd > 0)
		close(counter->notes_fd);
	memset(counter, 0, sizeof *counter);
}
