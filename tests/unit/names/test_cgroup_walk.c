/* SPDX-License-Identifier: Apache-2.0 */
/* The walk through a tree of ordinary directories, which have inodes as cgroups have. */
#include "fake_root.h"

#include <fcntl.h>
#include <limits.h>

#include "names/cgroup_walk.h"

enum { DIRECTORIES = 500 };

struct walked {
	unsigned count;
	uint64_t ids;
	char deepest[PATH_MAX];
};

static void take(void *to, uint64_t cgroup_id, const char *path)
{
	struct walked *walked = to;

	assert_int_equal(path[0], '/');
	walked->count++;
	walked->ids += cgroup_id;
	if (strlen(path) > strlen(walked->deepest))
		snprintf(walked->deepest, sizeof walked->deepest, "%s", path);
}

/* Nested to the kernel's limits of a path, and wide; files and links are no cgroups. Returns the sum of the inodes. */
static uint64_t make_tree(void)
{
	char path[64];
	struct stat status;
	uint64_t ids = 0;

	for (int i = 0; i < DIRECTORIES; i++) {
		snprintf(path, sizeof path, "/tree/%d/%d/cgroup.procs", i % 10, i);
		add_file(path, "");
		snprintf(path, sizeof path, "/tree/%d/%d", i % 10, i);
		assert_int_equal(stat(below_root(path), &status), 0);
		ids += status.st_ino;
	}
	for (int i = 0; i < 10; i++) {
		snprintf(path, sizeof path, "/tree/%d", i);
		assert_int_equal(stat(below_root(path), &status), 0);
		ids += status.st_ino;
	}
	assert_int_equal(stat(below_root("/tree"), &status), 0);
	add_link("/tree/0/loop", "..");
	return ids + status.st_ino;
}

static void the_whole_tree_is_found(void **state)
{
	struct cgroup_walk walk;
	struct walked walked = { 0 };
	uint64_t ids = make_tree();

	(void)state;
	cgroup_walk_open(&walk, below_root("/tree"));
	assert_true(walk.is_wanted);
	assert_true(cgroup_walk_go(&walk, UINT64_MAX, false, take, &walked));
	assert_int_equal(walked.count, DIRECTORIES + 11);
	assert_int_equal(walked.ids, ids);
	assert_int_equal(walk.number, 1);
	/* Nobody wants another one, then not yet, then at once. */
	assert_false(cgroup_walk_go(&walk, UINT64_MAX, true, take, &walked));
	walk.is_wanted = true;
	assert_false(cgroup_walk_go(&walk, UINT64_MAX, false, take, &walked));
	assert_int_equal(walked.count, DIRECTORIES + 11);
	assert_true(cgroup_walk_go(&walk, UINT64_MAX, true, take, &walked));
	assert_int_equal(walked.count, 2 * (DIRECTORIES + 11));
	assert_int_equal(walk.number, 2);
	cgroup_walk_close(&walk);
}

/* No key waits: it goes on where it was, one directory at a time at the least. */
static void slices_make_a_whole(void **state)
{
	struct cgroup_walk walk;
	struct walked walked = { 0 };
	unsigned slices = 1;

	(void)state;
	make_tree();
	cgroup_walk_open(&walk, below_root("/tree"));
	for (; !cgroup_walk_go(&walk, 1, false, take, &walked); slices++) {
		assert_true(cgroup_walk_is_on(&walk));
		assert_true(slices < 2 * DIRECTORIES);
	}
	assert_true(slices > 10);
	assert_int_equal(walked.count, DIRECTORIES + 11);
	assert_false(cgroup_walk_is_on(&walk));
	cgroup_walk_close(&walk);
}

static void deep_ones_have_long_paths(void **state)
{
	struct cgroup_walk walk;
	struct walked walked = { 0 };
	char name[201];
	int directory;

	(void)state;
	memset(name, 'd', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	below_root("/deep/x");
	directory = open(below_root("/deep"), O_PATH | O_DIRECTORY);
	for (int i = 0; i < 15; i++) {
		assert_int_equal(mkdirat(directory, name, 0755), 0);
		int next = openat(directory, name, O_PATH | O_DIRECTORY);

		assert_true(next >= 0);
		close(directory);
		directory = next;
	}
	close(directory);
	cgroup_walk_open(&walk, below_root("/deep"));
	assert_true(cgroup_walk_go(&walk, UINT64_MAX, false, take, &walked));
	assert_int_equal(walked.count, 16);
	assert_int_equal(strlen(walked.deepest), 15 * sizeof name);
	cgroup_walk_close(&walk);
}

/* One that is not there, or goes while it is walked. */
static void what_is_gone_is_left_out(void **state)
{
	struct cgroup_walk walk;
	struct walked walked = { 0 };

	(void)state;
	cgroup_walk_open(&walk, "/nowhere");
	assert_false(walk.is_wanted);
	walk.is_wanted = true;
	assert_false(cgroup_walk_go(&walk, UINT64_MAX, true, take, &walked));
	cgroup_walk_close(&walk);
	add_file("/going/one/procs", "");
	cgroup_walk_open(&walk, below_root("/going"));
	cgroup_walk_go(&walk, 0, true, take, &walked);
	cgroup_walk_go(&walk, 1, true, take, &walked);
	assert_int_equal(unlink(below_root("/going/one/procs")), 0);
	assert_int_equal(rmdir(below_root("/going/one")), 0);
	cgroup_walk_go(&walk, UINT64_MAX, true, take, &walked);
	assert_int_equal(walked.count, 1);
	assert_false(cgroup_walk_is_on(&walk));
	cgroup_walk_close(&walk);
	cgroup_walk_close(&walk);
}

#define test_with_root(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test_with_root(the_whole_tree_is_found),
		test_with_root(slices_make_a_whole),
		test_with_root(deep_ones_have_long_paths),
		test_with_root(what_is_gone_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
