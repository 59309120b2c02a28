/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmocka_names.h"
#include "names/asker.h"

#define MS 1000000

enum { KIND_NAMED, KIND_NONE, KIND_NEVER, KIND_WRONG, KIND_EMPTY, KIND_OPEN_FILES };

static void pause_ms(unsigned ms)
{
	const struct timespec pause = { ms / 1000, ms % 1000 * MS };

	nanosleep(&pause, NULL);
}

static unsigned open_descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* Called in the other process. The first byte is the kind, the second a number. */
static enum resolver_answer ask_host(const uint8_t key[RESOLVER_KEY_SIZE], char name[RESOLVER_NAME_SIZE])
{
	if (key[0] == KIND_NEVER)
		pause_ms(600000);
	if (key[0] == KIND_NONE)
		return ANSWER_NONE;
	if (key[0] == KIND_WRONG)
		return (enum resolver_answer)77;
	if (key[0] == KIND_EMPTY)
		name[0] = '\0';
	else if (key[0] == KIND_OPEN_FILES)
		snprintf(name, RESOLVER_NAME_SIZE, "%u", open_descriptors());
	else
		snprintf(name, RESOLVER_NAME_SIZE, "host %u", key[1]);
	return ANSWER_NAME;
}

static enum resolver_answer ask_user(const uint8_t key[RESOLVER_KEY_SIZE], char name[RESOLVER_NAME_SIZE])
{
	snprintf(name, RESOLVER_NAME_SIZE, "user %u of %d", key[1], (int)getpid());
	return ANSWER_NAME;
}

static const struct asker_services services = { .ask = { ask_host, ask_user } };

static enum resolver_answer ask_host_apart(
    void *asker, const uint8_t key[RESOLVER_KEY_SIZE], char name[RESOLVER_NAME_SIZE])
{
	return asker_ask(asker, ASKER_HOSTS, key, name);
}

static enum resolver_answer ask_user_apart(
    void *asker, const uint8_t key[RESOLVER_KEY_SIZE], char name[RESOLVER_NAME_SIZE])
{
	return asker_ask(asker, ASKER_USERS, key, name);
}

static void drop_share(void *asker)
{
	asker_drop(asker);
}

static void ask_through(struct resolver *resolver, struct asker *asker,
    enum resolver_answer (*ask)(
        void *asker, const uint8_t key[RESOLVER_KEY_SIZE], char name[RESOLVER_NAME_SIZE]))
{
	resolver_ask_through(resolver, &(struct resolver_other){ ask, drop_share, asker_share(asker) });
}

static const uint8_t *key_of(uint8_t kind, uint8_t number)
{
	static uint8_t key[RESOLVER_KEY_SIZE];

	key[0] = kind;
	key[1] = number;
	return key;
}

static int begin(void **state)
{
	*state = asker_start(&services);
	return *state ? 0 : -1;
}

static int end(void **state)
{
	asker_end(*state);
	asker_drop(*state);
	for (int i = 0; i < 500 && waitpid(-1, NULL, WNOHANG) >= 0; i++)
		pause_ms(10); /* a sanitizer's process is slow to end */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD); /* nothing is left */
	return 0;
}

/* As a user's name tells it. */
static pid_t process_of(struct asker *asker)
{
	char name[RESOLVER_NAME_SIZE];
	int pid = 0;

	assert_int_equal(asker_ask(asker, ASKER_USERS, key_of(0, 1), name), ANSWER_NAME);
	assert_int_equal(sscanf(name, "user 1 of %d", &pid), 1);
	assert_int_not_equal(pid, getpid());
	return pid;
}

static void another_process_asks(void **state)
{
	char name[RESOLVER_NAME_SIZE];

	process_of(*state);
	for (unsigned i = 0; i < 200; i++) {
		char expected[32];

		snprintf(expected, sizeof expected, "host %u", i);
		assert_int_equal(
		    asker_ask(*state, ASKER_HOSTS, key_of(KIND_NAMED, (uint8_t)i), name), ANSWER_NAME);
		assert_string_equal(name, expected);
	}
	assert_int_equal(asker_ask(*state, ASKER_HOSTS, key_of(KIND_NONE, 0), name), ANSWER_NONE);
	assert_false(asker_has_ended(*state));
}

/* What it says is a stranger's. */
static void wrong_answers_are_none(void **state)
{
	char name[RESOLVER_NAME_SIZE] = "as it was";

	assert_int_equal(asker_ask(*state, ASKER_HOSTS, key_of(KIND_WRONG, 0), name), ANSWER_LATER);
	assert_int_equal(asker_ask(*state, ASKER_HOSTS, key_of(KIND_EMPTY, 0), name), ANSWER_LATER);
	assert_string_equal(name, "as it was");
	assert_int_equal(asker_ask(*state, ASKER_HOSTS, key_of(KIND_NAMED, 3), name), ANSWER_NAME);
}

