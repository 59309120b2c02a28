/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/pid_namespace.h"
#include "fake_root.h"
#include "model/snapshot.h"
#include "names/cgroup_facts.h"
#include "names/names.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const uint8_t localhost[16] = { 127, 0, 0, 1 };

static void wait_for_names(struct names *names)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	for (int i = 0; i < 500 && names_pending(names); i++) {
		nanosleep(&pause, NULL);
		names_changed(names);
	}
}

static void users_have_names_or_numbers(void **state)
{
	struct names *live = names_open("", NULL), *recorded = names_open(NULL, NULL);
	char text[40];

	(void)state;
	/* Nobody waits for them. */
	assert_string_equal(names_user(live, 0, text, sizeof text), "0");
	assert_true(names_pending(live));
	wait_for_names(live);
	assert_string_equal(names_user(live, 0, text, sizeof text), "root");
	assert_string_equal(names_user(live, 4123456789u, text, sizeof text), "4123456789");
	assert_string_equal(names_user(live, UINT32_MAX, text, sizeof text), "-");
	assert_string_equal(names_user(live, 0, text, sizeof text), "root");
	assert_string_equal(names_user(live, 0, text, 3), "ro");
	wait_for_names(live);
	assert_string_equal(names_user(live, 4123456789u, text, sizeof text), "4123456789");
	/* A recording's users are another host's. */
	assert_string_equal(names_user(recorded, 0, text, sizeof text), "0");
	assert_string_equal(names_user(NULL, 5, text, sizeof text), "5");
	for (uint32_t uid = 2000; uid > 1000; uid--)
		names_user(recorded, uid, text, sizeof text);
	assert_string_equal(names_user(recorded, 1500, text, sizeof text), "1500");
	names_close(live);
	names_close(recorded);
	names_close(NULL);
}

static void ports_have_names(void **state)
{
	struct names *names = names_open("", NULL);

	(void)state;
	if (!getservbyname("ssh", "tcp")) {
		names_close(names);
		print_message("skipped: /etc/services does not know ssh (Debian's package netbase has it)\n");
		skip();
	}
	assert_string_equal(names_port(names, 22), "ssh");
	assert_string_equal(names_port(names, 443), "https");
	assert_null(names_port(names, 0));
	assert_null(names_port(names, 65535));
	assert_null(names_port(NULL, 22));
	names_close(names);
}

/* The cgroup that this process is in, as its id; 0 when there is no v2 hierarchy. */
static uint64_t own_cgroup(char *path, size_t size)
{
	char line[1024], mount[256] = "", full[1400];
	struct stat status;
	FILE *file = fopen("/proc/self/mountinfo", "r");

	path[0] = '\0';
	while (file && fgets(line, sizeof line, file))
		if (!mount[0] && strstr(line, " - cgroup2 "))
			assert_int_equal(sscanf(line, "%*s %*s %*s %*s %255s", mount), 1);
	if (file)
		fclose(file);
	file = fopen("/proc/self/cgroup", "r");
	while (file && fgets(line, sizeof line, file))
		if (strncmp(line, "0::", 3) == 0)
			snprintf(path, size, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
	if (file)
		fclose(file);
	snprintf(full, sizeof full, "%s%s", mount, path);
	return mount[0] && path[0] && stat(full, &status) == 0 ? status.st_ino : 0;
}

static void cgroups_have_paths(void **state)
{
	struct names *names = names_open("", NULL);
	char path[1024];
	uint64_t id = own_cgroup(path, sizeof path);

	(void)state;
	assert_int_equal(names_container(names, 0, 1, time(NULL)), 0);
	assert_string_equal(names_container_text(names, 0), "-");
	/* Nothing is said of what may still be found. */
	uint32_t unknown = names_container(names, 123456789012345, (uint32_t)getpid(), time(NULL));

	assert_true(id ? !unknown : unknown);
	wait_for_names(names);
	unknown = names_container(names, 123456789012345, (uint32_t)getpid(), time(NULL));

	assert_string_equal(names_container_text(names, unknown), "cgroup 123456789012345");
	assert_int_equal(names_container(names, 123456789012345, 1, time(NULL)), unknown);
	if (!id) {
		names_close(names);
		print_message("skipped: this process is in no cgroup v2\n");
		skip();
	}
	uint32_t own = names_container(names, id, (uint32_t)getpid(), time(NULL));

	assert_int_not_equal(own, unknown);
	assert_string_equal(names_container_path(names, own), path);
	for (uint64_t i = 1; i < 300; i++)
		names_container(names, i << 40, UINT32_MAX, time(NULL));
	assert_int_equal(names_container(names, id, 1, time(NULL)), own);
	assert_string_equal(names_container_path(names, own), path);
	names_close(names);
}

/* On a host with v1 hierarchies each process is a question: a crowd of them is put off, not waited for. */
static void a_crowd_of_processes_is_put_off(void **state)
{
	struct names *names = names_open("", NULL);
	char path[1024];
	uint64_t id = own_cgroup(path, sizeof path);
	struct timespec begin, end;
	unsigned known = 0;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (uint32_t pid = 1; pid <= 100000; pid++)
		known += names_container(names, id ? id : 1, 5000000 + pid, time(NULL)) != 0;
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true(known > 0);
	assert_true(end.tv_sec - begin.tv_sec < 5);
	names_close(names);
}

static void hosts_are_asked_for_in_the_background(void **state)
{
	struct names *names = names_open("", NULL);
	const struct timespec pause = { .tv_nsec = 10000000 };

	(void)state;
	assert_null(names_host_known(names, 4, localhost));
	assert_false(names_pending(names));
	assert_null(names_host(names, 4, localhost));
	assert_true(names_pending(names));
	for (int i = 0; i < 1000 && !names_changed(names); i++)
		nanosleep(&pause, NULL);
	assert_string_equal(names_host(names, 4, localhost), "localhost");
	assert_string_equal(names_host_known(names, 4, localhost), "localhost");
	assert_false(names_pending(names));
	names_close(names);
}

/* Many more questions than there is room for, and nobody there any more to hear the answers. */
static void closing_does_not_wait(void **state)
{
	struct names *names = names_open("", NULL);
	uint8_t address[16] = { 127 };

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		address[1] = (uint8_t)(i >> 8);
		address[2] = (uint8_t)i;
		names_host(names, 4, address);
	}
	names_close(names);
}

