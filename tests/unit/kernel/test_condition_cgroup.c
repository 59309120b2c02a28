/* SPDX-License-Identifier: Apache-2.0 */
/* What --cgroup, --unit, --container and --pod find, in cgroups that are made for it: needs root, and a v2 hierarchy that can be written. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hierarchy.h"
#include "kernel/condition_kinds.h"
#include "names/containers.h"

#define DIGITS "5a1b2c3d5a1b2c3d5a1b2c3d5a1b2c3d5a1b2c3d5a1b2c3d5a1b2c3d5a1b2c"
#define ID DIGITS "01"
#define TWIN DIGITS "02" /* begins as the other */
#define NAMED "7f00000000000000000000000000000000000000000000000000000000000003"
#define UID "5f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
#define UID_ "5f1e2d3c_4b5a_6978_8796_a5b4c3d2e1f0"

static struct hierarchy hierarchy;
static char base[300]; /* the cgroup that all others are in */

/* Directories in it, each after the one that it is in. */
static const struct made {
	const char *path;
	bool is_users;
} made[] = {
	{ "a", false },
	{ "a/tt_once.service", false },
	{ "a/tt_once.service/tt_once.service", false },
	{ "a/tt_twice.scope", false },
	{ "b", false },
	{ "b/tt_twice.scope", false },
	{ "b/tt\\x2ddash.service", false },
	{ "b/tt_dots8.2.service", false },
	{ "user", true },
	{ "user/tt_users.service", false },
	{ "user/tt_once.service", false },
	{ "quote's", true },
	{ "quote's/tt_quote.service", false },
	{ "docker-" ID ".scope", false },
	{ "docker-" ID ".scope/init", false },
	{ "crio-" TWIN ".scope", false },
	{ "docker-" NAMED ".scope", false },
	{ "lxc.payload.ttweb", false },
	{ "kubepods-pod" UID_ ".slice", false },
	{ "kubepods-pod" UID_ ".slice/cri-containerd-" NAMED ".scope", false },
	{ "kubepods", false },
	{ "kubepods/pod" UID, false },
	{ "kubepods/pod" UID "0", false },
};

enum { MADE = sizeof made / sizeof *made };

static const char *path_of(const char *in)
{
	static char path[600];

	snprintf(path, sizeof path, "%s/%s", base, in);
	return path;
}

static int make_all(void **state)
{
	(void)state;
	hierarchy_find(&hierarchy, "");
	snprintf(base, sizeof base, "%s/tcptop-unit-%d", hierarchy.path, (int)getpid());
	if (!hierarchy.path[0] || hierarchy.level < 0 || mkdir(base, 0755) != 0) {
		base[0] = '\0';
		return 0;
	}
	for (size_t i = 0; i < MADE; i++)
		if (mkdir(path_of(made[i].path), 0755) != 0 ||
		    (made[i].is_users && chown(path_of(made[i].path), 1234, 1234) != 0))
			return -1;
	return 0;
}

static int remove_all(void **state)
{
	(void)state;
	for (size_t i = MADE; base[0] && i-- > 0;)
		if (rmdir(path_of(made[i].path)) != 0)
			return -1;
	return base[0] ? rmdir(base) : 0;
}

static void need_cgroups(void)
{
	if (!base[0])
		skip();
}

static int add(struct conditions *conditions, const char *option, const char *value, struct error *error)
{
	memset(error, 0, sizeof *error);
	return conditions_add(conditions, condition_kind_find(option), value, error);
}

/* What the value finds is these directories, in any order, and no others. NULL ends. */
static void expect_among(
    struct containers *containers, const char *option, const char *value, const char *const *paths)
{
	struct conditions conditions = { .containers = containers };
	struct error error;
	size_t count = 0;

	if (add(&conditions, option, value, &error) != 0)
		fail_msg("--%s '%s': %s", option, value, error.text);
	for (; paths[count]; count++) {
		const char *whole = path_of(paths[count]);
		struct stat status;
		size_t at = 0;

		assert_int_equal(stat(whole, &status), 0);
		while (at < conditions.count && conditions.items[at].cgroup.id != status.st_ino)
			at++;
		if (at == conditions.count)
			fail_msg("--%s '%s': not %s", option, value, whole);
		assert_string_equal(conditions.items[at].cgroup.path, whole + strlen(hierarchy.path));
		assert_int_equal(conditions.items[at].cgroup.level,
		    hierarchy.level + hierarchy_depth(whole + strlen(hierarchy.path)));
		assert_int_equal(conditions.items[at].excludes, value[0] == '!');
	}
	assert_int_equal(conditions.count, count);
	conditions_fini(&conditions);
}

#define EXPECT(option, value, ...) \
	expect_among(NULL, option, value, (const char *const[]){ __VA_ARGS__, NULL })

static void refused(const char *option, const char *value, int exit_code, const char *words)
{
	struct conditions conditions = { 0 };
	struct error error;
	int err = add(&conditions, option, value, &error);

	if (!err || error.exit_code != exit_code || !strstr(error.text, words))
		fail_msg("--%s '%s': %d, exit %d, not \"%s\": %s", option, value, err, error.exit_code, words,
		    error.text);
	conditions_fini(&conditions);
}