/* One socket for each question at a time, and one whose end is the parent's: no file, no terminal, no table of the kernel's. */
static void holds_no_other_descriptor(void **state)
{
	int file = open("/dev/null", O_RDWR);
	struct asker *asker = asker_start(&services);
	char name[RESOLVER_NAME_SIZE];

	(void)state;
	assert_int_equal(asker_ask(asker, ASKER_HOSTS, key_of(KIND_OPEN_FILES, 0), name), ANSWER_NAME);
	assert_string_equal(name, "7");
	close(file);
	asker_end(asker);
	asker_drop(asker);
}

static void killed(void **state)
{
	char name[RESOLVER_NAME_SIZE];
	uint64_t start = clock_now_ns();

	kill(process_of(*state), SIGKILL);
	while (!asker_has_ended(*state) && clock_now_ns() - start < (uint64_t)5000 * MS)
		asker_ask(*state, ASKER_HOSTS, key_of(KIND_NAMED, 0), name);
	assert_true(asker_has_ended(*state));
	for (int i = 0; i < 1000; i++)
		assert_int_equal(asker_ask(*state, ASKER_HOSTS, key_of(KIND_NAMED, 0), name), ANSWER_LATER);
	assert_true(clock_now_ns() - start < (uint64_t)5000 * MS);
}

/* The resolver never waits, goes on with users while no server answers for hosts, and neither waits at the end. */
static void a_server_that_never_answers(void **state)
{
	struct asker *asker = *state;
	struct resolver *hosts = resolver_open(ask_host), *users = resolver_open(ask_user);
	uint64_t start = clock_now_ns();
	const char *name = NULL;

	ask_through(hosts, asker, ask_host_apart);
	ask_through(users, asker, ask_user_apart);
	for (uint8_t i = 0; i < 100; i++)
		assert_null(resolver_find(hosts, key_of(KIND_NEVER, i), true));
	while (!(name = resolver_find(users, key_of(0, 1), true)) &&
	       clock_now_ns() - start < (uint64_t)5000 * MS)
		pause_ms(5);
	assert_non_null(name);
	assert_true(resolver_pending(hosts));
	start = clock_now_ns();
	asker_end(asker);
	resolver_close(hosts);
	resolver_close(users);
	assert_true(clock_now_ns() - start < (uint64_t)2000 * MS);
	pause_ms(100); /* for the threads to end */
}

/* The same for a process that is stopped: what was asked is answered when it goes on. */
static void stopped(void **state)
{
	struct resolver *users = resolver_open(ask_user);
	uint64_t start = clock_now_ns();
	pid_t pid = process_of(*state);
	const char *name = NULL;

	ask_through(users, *state, ask_user_apart);
	kill(pid, SIGSTOP);
	assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid); /* until then it may answer */
	for (int i = 0; i < 50; i++) {
		assert_null(resolver_find(users, key_of(0, 9), true));
		pause_ms(5);
	}
	assert_false(asker_has_ended(*state));
	kill(pid, SIGCONT);
	while (!(name = resolver_find(users, key_of(0, 9), true)) &&
	       clock_now_ns() - start < (uint64_t)5000 * MS)
		pause_ms(5);
	assert_non_null(name);
	resolver_close(users);
	pause_ms(50);
}

/* Also while it is stopped, it does not outlive who started it. */
static void ends_with_its_parent(void **state)
{
	int fds[2], pid = 0;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid_t parent = fork();

	if (parent == 0) {
		struct asker *asker = asker_start(&services);

		pid = process_of(asker);
		kill(pid, SIGSTOP);
		assert_int_equal(write(fds[1], &pid, sizeof pid), sizeof pid);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	assert_int_equal(read(fds[0], &pid, sizeof pid), sizeof pid);
	for (int i = 0; i < 500 && kill(pid, 0) == 0; i++) {
		char path[64], text[256] = "";

		snprintf(path, sizeof path, "/proc/%d/stat", pid);
		FILE *file = fopen(path, "re"); /* where nobody reaps it, it is a zombie */

		if (file && fgets(text, sizeof text, file) && strstr(text, ") Z "))
			pid = -1;
		if (file)
			fclose(file);
		if (pid < 0)
			break;
		pause_ms(10);
	}
	assert_true(pid < 0 || kill(pid, 0) != 0);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(another_process_asks, begin, end),
		cmocka_unit_test_setup_teardown(wrong_answers_are_none, begin, end),
		cmocka_unit_test(holds_no_other_descriptor),
		cmocka_unit_test_setup_teardown(killed, begin, end),
		cmocka_unit_test(ends_with_its_parent),
		cmocka_unit_test_setup_teardown(a_server_that_never_answers, begin, end),
		cmocka_unit_test_setup_teardown(stopped, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
