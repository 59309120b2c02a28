/* SPDX-License-Identifier: Apache-2.0 */
#include "names/containers.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/array.h"
#include "base/util.h"

enum {
	ITEMS_MAX = 65536, /* then those that have gone are forgotten */
	ENTRIES_MAX = 65536,
	CAPACITY_MIN = 64,
	PATH_SIZE = 4096,
};

struct item {
	char id[CONTAINER_ID_SIZE];
	const char *engine;
	char *namespace; /* the start of one block of memory, which the others stand in */
	char *pod;
	char *name;
	size_t place; /* when it came */
};

/* A directory of the kubelet's. */
struct kubelet {
	const char *path;
	bool (*take)(struct containers *containers, const char *entry);
	struct timespec changed; /* when it was read */
	bool is_settled;         /* what was made in it since has another time */
};

struct containers {
	const char *root;
	struct item *items; /* ascending by id up to sorted_count, then as they came */
	size_t count;
	size_t sorted_count;
	size_t capacity;
	bool asked;
	struct kubelet kubelet[2];
};

/* ---- what is known ---- */

static void clear(struct containers *containers)
{
	while (containers->count)
		free(containers->items[--containers->count].namespace);
	containers->sorted_count = 0;
}

/* By id; of those that have one id the kubelet's first, then those that came first. */
static int compare_items(const void *a, const void *b)
{
	const struct item *left = a, *right = b;
	int order = strcmp(left->id, right->id);

	order = order ?: COMPARE(left->engine != NULL, right->engine != NULL);
	return order ?: COMPARE(left->place, right->place);
}

