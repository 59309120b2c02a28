/* SPDX-License-Identifier: Apache-2.0 */
/* Engines that answer, lie, talk without end or say nothing, below a root of the test's own. */
#include "fake_root.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "names/containers.h"
#include "names/engines.h"

#define ID "0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d"
#define OTHER "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define HEAD "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n"

struct engine {
	int listener;
	pthread_t thread;
	const char *answer; /* NULL: keeps the caller waiting; "": talks without end */
	char request[256];
};

static void *serve(void *to)
{
	struct engine *engine = to;
	int caller = accept(engine->listener, NULL, NULL);

	if (caller < 0)
		return NULL;
	ssize_t got = recv(caller, engine->request, sizeof engine->request - 1, 0);

	if (engine->answer && *engine->answer)
		send(caller, engine->answer, strlen(engine->answer), MSG_NOSIGNAL);
	while (engine->answer && !*engine->answer && send(caller, " ", 1, MSG_NOSIGNAL) == 1)
		usleep(10000);
	/* the other end hangs up */
	if (!engine->answer)
		got = recv(caller, engine->request, sizeof engine->request - 1, 0);
	(void)got;
	close(caller);
	return NULL;
}

static void start(struct engine *engine, const char *path, const char *answer)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	*engine = (struct engine){ .listener = socket(AF_UNIX, SOCK_STREAM, 0), .answer = answer };
	const char *whole = below_root(path);

	assert_true(strlen(whole) < sizeof address.sun_path);
	memcpy(address.sun_path, whole, strlen(whole));
	assert_int_equal(bind(engine->listener, (const struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(engine->listener, 1), 0);
	assert_int_equal(pthread_create(&engine->thread, NULL, serve, engine), 0);
}

static void stop(struct engine *engine)
{
	shutdown(engine->listener, SHUT_RDWR); /* accept returns */
	pthread_join(engine->thread, NULL);
	close(engine->listener);
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static const char *name_of(const struct containers *containers, const char *id)
{
	static struct container container;

	return containers_find(containers, id, &container) ? container.name : NULL;
}

static void engines_tell_names(void **state)
{
	struct containers *containers = containers_open(root);
	struct container container;
	struct engine docker;

	(void)state;
	start(&docker, "/run/docker.sock",
	    HEAD "[{\"Id\":\"" ID "\",\"Names\":[\"/shop/link\",\"/webshop\"]},{\"Id\":7,\"Names\":[\"/x\"]},"
	         "{\"Id\":\"abc\",\"Names\":[\"/short\"]},{\"Names\":null},3,{\"Id\":\"" ID "\"}]");
	add_file("/var/lib/containers/storage/overlay-containers/containers.json",
	    "[{\"id\":\"" OTHER "\",\"names\":[\"\\u001b[31mweb\"]}]");
	engines_ask(containers);
	stop(&docker);
	assert_true(containers_find(containers, ID, &container));
	assert_string_equal(container.engine, "docker");
	assert_string_equal(container.name, "webshop");
	assert_true(containers_find(containers, OTHER, &container));
	assert_string_equal(container.engine, "podman");
	assert_string_equal(container.name, "\x1b[31mweb");
	assert_ptr_equal(strstr(docker.request, "GET /containers/json HTTP/1.0\r\n"), docker.request);
	/* once */
	assert_int_equal(unlink(below_root("/run/docker.sock")), 0);
	start(&docker, "/run/docker.sock", HEAD "[]");
	engines_ask(containers);
	stop(&docker);
	assert_string_equal(docker.request, "");
	containers_close(containers);
}

/* Podman's service, where there is no list: two engines, two answers. */
static void both_are_asked(void **state)
{
	struct containers *containers = containers_open(root);
	struct engine docker, podman;

	(void)state;
	start(&docker, "/run/docker.sock", HEAD "[{\"Id\":\"" ID "\",\"Names\":[\"/a\"]}]");
	start(&podman, "/run/podman/podman.sock", HEAD "[{\"Id\":\"" OTHER "\",\"Names\":[\"b\"]}]");
	engines_ask(containers);
	stop(&docker);
	stop(&podman);
	assert_string_equal(name_of(containers, ID), "a");
	assert_string_equal(name_of(containers, OTHER), "b");
	containers_close(containers);
}

/* Together they may take half a second, whatever they do with it. */
static void patience_has_an_end(void **state)
{
	static const char *const answers[][2] = { { NULL, NULL }, { "", "" }, { NULL, "" } };

	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct containers *containers = containers_open(root);
		struct engine docker, podman;
		double begin_s = now_s();

		start(&docker, "/run/docker.sock", answers[i][0]);
		start(&podman, "/run/podman/podman.sock", answers[i][1]);
		engines_ask(containers);
		double took_s = now_s() - begin_s;

		assert_true(took_s > 0.4 && took_s < 5);
		stop(&docker);
		stop(&podman);
		containers_close(containers);
		assert_int_equal(unlink(below_root("/run/docker.sock")), 0);
		assert_int_equal(unlink(below_root("/run/podman/podman.sock")), 0);
	}
}

static void nonsense_tells_nothing(void **state)
{
	static const char *const answers[] = { "x", "\r\n\r\n", HEAD, HEAD "[", HEAD "{}", HEAD "7",
		HEAD "[[[[[[", HEAD "[{\"Id\":{},\"Names\":\"a\"}]",
		HEAD "[{\"Id\":\"" ID "\",\"Names\":[\"/\",\"\",7,null,[]]}]",
		"HTTP/1.0 500\r\n\r\n{\"message\":\"no\"}" };

	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct containers *containers = containers_open(root);
		struct engine docker;

		start(&docker, "/run/docker.sock", answers[i]);
		engines_ask(containers);
		stop(&docker);
		assert_null(name_of(containers, ID));
		containers_close(containers);
		assert_int_equal(unlink(below_root("/run/docker.sock")), 0);
	}
}

/* Sockets without a listener, a pipe instead of a list, a root whose path no socket's address can hold. */
static void odd_files_are_no_engines(void **state)
{
	struct containers *containers = containers_open(root);
	double begin_s = now_s();
	struct engine docker;
	char long_root[200];

	(void)state;
	start(&docker, "/run/docker.sock", HEAD "[]");
	stop(&docker);
	add_file("/run/podman/podman.sock", "[]");
	below_root("/var/lib/containers/storage/overlay-containers/x");
	assert_int_equal(
	    mkfifo(below_root("/var/lib/containers/storage/overlay-containers/containers.json"), 0600), 0);
	add_link("/var/lib/containers/storage/vfs-containers/containers.json", "containers.json");
	engines_ask(containers);
	assert_true(now_s() - begin_s < 0.4);
	containers_close(containers);
	memset(long_root, 'r', sizeof long_root - 1);
	long_root[0] = '/';
	long_root[sizeof long_root - 1] = '\0';
	containers = containers_open(long_root);
	engines_ask(containers);
	containers_close(containers);
}

#define test_with_root(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test_with_root(engines_tell_names),
		test_with_root(both_are_asked),
		test_with_root(patience_has_an_end),
		test_with_root(nonsense_tells_nothing),
		test_with_root(odd_files_are_no_engines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