static void commands_are_read_whole(void **state)
{
	struct names *live = names_open("", NULL), *recorded = names_open(NULL, NULL);
	uint32_t own = (uint32_t)getpid();
	char text[4096];

	(void)state;
	if (pid_namespace_is_initial("") != 1) {
		assert_non_null(names_command(live, own, time(NULL), text, sizeof text));
		assert_string_equal(text, "");
	} else {
		assert_null(names_command(live, own, time(NULL), text, sizeof text));
		assert_non_null(strstr(text, "test_names"));
		assert_null(names_command(live, own, time(NULL), text, 4));
		assert_int_equal(strlen(text), 3);
		/* Seen before this process began: another one had the PID. */
		assert_non_null(names_command(live, own, time(NULL) - 3600, text, sizeof text));
		assert_string_equal(text, "");
	}
	assert_non_null(names_command(live, UINT32_MAX, time(NULL), text, sizeof text));
	assert_string_equal(text, "");
	assert_null(names_command(recorded, own, time(NULL), text, sizeof text));
	assert_string_equal(text, "");
	names_close(live);
	names_close(recorded);
}

static void processes_are_there_or_not(void **state)
{
	struct names *live = names_open("", NULL), *recorded = names_open(NULL, NULL);
	bool initial = pid_namespace_is_initial("") == 1;

	(void)state;
	assert_int_equal(names_has_process(live, (uint32_t)getpid()), initial ? 1 : -1);
	assert_int_not_equal(names_has_process(live, UINT32_MAX), 1);
	assert_int_equal(names_has_process(recorded, (uint32_t)getpid()), -1);
	assert_int_equal(names_has_process(NULL, 1), -1);
	names_close(live);
	names_close(recorded);
}

/* What an interval tells is known before its sessions are looked at, of a recording's host, too. */
static void intervals_tell_of_cgroups(void **state)
{
	struct names *names = names_open(NULL, NULL);
	struct cgroup_description description;
	struct snapshot snapshot;

	(void)state;
	snapshot_init(&snapshot);
	snapshot_add_cgroup(&snapshot)->id = 7;
	strcpy(snapshot.cgroups[0].path.text, "/docker/" HEX64);
	names_learn(names, &snapshot);
	uint32_t container = names_container(names, 7, 1, time(NULL));

	assert_string_equal(names_container_text(names, container), "docker:0123456789ab");
	assert_string_equal(names_container_name(names, container), "docker:0123456789ab");
	assert_true(names_container_describe(names, container, 7, 1, &description));
	assert_int_equal(description.facts.id, 7);
	assert_int_equal(description.facts.pid, 0);
	assert_string_equal(description.facts.texts[CGROUP_PATH], "/docker/" HEX64);
	assert_string_equal(description.facts.texts[CGROUP_CONTAINER_ID], HEX64);
	assert_null(description.facts.texts[CGROUP_CONTAINER]);
	assert_false(names_container_describe(names, 0, 7, 1, &description));
	assert_false(names_container_describe(NULL, container, 7, 1, &description));
	names_close(names);
	snapshot_fini(&snapshot);
}

/* In a container: the files of the host, where its root is mounted. */
static void another_root_has_its_own_names(void **state)
{
	char text[40];

	(void)state;
	add_file(
	    "/etc/passwd", "hosty:x:4711:1::/:/bin/sh\nsecond:x:4711:1::/:/bin/sh\nbroken\n:x:12:1::/:\n");
	add_file("/etc/services", "hostport 22/tcp\n");
	struct names *names = names_open(root, NULL);

	assert_string_equal(names_user(names, 4711, text, sizeof text), "hosty");
	assert_string_equal(names_user(names, 0, text, sizeof text), "0");
	assert_string_equal(names_port(names, 22), "hostport");
	assert_null(names_port(names, 443));
	names_close(names);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_have_names_or_numbers),
		cmocka_unit_test(ports_have_names),
		cmocka_unit_test(cgroups_have_paths),
		cmocka_unit_test(a_crowd_of_processes_is_put_off),
		cmocka_unit_test(hosts_are_asked_for_in_the_background),
		cmocka_unit_test(closing_does_not_wait),
		cmocka_unit_test(commands_are_read_whole),
		cmocka_unit_test(processes_are_there_or_not),
		cmocka_unit_test(intervals_tell_of_cgroups),
		cmocka_unit_test_setup_teardown(another_root_has_its_own_names, make_root, remove_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
