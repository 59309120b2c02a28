/* SPDX-License-Identifier: Apache-2.0 */
/* The kubelet's files as they are and as they are not, and what a cgroup is called by them. */
#include "fake_root.h"

#include <fcntl.h>
#include <time.h>

#include "names/cgroup_facts.h"
#include "names/containers.h"

#define ID "0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d"
#define OTHER "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define UID "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
#define UID_ "0f1e2d3c_4b5a_6978_8796_a5b4c3d2e1f0"
#define POD_PATH "/kubepods.slice/kubepods-pod" UID_ ".slice"

static void add_log(const char *name)
{
	char path[320];

	snprintf(path, sizeof path, "/var/log/containers/%s", name);
	add_link(path, "/nowhere");
}

static void add_pod(const char *name)
{
	char path[320];

	snprintf(path, sizeof path, "/var/log/pods/%s/x", name);
	below_root(path);
}

static void expect(const struct containers *containers, const char *path, const char *text)
{
	struct cgroup_facts facts;

	cgroup_facts_find(&facts, path, containers);
	char *found = cgroup_facts_text(&facts);

	assert_string_equal(found, text);
	free(found);
}

static void containers_are_called_as_the_kubelet_does(void **state)
{
	struct containers *containers = containers_open(root);
	struct cgroup_facts facts;

	(void)state;
	add_log("web-7c5d_shop_main-" ID ".log");
	add_pod("shop_web-7c5d_" UID);
	expect(containers, POD_PATH "/cri-containerd-" ID ".scope", "cri:0a1b2c3d0a1b");
	assert_true(containers_refresh(containers));
	expect(containers, POD_PATH "/cri-containerd-" ID ".scope", "shop/web-7c5d/main");
	expect(containers, "/docker/" ID, "shop/web-7c5d/main"); /* the kubelet had Docker start it */
	/* the sandbox, of which there is no log */
	expect(containers, POD_PATH "/cri-containerd-" OTHER ".scope", "shop/web-7c5d/ffffffffffff");
	expect(containers, POD_PATH, "kubepods-pod" UID_ ".slice");
	expect(containers, "/system.slice/" ID ".service", ID ".service");
	cgroup_facts_find(&facts, POD_PATH "/cri-containerd-" ID ".scope", containers);
	assert_true(facts.is_container);
	assert_string_equal(facts.id, ID);
	assert_string_equal(facts.pod_uid, UID);
	assert_string_equal(facts.namespace, "shop");
	assert_string_equal(facts.pod, "web-7c5d");
	assert_string_equal(facts.container, "main");
	assert_string_equal(facts.engine, "");
	assert_false(cgroup_facts_may_come(&facts));
	cgroup_facts_find(&facts, POD_PATH "/cri-containerd-" OTHER ".scope", containers);
	assert_true(cgroup_facts_may_come(&facts));
	assert_false(cgroup_facts_has_engine(&facts));
	cgroup_facts_find(&facts, "/docker/" OTHER, containers);
	assert_true(cgroup_facts_has_engine(&facts));
	cgroup_facts_find(&facts, "", containers);
	assert_false(facts.is_container || cgroup_facts_may_come(&facts));
	containers_close(containers);
}

/* One that starts later is known then, one that has gone stays known; nothing is read while nothing changes. */
static void names_come_later(void **state)
{
	struct containers *containers = containers_open(root);
	const struct timespec past[] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };

	(void)state;
	assert_false(containers_refresh(containers));
	add_log("a_n_c-" ID ".log");
	assert_true(containers_refresh(containers));
	/* made in one tick of the file system's clock */
	add_log("b_n_c-" OTHER ".log");
	assert_true(containers_refresh(containers));
	expect(containers, "/kubepods/" OTHER, "n/b/c");
	assert_int_equal(unlink(below_root("/var/log/containers/b_n_c-" OTHER ".log")), 0);
	assert_false(containers_refresh(containers));
	expect(containers, "/kubepods/" OTHER, "n/b/c");
	assert_int_equal(unlink(below_root("/var/log/containers/a_n_c-" ID ".log")), 0);
	assert_int_equal(utimensat(AT_FDCWD, below_root("/var/log/containers"), past, 0), 0);
	containers_refresh(containers);
	add_log("late_n_c-1"
	        "123456789012345678901234567890123456789012345678901234567890123.log");
	assert_int_equal(utimensat(AT_FDCWD, below_root("/var/log/containers"), past, 0), 0);
	assert_false(containers_refresh(containers));
	containers_close(containers);
}

