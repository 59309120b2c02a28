/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "fake_root.h"
#include "names/users.h"

#define MS 1000000

static atomic_uint asked;

static void pause_ms(unsigned ms)
{
	const struct timespec pause = { ms / 1000, ms % 1000 * MS };

	nanosleep(&pause, NULL);
}

/* NSS as this host might have it: a slow directory, an entry too long for the first buffer, one that comes later. */
int getpwuid_r(uid_t uid, struct passwd *entry, char *buffer, size_t size, struct passwd **found)
{
	unsigned times = ++asked;

	*found = NULL;
	if (uid == 2000)
		pause_ms(2000);
	if (uid == 3000)
		return ENOENT;
	if (uid == 4000 && times < 2)
		return EIO;
	if (uid == 5000 && size < 100000)
		return ERANGE;
	if (uid == 6000)
		return ERANGE;
	snprintf(buffer, size, "user%u", uid);
	*entry = (struct passwd){ .pw_name = buffer };
	*found = entry;
	return 0;
}

static const char *wait_for(struct users *users, uint32_t uid, unsigned ms)
{
	uint64_t end = clock_now_ns() + (uint64_t)ms * MS;
	const char *name;

	while (!(name = users_find(users, uid)) && clock_now_ns() < end) {
		pause_ms(5);
		users_changed(users);
	}
	return name;
}

static void names_come_from_nss(void **state)
{
	struct users *users = users_open("");

	(void)state;
	asked = 0;
	assert_null(users_find(users, 1000));
	assert_true(users_pending(users));
	assert_string_equal(wait_for(users, 1000, 2000), "user1000");
	assert_string_equal(wait_for(users, 5000, 2000), "user5000");
	assert_null(wait_for(users, 3000, 300));
	assert_null(wait_for(users, 6000, 300));
	asked = 0;
	assert_string_equal(wait_for(users, 4000, 3000), "user4000");
	assert_int_equal(asked, 2);
	users_close(users);
	users_close(NULL);
}

/* However slow it is and however many there are: a key is not held. */
static void nothing_waits(void **state)
{
	struct users *users = users_open("");
	uint64_t start = clock_now_ns();

	(void)state;
	assert_null(users_find(users, 2000));
	for (int round = 0; round < 10; round++) {
		for (uint32_t uid = 1000; uid < 2000; uid++)
			users_find(users, uid);
		users_changed(users);
	}
	assert_true(clock_now_ns() - start < (uint64_t)1000 * MS); /* one answer alone takes 2 s */
	assert_string_equal(wait_for(users, 2000, 10000), "user2000");
	users_close(users);
}

/* root: a file has told all users; "": NSS is asked. */
static void expect_bounded(const char *root_of_host)
{
	struct users *users = users_open(root_of_host);

	for (uint32_t uid = 1000000; uid < 1300000; uid++) {
		users_find(users, uid);
		if (uid % 1000 == 0)
			users_changed(users);
	}
	struct mallinfo2 info = mallinfo2(); /* large blocks are mapped, and counted apart */

	assert_true(info.uordblks + info.hblkhd < 8000000);
	users_close(users);
}

static void memory_is_bounded(void **state)
{
	(void)state;
	expect_bounded("");
	add_file("/etc/passwd", "www:x:33:33::/:/bin/sh\nalso:x:33:33::/:/bin/sh\nroot:x:0:0::/:/bin/sh\n");
	expect_bounded(root);
	struct users *users = users_open(root);

	assert_string_equal(users_find(users, 33), "www");
	assert_string_equal(users_find(users, 0), "root");
	assert_null(users_find(users, 34));
	users_close(users);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_come_from_nss),
		cmocka_unit_test(nothing_waits),
		cmocka_unit_test_setup_teardown(memory_is_bounded, make_root, remove_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
