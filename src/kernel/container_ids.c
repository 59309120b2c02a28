/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/container_ids.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/util.h"

enum { ID_DIGITS = 64, UID_LENGTH = 36, STATIC_UID_LENGTH = 32, ANSWER_MAX = 16 << 20 };

void container_ids_fini(struct container_ids *ids)
{
	free(ids->items);
	*ids = (struct container_ids){ 0 };
}

/* What is no id would be found in every path. */
static bool is_hex(const char *text, size_t length, const char *also)
{
	for (size_t i = 0; i < length; i++)
		if (!text[i] || (!strchr("0123456789abcdef", text[i]) && !strchr(also, text[i])))
			return false;
	return text[length] == '\0';
}

/* With dashes, or of a pod that a file describes without. */
static bool is_uid(const char *text)
{
	return is_hex(text, UID_LENGTH, "-") || is_hex(text, STATIC_UID_LENGTH, "");
}

static int add(struct container_ids *ids, const char *text, size_t length)
{
	struct container_id *items = reallocarray(ids->items, ids->count + 1, sizeof *items);

	if (!items)
		return -ENOMEM;
	ids->items = items;
	snprintf(items[ids->count++].text, sizeof items->text, "%.*s", (int)length, text);
	return 0;
}

/* Calls take with each name in a directory until it fails. */
static int each_name(const char *path,
    int (*take)(struct container_ids *ids, const char *entry, const char *name), struct container_ids *ids,
    const char *name)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	int err = 0;

	while (directory && !err && (entry = readdir(directory)))
		err = take(ids, entry->d_name, name);
	if (directory)
		closedir(directory);
	return err;
}

/* ---- the kubelet's names: none of their parts has an underscore ---- */

/* POD_NAMESPACE_CONTAINER-ID.log */
static int take_log(struct container_ids *ids, const char *entry, const char *name)
{
	const char *namespace = strchr(entry, '_'),
	           *container = namespace ? strchr(namespace + 1, '_') : NULL;
	size_t length = strlen(name);

	if (!container || strncmp(container + 1, name, length) != 0 || container[1 + length] != '-')
		return 0;
	const char *id = container + 1 + length + 1;

	return strspn(id, "0123456789abcdef") == ID_DIGITS && strcmp(id + ID_DIGITS, ".log") == 0
	           ? add(ids, id, ID_DIGITS)
	           : 0;
}

/* NAMESPACE_NAME_UID; name: "NAMESPACE/NAME" or "NAME" */
static int take_pod(struct container_ids *ids, const char *entry, const char *name)
{
	const char *pod = strchr(entry, '_'), *uid = pod ? strchr(pod + 1, '_') : NULL,
	           *slash = strchr(name, '/');
	const char *wanted = slash ? slash + 1 : name;

	if (!uid || strlen(wanted) != (size_t)(uid - pod - 1) ||
	    strncmp(pod + 1, wanted, strlen(wanted)) != 0)
		return 0;
	if (slash && (slash - name != pod - entry || strncmp(entry, name, (size_t)(slash - name)) != 0))
		return 0;
	return is_uid(uid + 1) ? add(ids, uid + 1, strlen(uid + 1)) : 0;
}

/* ---- lists of runtimes ---- */

/* Both list objects with an id and names; Docker's names begin with a slash. */
static int take_list(struct container_ids *ids, const json_t *list, const char *name)
{
	size_t i, j;
	json_t *container, *alias;
	int err = 0;

	json_array_foreach(list, i, container)
	{
		json_t *id = json_object_get(container, "Id"), *names = json_object_get(container, "Names");

		id = id ? id : json_object_get(container, "id");
		names = names ? names : json_object_get(container, "names");
		json_array_foreach(names, j, alias)
		{
			const char *text = json_string_value(alias), *digits = json_string_value(id);

			if (!err && text && digits && is_hex(digits, ID_DIGITS, "") &&
			    strcmp(text + (*text == '/'), name) == 0)
				err = add(ids, digits, ID_DIGITS);
		}
	}
	return err;
}

static int take_file(struct container_ids *ids, const char *path, const char *name)
{
	json_t *list = json_load_file(path, 0, NULL);
	int err = take_list(ids, list, name);

	json_decref(list);
	return err;
}

static int open_socket(const char *path)
{
	const struct timeval patience = { .tv_sec = 1 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

/* The whole answer, with a 0 at its end, for free(); NULL: none. HTTP 1.0: the end of the stream ends it. */
static char *ask_socket(int fd)
{
	static const char request[] = "GET /containers/json HTTP/1.0\r\nHost: localhost\r\n\r\n";
	size_t size = 1 << 16, used = 0;
	char *answer = malloc(size + 1);
	ssize_t got = send(fd, request, sizeof request - 1, MSG_NOSIGNAL);

	while (answer && got > 0) {
		if (used == size) {
			char *larger = size < ANSWER_MAX ? realloc(answer, 2 * size + 1) : NULL;

			if (!larger)
				break;
			answer = larger;
			size *= 2;
		}
		got = recv(fd, answer + used, size - used, 0);
		used += got > 0 ? (size_t)got : 0;
	}
	if (answer)
		answer[used] = '\0';
	return answer;
}

static int take_socket(struct container_ids *ids, const char *path, const char *name)
{
	int fd = open_socket(path);

	if (fd < 0)
		return 0;
	char *answer = ask_socket(fd), *body = answer ? strstr(answer, "\r\n\r\n") : NULL;

	close(fd);
	json_t *list = body ? json_loads(body + 4, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
	int err = take_list(ids, list, name);

	json_decref(list);
	free(answer);
	return err;
}

static const struct {
	const char *kind; /* what the column has before the colon */
	int (*take)(struct container_ids *ids, const char *path, const char *name);
	const char *path;
} lists[] = {
	{ "docker", take_socket, "/run/docker.sock" },
	{ "podman", take_file, "/var/lib/containers/storage/overlay-containers/containers.json" },
	{ "podman", take_file, "/var/lib/containers/storage/vfs-containers/containers.json" },
};

int container_ids_of_name(struct container_ids *ids, const char *name)
{
	const char *colon = strchr(name, ':'), *plain = colon ? colon + 1 : name;
	int err = colon ? 0 : each_name("/var/log/containers", take_log, ids, name);

	for (size_t i = 0; i < COUNT_OF(lists) && !err; i++) {
		size_t length = strlen(lists[i].kind);

		if (!colon || ((size_t)(colon - name) == length && strncmp(name, lists[i].kind, length) == 0))
			err = lists[i].take(ids, lists[i].path, plain);
	}
	return err;
}

int container_ids_of_pod(struct container_ids *ids, const char *text)
{
	int err = is_uid(text) ? add(ids, text, strlen(text)) : 0;

	return err ?: each_name("/var/log/pods", take_pod, ids, text);
}
