/* SPDX-License-Identifier: Apache-2.0 */
#include "names/engines.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "names/containers.h"

enum { ANSWER_MIN = 1 << 16, ANSWER_MAX = 16 << 20, PATH_SIZE = 4096, PATIENCE_MS = 500 };

struct question {
	const char *engine;
	uint64_t end_ns;
	struct containers *containers;
};

/* Both list objects with an id and names; Docker's names begin with a slash, and those with two are of links. */
static void take_list(const struct question *question, const json_t *list)
{
	size_t i, j;
	json_t *container, *alias;

	json_array_foreach(list, i, container)
	{
		json_t *id = json_object_get(container, "Id"), *names = json_object_get(container, "Names");

		id = id ? id : json_object_get(container, "id");
		names = names ? names : json_object_get(container, "names");
		json_array_foreach(names, j, alias)
		{
			const char *name = json_string_value(alias), *digits = json_string_value(id);

			if (name && digits && !strchr(name + (*name == '/'), '/'))
				containers_add(
				    question->containers, question->engine, digits, name + (*name == '/'));
		}
	}
}

static bool wait_for(const struct question *question, int fd, short events)
{
	uint64_t now_ns = clock_now_ns();
	struct pollfd wanted = { fd, events, 0 };

	if (now_ns >= question->end_ns)
		return false;
	return poll(&wanted, 1, (int)((question->end_ns - now_ns) / NS_PER_MS) + 1) == 1;
}

/* All that can be read until the end, or the time is over, or it is too long; with a 0 after it, for free(). NULL: nothing. */
static char *read_all(const struct question *question, int fd)
{
	size_t size = ANSWER_MIN, used = 0;
	char *answer = malloc(size + 1);
	ssize_t got = 1;

	while (answer && got > 0 && size <= ANSWER_MAX) {
		if (used == size) {
			char *larger = realloc(answer, 2 * size + 1);

			if (!larger)
				break;
			answer = larger;
			size *= 2;
		}
		got = wait_for(question, fd, POLLIN) ? read(fd, answer + used, size - used) : 0;
		used += got > 0 ? (size_t)got : 0;
	}
	if (answer)
		answer[used] = '\0';
	return answer;
}

/* Does not wait: who has no room for a caller has no time for him either. */
static int open_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(path);
	int fd = length < sizeof address.sun_path
	             ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
	             : -1;

	if (fd < 0)
		return -1;
	memcpy(address.sun_path, path, length);
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

/* HTTP 1.0: the end of the stream ends the answer. Podman's service answers as Docker's. */
static char *ask_socket(const struct question *question, const char *path)
{
	static const char request[] = "GET /containers/json HTTP/1.0\r\nHost: localhost\r\n\r\n";
	int fd = open_socket(path);
	char *answer = NULL;

	if (fd < 0)
		return NULL;
	if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) == sizeof request - 1)
		answer = read_all(question, fd);
	close(fd);
	char *body = answer ? strstr(answer, "\r\n\r\n") : NULL;

	if (body)
		memmove(answer, body + 4, strlen(body + 4) + 1);
	return answer;
}

/* A regular file alone: nothing else is waited for. */
static char *read_file(const struct question *question, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	char *text = NULL;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		text = read_all(question, fd);
	close(fd);
	return text;
}

static const struct {
	const char *engine;
	char *(*ask)(const struct question *question, const char *path);
	const char *path;
} lists[] = {
	{ "docker", ask_socket, "/run/docker.sock" },
	{ "podman", read_file, "/var/lib/containers/storage/overlay-containers/containers.json" },
	{ "podman", read_file, "/var/lib/containers/storage/vfs-containers/containers.json" },
	{ "podman", ask_socket, "/run/podman/podman.sock" },
};

void engines_ask(struct containers *containers)
{
	uint64_t end_ns = clock_now_ns() + PATIENCE_MS * NS_PER_MS;
	const char *root = containers_to_ask(containers);
	const char *answered = "";

	/* A socket that nobody listens at for now may have an engine started: not where there is a list. */
	for (size_t i = 0; root && i < COUNT_OF(lists); i++) {
		const struct question question = { lists[i].engine, end_ns, containers };
		char path[PATH_SIZE];

		if (lists[i].ask == ask_socket && strcmp(answered, lists[i].engine) == 0)
			continue;

		snprintf(path, sizeof path, "%s%s", root, lists[i].path);
		char *text = lists[i].ask(&question, path);
		json_t *list = text ? json_loads(text, JSON_DISABLE_EOF_CHECK, NULL) : NULL;

		if (list)
			answered = lists[i].engine;
		take_list(&question, list);
		json_decref(list);
		free(text);
	}
	containers_sort(containers);
}
