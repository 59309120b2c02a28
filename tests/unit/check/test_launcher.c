/* SPDX-License-Identifier: Apache-2.0 */
/* The process that starts tcptop and the runs: it outlives nobody who asks it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "check/launcher.h"

static const char script[] = "#!/bin/sh\n"
                             "echo $$ >&2\n"
                             "exec sleep 600\n";

static char program[] = "/tmp/test_launcher.XXXXXX";
static const struct launcher_settings settings = { .program = program };

/* The only one. */
static pid_t child_of(pid_t parent)
{
	char path[64];
	int pid = 0;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
	FILE *stream = fopen(path, "re");

	assert_non_null(stream);
	assert_int_equal(fscanf(stream, "%d", &pid), 1);
	fclose(stream);
	return pid;
}

/* Reaps all children and orphans; false: there are some after so long. */
static bool all_end(int limit_ms)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0 && limit_ms > 0)
		if (pid == 0) {
			limit_ms--;
			usleep(1000);
		}
	return pid < 0 && errno == ECHILD;
}

/* ---- the asker dies ---- */

struct pipes {
	int told[2], go[2];
};

/* In the asker: the sockets exist. */
static int tell_and_wait(void *argument)
{
	const struct pipes *pipes = argument;
	char byte = 0;

	return write(pipes->told[1], &byte, 1) == 1 && read(pipes->go[0], &byte, 1) == 1 ? 0 : -EIO;
}

static _Noreturn void ask(struct pipes *pipes)
{
	const struct launcher_run run = { .path = "blocking", .connected = tell_and_wait, .argument = pipes };
	struct launcher launcher;
	struct error error = { 0 };

	if (launcher_open(&launcher, &settings, &error) == 0) {
		launcher_confine();
		launcher_run(&launcher, &run, NULL, &error);
	}
	_exit(EXIT_FAILURE);
}

/* A run that never ends, while it is held, or while the launcher waits for its end. */
static void check_death(bool held)
{
	struct pipes pipes;
	char byte = 0;

	assert_int_equal(pipe(pipes.told), 0);
	assert_int_equal(pipe(pipes.go), 0);
	pid_t asker = fork();

	if (asker == 0)
		ask(&pipes);
	close(pipes.told[1]);
	assert_int_equal(read(pipes.told[0], &byte, 1), 1);
	pid_t runner = child_of(child_of(asker));

	assert_int_equal(kill(runner, SIGSTOP), 0);
	if (!held) {
		assert_int_equal(write(pipes.go[1], &byte, 1), 1);
		usleep(50000);
	}
	assert_int_equal(kill(asker, SIGKILL), 0);
	assert_true(all_end(2000));
	close(pipes.told[0]);
	close(pipes.go[0]);
	close(pipes.go[1]);
}

static void test_death_of_the_asker(void **state)
{
	(void)state;
	check_death(true);
	check_death(false);
}

/* ---- */

static int prepare(void **state)
{
	FILE *stream = fdopen(mkstemp(program), "w");

	(void)state;
	if (!stream || fputs(script, stream) < 0 || fclose(stream) != 0)
		return -1;
	return chmod(program, 0700) ?: prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static int remove_script(void **state)
{
	(void)state;
	return unlink(program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_death_of_the_asker),
	};

	return cmocka_run_group_tests(tests, prepare, remove_script);
}