static void cgroups_by_their_path(void **state)
{
	char value[700];

	(void)state;
	need_cgroups();
	EXPECT("cgroup", path_of("a"), "a");
	snprintf(value, sizeof value, "!%s", path_of("a/"));
	EXPECT("cgroup", value, "a");
	/* as /proc/PID/cgroup has it, and with detours */
	EXPECT("cgroup", path_of("b/tt\\x2ddash.service") + strlen(hierarchy.path), "b/tt\\x2ddash.service");
	EXPECT("cgroup", path_of("b/../a//tt_twice.scope") + strlen(hierarchy.path), "a/tt_twice.scope");
	refused("cgroup", "", EXIT_CODE_USAGE, "a path is needed");
	refused("cgroup", path_of("nothing"), EXIT_CODE_USAGE, "there is no such cgroup in");
	refused("cgroup", path_of("a/cgroup.procs/x"), EXIT_CODE_USAGE, "there is no such cgroup in");
	refused("cgroup", "/../../../../etc", EXIT_CODE_USAGE, "there is no such cgroup in");
	snprintf(value, sizeof value, "%sx", hierarchy.path);
	refused("cgroup", value, EXIT_CODE_USAGE, "there is no such cgroup in");
}

static void units(void **state)
{
	(void)state;
	need_cgroups();
	/* what is below one is in it; what a user calls so is not taken */
	EXPECT("unit", "tt_once", "a/tt_once.service");
	EXPECT("unit", "!tt_once.service", "a/tt_once.service");
	EXPECT("unit", "tt_twice.scope", "a/tt_twice.scope", "b/tt_twice.scope");
	EXPECT("unit", "tt-dash", "b/tt\\x2ddash.service");
	EXPECT("unit", "tt\\x2ddash", "b/tt\\x2ddash.service");
	EXPECT("unit", "tt_dots8.2", "b/tt_dots8.2.service");
	refused("unit", "tt_twice", EXIT_CODE_USAGE, "it is not running");
	refused("unit", "", EXIT_CODE_USAGE, "a unit's name is needed");
	refused("unit", "a/tt_once", EXIT_CODE_USAGE, "a unit's name is needed");
}

/* It is said where it is, in words that a shell can be given. */
static void what_users_own_is_not_taken(void **state)
{
	char remedy[800];

	(void)state;
	need_cgroups();
	snprintf(remedy, sizeof remedy, "belongs to a user\nto take it all the same: --cgroup '%s'",
	    path_of("user/tt_users.service") + strlen(hierarchy.path));
	refused("unit", "tt_users", EXIT_CODE_USAGE, remedy);
	refused("unit", "tt_quote", EXIT_CODE_USAGE, "to take it all the same: --cgroup and its path");
	EXPECT("cgroup", path_of("user/tt_users.service"), "user/tt_users.service");
}

static void containers_by_name_and_id(void **state)
{
	(void)state;
	need_cgroups();
	EXPECT("container", "lxc:ttweb", "lxc.payload.ttweb");
	EXPECT("container", "ttweb", "lxc.payload.ttweb");
	EXPECT("container", ID, "docker-" ID ".scope");
	/* the column shows twelve digits, with what made it before them */
	EXPECT("container", "docker:5a1b2c3d5a1b", "docker-" ID ".scope");
	EXPECT("container", "5a1b2c3d5a1b", "docker-" ID ".scope", "crio-" TWIN ".scope");
	refused("container", "5a1b2c3", EXIT_CODE_USAGE, "ids of several containers begin so");
	EXPECT("container", DIGITS "02", "crio-" TWIN ".scope");
	refused("container", "5a1b2", EXIT_CODE_USAGE, "no container of that name or id runs here");
	refused("container", "5a1b2x", EXIT_CODE_USAGE, "no container of that name or id runs here");
	refused("container", "", EXIT_CODE_USAGE, "no container of that name or id runs here");
	refused("container", "tt_once.service", EXIT_CODE_USAGE, "no container of that name");
}

/* By what an engine calls them: an id of it is in the path. */
static void containers_by_their_engines_name(void **state)
{
	struct containers *containers = containers_open("/nonexistent");
	static const char *const both[] = { "docker-" NAMED ".scope",
		"kubepods-pod" UID_ ".slice/cri-containerd-" NAMED ".scope", NULL };

	(void)state;
	assert_non_null(containers);
	containers_add(containers, "docker", NAMED, "tt_shop");
	containers_sort(containers);
	if (base[0]) {
		expect_among(containers, "container", "tt_shop", both);
		expect_among(containers, "container", "docker:tt_shop", both);
	}
	containers_close(containers);
	need_cgroups();
	refused("container", "tt_shop", EXIT_CODE_USAGE, "no container of that name");
}

