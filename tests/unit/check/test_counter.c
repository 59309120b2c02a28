/* SPDX-License-Identifier: Apache-2.0 */
/* A tcptop that does not end when it is told to. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "check/counter.h"

static const char script[] =
    "#!/bin/sh\n"
    "trap '' INT PIPE\n"
    "echo '{\"type\":\"interval\",\"time\":\"2026-11-25T09:15:58.946Z\",\"interval_s\":0.05,\"sessions\":0,"
    "\"rx_bytes\":0,\"tx_bytes\":0,\"other_calls\":0,"
    "\"other_rx_bytes\":0,\"other_tx_bytes\":0,\"probe\":\"tracepoint\",\"not_counted\":[],\"missed_runs\":0}"
    "'\n"
    "exec sleep 600\n";

static void test_stop_of_one_that_ignores_the_signal(void **state)
{
	char program[] = "/tmp/test_counter.XXXXXX";
	FILE *stream = fdopen(mkstemp(program), "w");
	const struct counter_settings settings = { .program = program, .method = "tracepoint" };
	struct counter counter;
	struct error error = { 0 };
	pid_t pid;
	int err;

	(void)state;
	assert_non_null(stream);
	fputs(script, stream);
	fclose(stream);
	assert_int_equal(chmod(program, 0700), 0);
	err = counter_start(&counter, &settings, &error);
	unlink(program);
	if (err)
		fail_msg("%s", error.text);
	pid = counter.pid;
	counter_stop(&counter, false);
	assert_int_equal(counter.pid, 0);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_stop_of_one_that_ignores_the_signal) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
