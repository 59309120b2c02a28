/* SPDX-License-Identifier: Apache-2.0 */
/* Passes over sockets, without a kernel: the iterator is this test's, and tells of what it is given. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "model/snapshot.h"
#include "trace/iterator.h"
#include "trace/sockets.h"

enum { WALK = 1, PASS, CAPACITY = 16, RUNS_MAX = 4 }; /* as enum socket_program */
enum { LISTENER_PID = 7, USER_PID = 9, LATE_PID = 11 };

static struct sockets sockets;
static struct socket_facts *facts;
static struct snapshot snapshot;
static unsigned told, walks, passes; /* sockets of a pass; what was asked for */
static unsigned looked_at;           /* by a run, */
static unsigned
    left_out[RUNS_MAX]; /* how many of a pass's sockets had not been told by the end of each run, */
static uint32_t begun_at[RUNS_MAX]; /* and at what number looked_at began */
static int failure;

int __wrap_iterator_run(int link_fd);

/* A walk finds who has the sockets open that nobody is known of. */
int __wrap_iterator_run(int link_fd)
{
	unsigned not_told = 0;

	if (failure)
		return failure;
	if (link_fd == sockets.link_fds[WALK]) {
		walks++;
		for (unsigned i = 0; i < told; i++)
			if (!facts[i].owner.pid)
				facts[i].owner.pid = LATE_PID;
	} else {
		begun_at[passes % RUNS_MAX] = sockets.pass->looked_at;
		sockets.pass->looked_at += looked_at;
		not_told = left_out[passes++ % RUNS_MAX];
	}
	sockets.pass->count = told - not_told;
	sockets.pass->time_ns = clock_now_ns();
	return 0;
}

static void *map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	return memory;
}

static int set_up(void **state)
{
	(void)state;
	facts = map(CAPACITY * sizeof *facts);
	sockets = (struct sockets){ .link_fds = { -1, open("/dev/null", O_RDONLY | O_CLOEXEC), -1 },
		.pass = map(sizeof *sockets.pass),
		.facts = facts,
		.capacity = CAPACITY };
	sockets.link_fds[PASS] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	told = walks = passes = looked_at = 0;
	memset(left_out, 0, sizeof left_out);
	failure = 0;
	snapshot_init(&snapshot);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sockets_fini(&sockets);
	snapshot_fini(&snapshot);
	return 0;
}

static struct socket_facts *add(uint16_t port, uint32_t pid)
{
	struct socket_facts *added = &facts[told];

	*added = (struct socket_facts){ .key = { .lport = port, .family = 4, .netns = 1 },
		.state = SOCKET_ESTABLISHED,
		.passes_owner = 1,
		.passes_socket = 1,
		.owner = { .pid = pid, .uid = 1000 },
		.cookie = ++told };
	memcpy(added->owner.comm, "owner", 5);
	return added;
}

static struct session *move(const struct socket_facts *socket, uint32_t pid, uint64_t rx_bytes)
{
	struct session *session = snapshot_add(&snapshot);

	assert_non_null(session);
	session_take_socket_key(session, &socket->key);
	session->pid = pid;
	session->rx_bytes = rx_bytes;
	memcpy(session->comm, "mover", 6);
	return session;
}

/* The next interval, with or without bytes, whose pass is due. */
static void tell(void)
{
	sockets.rested_ns = 0;
	assert_int_equal(sockets_tell(&sockets, &snapshot), 0);
}

static const struct session *session_of(uint16_t port, uint32_t pid)
{
	for (size_t i = 0; i < snapshot.session_count; i++)
		if (snapshot.sessions[i].lport == port && snapshot.sessions[i].pid == pid)
			return &snapshot.sessions[i];
	return NULL;
}

static void test_what_moved_and_what_did_not(void **state)
{
	const struct socket_facts *moved = add(1, LISTENER_PID);

	(void)state;
	add(2, LISTENER_PID);
	move(moved, LISTENER_PID, 100);
	tell();
	assert_int_equal(snapshot.session_count, 2); /* no second row of what has one */
	assert_int_equal(session_of(1, LISTENER_PID)->rx_bytes, 100);
	assert_int_equal(session_of(1, LISTENER_PID)->socket.state, SOCKET_ESTABLISHED);
	assert_int_equal(session_of(2, LISTENER_PID)->socket.state, SOCKET_ESTABLISHED);
	assert_int_equal(session_of(2, LISTENER_PID)->uid, 1000);
	assert_string_equal(session_of(2, LISTENER_PID)->comm, "owner");
	assert_true(snapshot.sockets.follows && snapshot.sockets.cpu_ns);
	assert_int_equal(snapshot.sockets.count, 2);
}

static void test_filters(void **state)
{
	(void)state;
	add(1, LISTENER_PID)->passes_owner = 0;
	add(2, LISTENER_PID)->passes_socket = 0;
	const struct socket_facts *used = add(3, LISTENER_PID);

	facts[2].passes_owner = 0; /* but who uses it passes */
	move(used, USER_PID, 5);
	tell();
	assert_int_equal(snapshot.session_count, 1);
	snapshot_reset(&snapshot);
	tell();
	assert_int_equal(snapshot.session_count, 1);
	assert_non_null(session_of(3, USER_PID));
}