/* The first of that id; NULL: none. */
static const struct item *find(const struct containers *containers, const char *id)
{
	size_t low = 0, high = containers->sorted_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(containers->items[middle].id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < containers->sorted_count && strcmp(containers->items[low].id, id) == 0
	           ? &containers->items[low]
	           : NULL;
}

struct part {
	const char *text;
	size_t length;
};

/* False: it is known, there is no memory, or they are too many. */
static bool add(struct containers *containers, const char *id, const char *engine, struct part namespace,
    struct part pod, struct part name)
{
	const struct item *known = find(containers, id);

	if ((known && known->engine == engine) || containers->count == ITEMS_MAX)
		return false;
	struct item *items = array_grow(
	    containers->items, containers->count, &containers->capacity, CAPACITY_MIN, sizeof *items);

	if (!items)
		return false;
	containers->items = items;
	struct item *item = &items[containers->count];
	char *block = calloc(namespace.length + pod.length + name.length + 3, 1);

	if (!block)
		return false;
	*item = (struct item){ .engine = engine, .namespace = block, .place = containers->count };
	snprintf(item->id, sizeof item->id, "%s", id);
	item->pod = block + namespace.length + 1;
	item->name = item->pod + pod.length + 1;
	memcpy(item->namespace, namespace.text, namespace.length);
	memcpy(item->pod, pod.text, pod.length);
	memcpy(item->name, name.text, name.length);
	containers->count++;
	return true;
}

void containers_sort(struct containers *containers)
{
	if (containers->count > containers->sorted_count)
		qsort(containers->items, containers->count, sizeof *containers->items, compare_items);
	containers->sorted_count = containers->count;
}

/* ---- the kubelet's names: none of their parts has an underscore ---- */

static struct part between(const char *begin, const char *end)
{
	return (struct part){ begin, (size_t)(end - begin) };
}

/* POD_NAMESPACE_CONTAINER-ID.log */
static bool take_log(struct containers *containers, const char *entry)
{
	static const char suffix[] = ".log";
	enum { TAIL = CONTAINER_ID_DIGITS + sizeof suffix - 1 };
	const char *namespace = strchr(entry, '_'), *name = namespace ? strchr(namespace + 1, '_') : NULL;
	char id[CONTAINER_ID_SIZE];

	if (!name || strlen(name) < TAIL + 3)
		return false;
	const char *digits = name + strlen(name) - TAIL;

	snprintf(id, sizeof id, "%.*s", CONTAINER_ID_DIGITS, digits);
	if (digits[-1] != '-' || strcmp(digits + CONTAINER_ID_DIGITS, suffix) != 0 || !container_id_is(id))
		return false;
	return add(containers, id, NULL, between(namespace + 1, name), between(entry, namespace),
	    between(name + 1, digits - 1));
}

/* NAMESPACE_POD_UID */
static bool take_pod(struct containers *containers, const char *entry)
{
	const char *pod = strchr(entry, '_'), *uid = pod ? strchr(pod + 1, '_') : NULL;

	return uid && container_id_is_pod(uid + 1) &&
	       add(containers, uid + 1, NULL, between(entry, pod), between(pod + 1, uid),
	           (struct part){ "", 0 });
}

static bool read_kubelet(struct containers *containers, struct kubelet *kubelet)
{
	char path[PATH_SIZE];
	struct stat status;
	const struct dirent *entry;
	bool added = false;

	snprintf(path, sizeof path, "%s%s", containers->root, kubelet->path);
	if (stat(path, &status) != 0 ||
	    (kubelet->is_settled && kubelet->changed.tv_sec == status.st_mtim.tv_sec &&
	        kubelet->changed.tv_nsec == status.st_mtim.tv_nsec))
		return false;
	kubelet->changed = status.st_mtim;
	/* The clock of files goes by ticks: another change may have the same time. */
	kubelet->is_settled = time(NULL) > status.st_mtim.tv_sec + 1;
	DIR *directory = opendir(path);

	for (int i = 0; directory && i < ENTRIES_MAX && (entry = readdir(directory)); i++)
		added |= kubelet->take(containers, entry->d_name);
	if (directory)
		closedir(directory);
	return added;
}

bool containers_refresh(struct containers *containers)
{
	bool added = false;

	if (containers->count == ITEMS_MAX) {
		clear(containers);
		containers->kubelet[0].is_settled = containers->kubelet[1].is_settled = false;
	}
	for (size_t i = 0; i < COUNT_OF(containers->kubelet); i++)
		added |= read_kubelet(containers, &containers->kubelet[i]);
	containers_sort(containers);
	return added;
}

/* ---- engines ---- */

const char *containers_to_ask(struct containers *containers)
{
	bool asked = containers->asked;

	containers->asked = true;
	return asked ? NULL : containers->root;
}

void containers_add(struct containers *containers, const char *engine, const char *id, const char *name)
{
	const struct part none = { "", 0 };

	if (container_id_is(id) && *name)
		add(containers, id, engine, none, none, (struct part){ name, strlen(name) });
}

/* ---- for others ---- */

struct containers *containers_open(const char *root)
{
	struct containers *containers = calloc(1, sizeof *containers);

	if (!containers)
		return NULL;
	containers->root = root;
	containers->kubelet[0] = (struct kubelet){ .path = "/var/log/containers", .take = take_log };
	containers->kubelet[1] = (struct kubelet){ .path = "/var/log/pods", .take = take_pod };
	return containers;
}

void containers_close(struct containers *containers)
{
	if (!containers)
		return;
	clear(containers);
	free(containers->items);
	free(containers);
}

bool containers_find(const struct containers *containers, const char *id, struct container *container)
{
	const struct item *item = find(containers, id);

	if (item)
		*container = (struct container){ item->engine, item->namespace, item->pod, item->name };
	return item;
}

void container_ids_fini(struct container_ids *ids)
{
	free(ids->items);
	*ids = (struct container_ids){ 0 };
}

static int append(struct container_ids *ids, const char *id)
{
	char(*items)[CONTAINER_ID_SIZE] = reallocarray(ids->items, ids->count + 1, sizeof *items);

	if (!items)
		return -ENOMEM;
	ids->items = items;
	snprintf(items[ids->count++], sizeof *items, "%s", id);
	return 0;
}

/* Does the text begin with the part, and a separator after it? Where it goes on; NULL: no. */
static const char *after(const char *text, const char *part, char separator)
{
	size_t length = strlen(part);

	return strncmp(text, part, length) == 0 && text[length] == separator ? text + length + 1 : NULL;
}

static bool has_name(const struct item *item, const char *text)
{
	const char *rest = text;

	if (!*item->name)
		return false;
	if (strcmp(item->name, text) == 0)
		return true;
	if (item->engine) {
		rest = after(text, item->engine, ':');
	} else {
		rest = after(text, item->namespace, '/');
		rest = rest ? after(rest, item->pod, '/') : NULL;
	}
	return rest && strcmp(item->name, rest) == 0;
}

static bool has_pod(const struct item *item, const char *text)
{
	const char *rest = after(text, item->namespace, '/');

	return !item->engine && !*item->name && strcmp(item->pod, rest ? rest : text) == 0;
}

static int collect(const struct containers *containers, bool (*is_wanted)(const struct item *, const char *),
    const char *text, struct container_ids *ids)
{
	int err = 0;

	for (size_t i = 0; containers && i < containers->count && !err; i++)
		if (is_wanted(&containers->items[i], text))
			err = append(ids, containers->items[i].id);
	return err;
}

int containers_ids_of_name(const struct containers *containers, const char *name, struct container_ids *ids)
{
	return collect(containers, has_name, name, ids);
}

int containers_ids_of_pod(const struct containers *containers, const char *text, struct container_ids *ids)
{
	int err = container_id_is_pod(text) ? append(ids, text) : 0;

	return err ?: collect(containers, has_pod, text, ids);
}