static void odd_entries_are_no_names(void **state)
{
	static const char *const logs[] = { "_", "__", "___", ".log", ID ".log", "-" ID ".log", "_" ID ".log",
		"a_b-" ID ".log", "a_b_-" ID ".log", "a_b_c-" ID, "a_b_c-" ID ".log.1", "a_b_c_" ID ".log",
		"a_b_c-0" ID ".log",
		"a_b_c-"
		"A"
		"1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3dd.log" };
	static const char *const pods[] = { "_", "a_b", "a_b_", "a_b_" UID "0", "a_b_" ID, UID, "a_" UID };
	struct containers *containers = containers_open(root);
	struct container container;

	(void)state;
	for (size_t i = 0; i < sizeof logs / sizeof *logs; i++)
		if (strcmp(logs[i], "a_b_-" ID ".log") != 0) /* a name of nothing is one */
			add_log(logs[i]);
	for (size_t i = 0; i < sizeof pods / sizeof *pods; i++)
		add_pod(pods[i]);
	assert_false(containers_refresh(containers));
	assert_false(containers_find(containers, ID, &container));
	assert_false(containers_find(containers, UID, &container));
	assert_false(containers_find(containers, "", &container));
	/* any bytes in a name are the name; who shows it escapes */
	add_log("\x1b[31m_\n\xff_%s%n-" ID ".log");
	assert_true(containers_refresh(containers));
	assert_true(containers_find(containers, ID, &container));
	assert_string_equal(container.pod, "\x1b[31m");
	assert_string_equal(container.namespace, "\n\xff");
	assert_string_equal(container.name, "%s%n");
	containers_close(containers);
}

/* A file where a directory should be, links in a circle, nothing at all. */
static void odd_directories_are_empty(void **state)
{
	struct containers *containers = containers_open(root);

	(void)state;
	add_file("/var/log/containers", "a_b_c-" ID ".log");
	add_link("/var/log/pods", "pods");
	assert_false(containers_refresh(containers));
	containers_close(containers);
	containers = containers_open("/nowhere");
	assert_false(containers_refresh(containers));
	containers_close(containers);
	containers_close(NULL);
}

/* In whichever order they come. */
static void many_are_found(void **state)
{
	enum { MANY = 1000 };
	struct containers *containers = containers_open(root);
	struct container container;
	char id[CONTAINER_ID_SIZE];

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(id, sizeof id, "%064x", i * 7919 % MANY);
		containers_add(containers, "docker", id, "name");
		containers_add(containers, "docker", id, "other"); /* the first one counts */
		containers_add(containers, "podman", id, "third");
	}
	containers_sort(containers);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(id, sizeof id, "%064x", i);
		assert_true(containers_find(containers, id, &container));
		assert_string_equal(container.name, "name");
	}
	snprintf(id, sizeof id, "%064x", MANY);
	assert_false(containers_find(containers, id, &container));
	containers_close(containers);
}

static size_t count_ids(const struct containers *containers,
    int (*find)(const struct containers *, const char *, struct container_ids *), const char *name)
{
	struct container_ids ids = { 0 };

	assert_int_equal(find(containers, name, &ids), 0);
	size_t count = ids.count;

	container_ids_fini(&ids);
	return count;
}

static void names_have_ids(void **state)
{
	struct containers *containers = containers_open(root);

	(void)state;
	add_log("web_shop_main-" ID ".log");
	add_pod("shop_web_" UID);
	add_pod("stage_web_00000000-2222-3333-4444-555555555555");
	containers_refresh(containers);
	containers_add(containers, "docker", OTHER, "webshop");
	containers_add(containers, "docker", "no id", "webshop");
	containers_add(containers, "docker", ID, "");
	containers_sort(containers);
	assert_int_equal(count_ids(containers, containers_ids_of_name, "main"), 1);
	assert_int_equal(count_ids(containers, containers_ids_of_name, "shop/web/main"), 1);
	assert_int_equal(count_ids(containers, containers_ids_of_name, "shop/web/"), 0);
	assert_int_equal(count_ids(containers, containers_ids_of_name, "web"), 0);
	assert_int_equal(count_ids(containers, containers_ids_of_name, ""), 0);
	assert_int_equal(count_ids(containers, containers_ids_of_name, "webshop"), 1);
	assert_int_equal(count_ids(containers, containers_ids_of_name, "docker:webshop"), 1);
	assert_int_equal(count_ids(containers, containers_ids_of_name, "podman:webshop"), 0);
	assert_int_equal(count_ids(containers, containers_ids_of_name, "docker:main"), 0);
	assert_int_equal(count_ids(containers, containers_ids_of_pod, "web"), 2);
	assert_int_equal(count_ids(containers, containers_ids_of_pod, "shop/web"), 1);
	assert_int_equal(count_ids(containers, containers_ids_of_pod, "shop/we"), 0);
	assert_int_equal(count_ids(containers, containers_ids_of_pod, "/web"), 0);
	assert_int_equal(count_ids(containers, containers_ids_of_pod, UID), 1);
	assert_int_equal(count_ids(NULL, containers_ids_of_pod, UID), 1);
	assert_int_equal(count_ids(NULL, containers_ids_of_name, "main"), 0);
	containers_close(containers);
}

#define test_with_root(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test_with_root(containers_are_called_as_the_kubelet_does),
		test_with_root(names_come_later),
		test_with_root(odd_entries_are_no_names),
		test_with_root(odd_directories_are_empty),
		test_with_root(many_are_found),
		test_with_root(names_have_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