static void pods_by_their_uid(void **state)
{
	(void)state;
	need_cgroups();
	EXPECT("pod", UID, "kubepods-pod" UID_ ".slice", "kubepods/pod" UID);
	refused("pod", "5f1e2d3c-4b5a-6978-8796-a5b4c3d2e1ff", EXIT_CODE_USAGE, "no pod of that name or id");
	refused("pod", "tt_shop", EXIT_CODE_USAGE, "no pod of that name or id");
}

/* ---- in other namespaces, in a process that can do nothing to this one ---- */

static void in_a_child(void (*check)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		alarm(20);
		check();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

/* Does it end so? Of a child, whose assertions would go on with the parent's tests. */
static void require(const char *option, const char *value, const char *words)
{
	struct conditions conditions = { 0 };
	struct error error;

	if (add(&conditions, option, value, &error) == 0 || !strstr(error.text, words)) {
		fprintf(stderr, "--%s '%s': %s\n", option, value, error.text);
		_exit(1);
	}
	if (strcmp(option, "pod") != 0 && error.exit_code != EXIT_CODE_UNSUPPORTED)
		_exit(2);
	conditions_fini(&conditions);
}

static void check_without_hierarchy(void)
{
	struct hierarchy left;

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		_exit(77);
	for (hierarchy_find(&left, ""); left.path[0]; hierarchy_find(&left, ""))
		if (umount2(left.path, MNT_DETACH) != 0)
			_exit(77);
	require("cgroup", "/", "needs the cgroup v2 hierarchy, and none is mounted here");
	require("unit", "tt_once", "filter by mount namespace instead: --mntns");
	require("pod", UID, "no pod of that name or id");
}

static void without_hierarchy(void **state)
{
	(void)state;
	need_cgroups();
	in_a_child(check_without_hierarchy);
}

static void check_namespace(void)
{
	struct hierarchy seen;

	if (unshare(CLONE_NEWCGROUP) != 0)
		_exit(77);
	hierarchy_find(&seen, "");
	if (seen.level >= 0)
		_exit(77); /* what was mounted outside is seen as a part of the host's */
	require("cgroup", "/", "needs the host's cgroups, and this is a cgroup namespace");
	require("unit", "tt_once", "--cgroupns host");
}

static void in_a_cgroup_namespace(void **state)
{
	(void)state;
	need_cgroups();
	in_a_child(check_namespace);
}

/* A process of the cgroup that sees the host's files, as helpers of runtimes do. */
static void start_helper(const char *procs)
{
	pid_t helper = fork();

	if (helper == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		FILE *file = fopen(procs, "we");

		if (!file || fputs("0\n", file) < 0 || fclose(file) != 0)
			_exit(1);
		kill(getpid(), SIGSTOP);
		_exit(0);
	}
	waitpid(helper, NULL, WUNTRACED);
}

/* A container of v1's alone is known by its processes' mount namespace. */
static void check_v1(void)
{
	char procs[400];
	struct stat own;
	struct conditions conditions = { 0 };
	struct error error;

	snprintf(procs, sizeof procs, "/sys/fs/cgroup/pids/lxc.payload.tt%d/cgroup.procs", (int)getppid());
	struct stat host;
	bool is_hosts = stat("/proc/1/ns/mnt", &host) == 0 && stat("/proc/self/ns/mnt", &own) == 0 &&
	                host.st_ino == own.st_ino;

	if (is_hosts)
		start_helper(procs);
	FILE *file = fopen(procs, "we");

	if (!file || unshare(CLONE_NEWNS) != 0 || fputs("0\n", file) < 0 || fclose(file) != 0)
		_exit(77);
	snprintf(procs, sizeof procs, "lxc:tt%d", (int)getppid());
	if (stat("/proc/self/ns/mnt", &own) != 0)
		_exit(1);
	if (add(&conditions, "container", procs, &error) != 0) {
		fprintf(stderr, "%s\n", error.text);
		_exit(2);
	}
	if (conditions.count != 1 || conditions.items[0].cgroup.id || conditions.items[0].cgroup.path ||
	    conditions.items[0].cgroup.mntns != (uint32_t)own.st_ino)
		_exit(3);
	conditions_fini(&conditions);
}

static void containers_of_version_one(void **state)
{
	char path[300];

	(void)state;
	snprintf(path, sizeof path, "/sys/fs/cgroup/pids/lxc.payload.tt%d", (int)getpid());
	if (mkdir(path, 0755) != 0)
		skip(); /* none here, or not as root */
	pid_t child = fork();
	int status;

	if (child == 0) {
		alarm(20);
		check_v1();
		_exit(0);
	}
	waitpid(child, &status, 0);
	for (int i = 0; i < 100 && rmdir(path) != 0; i++)
		usleep(10000);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cgroups_by_their_path),
		cmocka_unit_test(units),
		cmocka_unit_test(what_users_own_is_not_taken),
		cmocka_unit_test(containers_by_name_and_id),
		cmocka_unit_test(containers_by_their_engines_name),
		cmocka_unit_test(pods_by_their_uid),
		cmocka_unit_test(without_hierarchy),
		cmocka_unit_test(in_a_cgroup_namespace),
		cmocka_unit_test(containers_of_version_one),
	};

	return cmocka_run_group_tests(tests, make_all, remove_all);
}
