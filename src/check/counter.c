/* SPDX-License-Identifier: Apache-2.0 */
#include "check/counter.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "check/launcher.h"
#include "model/snapshot.h"
#include "output/recording.h"

static const char prefix[] = "tcptop: ";

/* Is the line about what is not counted? That is told path by path. */
static bool declares(const char *line)
{
	static const char words[] = "not counted";

	return memmem(line, strcspn(line, "\n"), words, strlen(words)) != NULL;
}

/* It ended: its exit code, and its last words on stderr without their prefix. */
static int describe_end(struct counter *counter, struct error *error)
{
	char notes[16384];
	const char *words = NULL, *at;
	int exit_code, status;

	launcher_end(counter->launcher, false);
	int err = launcher_ended(counter->launcher, &status, error);

	counter->runs = false;
	if (err)
		return err;
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

int counter_start(struct counter *counter, struct launcher *launcher, const char *method, struct error *error)
{
	struct snapshot first;
	int output_fd;

	memset(counter, 0, sizeof *counter);
	counter->launcher = launcher;
	int err = launcher_trace(launcher, method, &output_fd, &counter->notes_fd, error);

	if (err)
		return err;
	counter->runs = true;
	FILE *stream = fdopen(output_fd, "r");

	if (!stream) {
		err = error_set(error, EXIT_CODE_RUNTIME, -errno, "pipe: %s", strerror(errno));
		close(output_fd);
		return err;
	}
	snapshot_init(&first);
	err = recording_open_stream(&counter->recording, stream, "tcptop -o json", error)
	          ?: counter_next(counter, &first, error);
	snapshot_fini(&first);
	return err;
}

int counter_next(struct counter *counter, struct snapshot *snapshot, struct error *error)
{
	int got = recording_next(counter->recording, snapshot, error);

	return got > 0 ? 0 : got < 0 ? got : describe_end(counter, error);
}

static void show_notes(FILE *stream)
{
	char line[1024];

	rewind(stream);
	while (fgets(line, sizeof line, stream))
		if (!declares(line))
			fputs(line, stderr);
}

void counter_stop(struct counter *counter, bool loud)
{
	struct error unused;
	FILE *notes;
	int status;

	if (counter->runs)
		launcher_end(counter->launcher, true);
	recording_close(counter->recording); /* what it still writes has no reader: it ends so, too */
	if (counter->runs)
		launcher_ended(counter->launcher, &status, &unused);
	notes = counter->notes_fd > 0 ? fdopen(counter->notes_fd, "r") : NULL;
	if (notes && loud)
		show_notes(notes);
	if (notes)
		fclose(notes);
	memset(counter, 0, sizeof *counter);
}