/* A connection that a listener's process accepted and another one uses is that one's, also when it moves nothing. */
static void test_the_latest_user_keeps_it(void **state)
{
	const struct socket_facts *socket = add(1, LISTENER_PID);

	(void)state;
	move(socket, USER_PID, 5);
	tell();
	for (int i = 0; i < 3; i++) {
		snapshot_reset(&snapshot);
		tell();
		assert_int_equal(snapshot.session_count, 1);
		assert_string_equal(session_of(1, USER_PID)->comm, "mover");
	}
	snapshot_reset(&snapshot);
	move(socket, LISTENER_PID, 5);
	tell();
	snapshot_reset(&snapshot);
	tell();
	assert_non_null(session_of(1, LISTENER_PID));
	assert_int_equal(snapshot.session_count, 1);
}

static void test_two_processes_at_once(void **state)
{
	const struct socket_facts *socket = add(1, LISTENER_PID);

	(void)state;
	move(socket, USER_PID, 5);
	move(socket, LATE_PID, 6);
	tell();
	assert_int_equal(snapshot.session_count, 2);
	assert_int_equal(session_of(1, USER_PID)->socket.state, SOCKET_ESTABLISHED);
	assert_int_equal(session_of(1, LATE_PID)->socket.state, SOCKET_ESTABLISHED);
}

/* Open files are walked where nobody is known of a socket, not again and again, and then the pass is made again. */
static void test_owners_are_searched_for(void **state)
{
	(void)state;
	add(1, 0);
	tell();
	assert_int_equal(walks, 1);
	assert_int_equal(passes, 2);
	assert_non_null(session_of(1, LATE_PID));
	snapshot_reset(&snapshot);
	facts[0].owner.pid = 0;
	sockets.walked_ns = UINT64_MAX; /* the walk was dear */
	tell();
	assert_int_equal(walks, 1);
	snapshot_reset(&snapshot);
	sockets.walked_ns = 0;
	move(&facts[0], USER_PID, 1); /* who moves something is known */
	tell();
	assert_int_equal(walks, 1);
}

/* Where the kernel refuses an iterator of sockets, the walk is the pass. */
static void test_walks_are_passes_where_they_have_to_be(void **state)
{
	(void)state;
	close(sockets.link_fds[PASS]);
	sockets.link_fds[PASS] = -1;
	add(1, LISTENER_PID);
	tell();
	assert_int_equal(walks, 1);
	assert_int_equal(passes, 0);
	assert_int_equal(sockets.pass->walks_tell, 1);
	assert_non_null(session_of(1, LISTENER_PID));
}

/* More than one read takes: where others went in between, some are left out, and so the kernel is asked again. */
static void test_what_reads_leave_out_is_told(void **state)
{
	(void)state;
	for (uint16_t port = 1; port <= 4; port++)
		add(port, LISTENER_PID);
	looked_at = SOCKETS_AT_ONCE - 1;
	tell();
	assert_int_equal(passes, 1);
	passes = 0;
	snapshot_reset(&snapshot);
	looked_at = SOCKETS_AT_ONCE;
	left_out[0] = 3;
	left_out[1] = 1;
	tell();
	assert_int_equal(passes, 4); /* the third one tells of the last */
	assert_int_equal(snapshot.session_count, 4);
	for (int i = 0; i < RUNS_MAX; i++) /* reads end at other sockets each time */
		for (int k = 0; k < i; k++)
			assert_int_not_equal(begun_at[i] % SOCKETS_AT_ONCE, begun_at[k] % SOCKETS_AT_ONCE);
}

static void test_no_pass_before_it_is_due(void **state)
{
	(void)state;
	add(1, LISTENER_PID);
	tell();
	snapshot_reset(&snapshot);
	sockets.rested_ns = UINT64_MAX;
	assert_int_equal(sockets_tell(&sockets, &snapshot), 0);
	assert_int_equal(passes, 1);
	assert_int_equal(snapshot.session_count, 0);
	assert_true(snapshot.sockets.follows);
	assert_int_equal(snapshot.sockets.cpu_ns, 0);
}

/* A hundred times as long as it took, or as long as they are waited for, but three times as long at least. */
static void test_how_long_it_rests(void **state)
{
	(void)state;
	add(1, LISTENER_PID);
	uint64_t before_ns = clock_now_ns();

	tell();
	assert_true(sockets.rested_ns >= before_ns + 100 * snapshot.sockets.cpu_ns);
	snapshot_reset(&snapshot);
	sockets.within_ns = 1;
	tell();
	assert_true(sockets.rested_ns <= clock_now_ns() + 3 * snapshot.sockets.cpu_ns);
}

static void test_what_is_not_followed(void **state)
{
	(void)state;
	add(1, LISTENER_PID);
	failure = -EPERM;
	sockets.rested_ns = 0;
	assert_int_equal(sockets_tell(&sockets, &snapshot), -EPERM);
	failure = 0;
	sockets_stop(&sockets);
	tell();
	assert_false(snapshot.sockets.follows);
	assert_int_equal(snapshot.session_count, 0);
	assert_int_equal(passes + walks, 0);
}

#define SOCKETS_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SOCKETS_TEST(test_what_moved_and_what_did_not),
		SOCKETS_TEST(test_filters),
		SOCKETS_TEST(test_the_latest_user_keeps_it),
		SOCKETS_TEST(test_two_processes_at_once),
		SOCKETS_TEST(test_owners_are_searched_for),
		SOCKETS_TEST(test_walks_are_passes_where_they_have_to_be),
		SOCKETS_TEST(test_what_reads_leave_out_is_told),
		SOCKETS_TEST(test_no_pass_before_it_is_due),
		SOCKETS_TEST(test_how_long_it_rests),
		SOCKETS_TEST(test_what_is_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
