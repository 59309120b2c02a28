/* SPDX-License-Identifier: Apache-2.0 */
/* A tcptop that does not end when it is told to, and what the process that starts it does not do. */
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "check/counter.h"
#include "check/launcher.h"
#include "model/snapshot.h"

static const char script[] =
    "#!/bin/sh\n"
    "trap '' INT PIPE\n"
    "echo $$ >&2\n"
    "echo '{\"type\":\"interval\",\"time\":\"2026-11-25T09:15:58.946Z\",\"interval_s\":0.05,\"sessions\":0,"
    "\"rx_bytes\":0,\"tx_bytes\":0,\"other_calls\":0,"
    "\"other_rx_bytes\":0,\"other_tx_bytes\":0,\"probe\":\"tracepoint\",\"not_counted\":[],\"missed_runs\":0}"
    "'\n"
    "exec sleep 600\n";

static char program[] = "/tmp/test_counter.XXXXXX";
static const struct launcher_settings settings = { .program = program };

static int open_launcher(void **state)
{
	static struct launcher launcher;
	struct error error = { 0 };

	*state = &launcher;
	return launcher_open(&launcher, &settings, &error);
}

static int close_launcher(void **state)
{
	launcher_close(*state);
	return waitpid(-1, NULL, 0) > 0 && waitpid(-1, NULL, 0) < 0 && errno == ECHILD ? 0 : -1;
}

/* Of the tcptop that is traced with, as the script tells it on stderr. */
static pid_t pid_of(const struct counter *counter)
{
	char text[32] = "";

	assert_true(pread(counter->notes_fd, text, sizeof text - 1, 0) > 0);
	return atoi(text);
}

static void test_stop_of_one_that_ignores_the_signal(void **state)
{
	struct counter counter;
	struct error error = { 0 };

	if (counter_start(&counter, *state, "tracepoint", &error))
		fail_msg("%s", error.text);
	pid_t pid = pid_of(&counter);

	assert_int_equal(kill(pid, 0), 0);
	counter_stop(&counter, false);
	assert_false(counter.runs);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

/* Whoever has taken over the asker gets no more than there is. */
static void test_what_it_refuses(void **state)
{
	const struct launcher_run nothing = { .path = "/bin/sh" };
	struct error error = { 0 };
	struct counter counter;
	int fds[2], status;

	assert_int_equal(launcher_run(*state, &nothing, NULL, &error), -ENOENT);
	launcher_end(*state, true); /* nothing runs */
	assert_int_equal(launcher_ended(*state, &status, &error), -ECHILD);
	assert_int_equal(counter_start(&counter, *state, "tracepoint", &error), 0);
	assert_int_equal(launcher_trace(*state, "tracepoint", &fds[0], &fds[1], &error), -EBUSY);
	kill(pid_of(&counter), SIGKILL);
	launcher_end(*state, false);
	assert_int_equal(launcher_ended(*state, &status, &error), 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	counter.runs = false;
	counter_stop(&counter, false);
}

/* By /proc/PID/status. */
static pid_t parent_of(const char *status)
{
	FILE *stream = fopen(status, "re");
	char line[128];
	int pid = 0;

	assert_non_null(stream);
	while (!pid && fgets(line, sizeof line, stream))
		sscanf(line, "PPid: %d", &pid);
	fclose(stream);
	assert_true(pid > 1);
	return pid;
}

/* What it has started dies with it, and who asks is told. */
static void test_killed(void **state)
{
	struct launcher launcher;
	struct error error = { 0 };
	struct counter counter;
	const struct launcher_run run = { .path = "blocking" };

	(void)state;
	assert_int_equal(launcher_open(&launcher, &settings, &error), 0);
	assert_int_equal(counter_start(&counter, &launcher, "tracepoint", &error), 0);
	pid_t tcptop = pid_of(&counter);
	char text[64];

	snprintf(text, sizeof text, "/proc/%d/status", (int)tcptop);
	kill(parent_of(text), SIGKILL);
	assert_int_equal(waitpid(-1, NULL, 0) > 0, 1);
	for (int i = 0; i < 1000 && kill(tcptop, 0) == 0; i++)
		usleep(5000);
	assert_int_equal(kill(tcptop, 0), -1);
	struct snapshot snapshot;

	/* that it cannot say how tcptop ended is no end of tcptop's */
	snapshot_init(&snapshot);
	assert_int_equal(counter_next(&counter, &snapshot, &error), LAUNCHER_ENDED);
	snapshot_fini(&snapshot);
	assert_non_null(strstr(error.text, "has ended"));
	assert_int_equal(launcher_run(&launcher, &run, NULL, &error), LAUNCHER_ENDED);
	assert_non_null(strstr(error.text, "has ended"));
	assert_int_equal(error.exit_code, EXIT_CODE_RUNTIME);
	counter_stop(&counter, false);
	launcher_close(&launcher);
}

static int write_script(void **state)
{
	FILE *stream = fdopen(mkstemp(program), "w");

	(void)state;
	if (!stream || fputs(script, stream) < 0 || fclose(stream) != 0)
		return -1;
	return chmod(program, 0700);
}

static int remove_script(void **state)
{
	(void)state;
	return unlink(program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_stop_of_one_that_ignores_the_signal, open_launcher, close_launcher),
		cmocka_unit_test_setup_teardown(test_what_it_refuses, open_launcher, close_launcher),
		cmocka_unit_test(test_killed),
	};

	return cmocka_run_group_tests(tests, write_script, remove_script);
}
