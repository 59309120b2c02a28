/* SPDX-License-Identifier: Apache-2.0 */
/* The process that starts tcptop and the runs: it outlives nobody who asks it, and does nothing but what it is there for. */
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

#include "check/launcher.c"

#include <sys/resource.h>

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

static _Noreturn void asker_main(struct pipes *pipes)
{
	const struct launcher_run run = { .path = "blocking", .connected = tell_and_wait, .argument = pipes };
	struct launcher launcher;
	struct error error = { 0 };

	if (launcher_open(&launcher, &settings, &error) == 0) {
		launcher_confine(false);
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
		asker_main(&pipes);
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

/* ---- what it is asked ---- */

static void open_one(struct launcher *launcher)
{
	struct error error = { 0 };

	assert_int_equal(launcher_open(launcher, &settings, &error), 0);
}

static void check_ended(struct launcher *launcher)
{
	char byte;

	while (recv(launcher->socket, &byte, 1, 0) > 0)
		; /* an answer that nobody has waited for */
	close(launcher->socket);
	assert_true(all_end(2000));
}

static void test_what_ends_it(void **state)
{
	static const struct request unknown = { .kind = 77 }, go = { .kind = REQUEST_GO };
	struct request endless = { .kind = REQUEST_TRACE };
	struct launcher launcher;
	char large[sizeof(struct request) + 1] = { 0 };
	const struct {
		const void *bytes;
		size_t size;
	} wrong[] = {
		{ &unknown, sizeof unknown },
		{ &go, sizeof go }, /* nothing is held */
		{ &endless, sizeof endless },
		{ large, sizeof large },
		{ large, sizeof(struct request) - 1 },
	};

	(void)state;
	memset(endless.name, 'x', sizeof endless.name); /* no end of the name */
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		open_one(&launcher);
		assert_int_equal(send(launcher.socket, wrong[i].bytes, wrong[i].size, 0), wrong[i].size);
		check_ended(&launcher);
	}
}

/* For a run that is held: what is asked meanwhile ends both. */
static int ask_for_another(void *argument)
{
	static const struct request run = { .kind = REQUEST_RUN, .name = "blocking" };

	return ask(argument, &run) ? 0 : -EIO;
}

static void test_run_while_held(void **state)
{
	struct launcher launcher;
	struct error error = { 0 };
	const struct launcher_run run = {
		.path = "blocking", .connected = ask_for_another, .argument = &launcher
	};

	(void)state;
	open_one(&launcher);
	/* of the run that was held, there is an answer still, or none if GO came too late */
	assert_true(launcher_run(&launcher, &run, NULL, &error) < 0);
	check_ended(&launcher);
}

static void test_methods_alone(void **state)
{
	struct launcher launcher;
	struct error error = { 0 };
	int fds[2], status;

	(void)state;
	open_one(&launcher);
	assert_int_equal(launcher_trace(&launcher, "-V", &fds[0], &fds[1], &error), -EINVAL);
	assert_int_equal(error.exit_code, EXIT_CODE_USAGE);
	assert_string_equal(error.text, "wrong --probe '-V': it is one of auto|tracepoint|fentry|kprobe");
	launcher_end(&launcher, true);
	assert_int_equal(launcher_ended(&launcher, &status, &error), -ECHILD);
	launcher_close(&launcher);
	assert_true(all_end(2000));
}

/* ---- what it answers ---- */

/* The asker shall not write what tcptop is to have said. */
static void test_notes_are_read_only(void **state)
{
	struct launcher launcher;
	struct error error = { 0 };
	int fds[2];

	(void)state;
	open_one(&launcher);
	assert_int_equal(launcher_trace(&launcher, "fentry", &fds[0], &fds[1], &error), 0);
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(write(fds[1], "x", 1), -1);
	close(fds[0]);
	close(fds[1]);
	launcher_close(&launcher); /* which ends tcptop, too */
	assert_true(all_end(2000));
}

/* Where the asker may not have the one or the other, none stays, nor does tcptop. */
static void test_no_room_for_descriptors(void **state)
{
	struct launcher launcher;
	struct rlimit limit, low;
	struct error error = { 0 };
	int fds[2];

	(void)state;
	open_one(&launcher);
	int lowest = dup(launcher.socket);

	close(lowest);
	getrlimit(RLIMIT_NOFILE, &limit);
	low = limit;
	for (int room = 0; room < 2; room++) {
		low.rlim_cur = (rlim_t)lowest + (rlim_t)room;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
		int err = launcher_trace(&launcher, "fentry", &fds[0], &fds[1], &error);

		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		assert_int_equal(err, -EMFILE);
		assert_int_equal(dup(launcher.socket), lowest);
		close(lowest);
	}
	assert_int_equal(launcher_trace(&launcher, "fentry", &fds[0], &fds[1], &error), 0);
	close(fds[0]);
	close(fds[1]);
	launcher_close(&launcher);
	assert_true(all_end(2000));
}

/* Then tcptop is killed at once, and what waits for the answer sees the end of the socket. */
static void test_answer_that_cannot_be_sent(void **state)
{
	static struct server server;
	const int small = 1;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
	server = (struct server){ .settings = &settings, .socket = pair[1], .tcptop = fork() };
	if (server.tcptop == 0)
		for (;;)
			pause();
	reply(&server, ANSWER_DONE, 0, NULL);
	assert_true(server.over);
	assert_int_equal(serve(&server, false), -ECANCELED);
	int status = stop(&server, false);

	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	server.over = false;
	raise_buffer(pair[1]);
	reply(&server, ANSWER_DONE, 0, NULL);
	assert_false(server.over);
	close(pair[0]);
	close(pair[1]);
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
		cmocka_unit_test(test_what_ends_it),
		cmocka_unit_test(test_run_while_held),
		cmocka_unit_test(test_methods_alone),
		cmocka_unit_test(test_notes_are_read_only),
		cmocka_unit_test(test_no_room_for_descriptors),
		cmocka_unit_test(test_answer_that_cannot_be_sent),
	};

	return cmocka_run_group_tests(tests, prepare, remove_script);
}
