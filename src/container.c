/* SPDX-License-Identifier: Apache-2.0 */
#include "container.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ID_DIGITS 64
#define ID_SHOWN 12
#define WALK_DIRECTORIES_MAX 4000
#define WALK_DEPTH_MAX 12
#define WALK_PAUSE_S 5
#define WALK_TRIES 3
#define ASK_TRIES 16

struct entry {
	uint64_t cgroup_id;
	char *path; /* NULL: not found (yet) */
	char text[48];
	uint8_t walks;
	uint8_t asks;
};

struct container_cache {
	struct entry *entries; /* entry i is container i + 1 */
	uint32_t count;
	uint32_t capacity;
	uint32_t *slots; /* by id: container, 0 free */
	uint32_t slot_count;
	char root[256]; /* where the v2 hierarchy is mounted; "" when it is not */
	time_t walked_s;
};

/* ---- short names ---- */

/* How a runtime spells a container in a cgroup's name: before the id, and what to call it. */
static const struct {
	const char *prefix;
	const char *name;
} runtimes[] = {
	{ "docker-", "docker" },
	{ "cri-containerd-", "cri" },
	{ "crio-", "crio" },
	{ "libpod-", "podman" },
	{ "nerdctl-", "nerdctl" },
};

static size_t hex_length(const char *text)
{
	return strspn(text, "0123456789abcdef");
}

/* One component of the path: 1 when it names a container. */
static int shorten_container(char *buffer, size_t size, const char *component, const char *parent)
{
	for (size_t i = 0; i < sizeof runtimes / sizeof runtimes[0]; i++) {
		size_t length = strlen(runtimes[i].prefix);

		if (strncmp(component, runtimes[i].prefix, length) == 0 &&
		    hex_length(component + length) >= ID_SHOWN) {
			snprintf(buffer, size, "%s:%.*s", runtimes[i].name, ID_SHOWN, component + length);
			return 1;
		}
	}
	if (hex_length(component) == ID_DIGITS && component[ID_DIGITS] == '\0') {
		const char *name = strcmp(parent, "docker") == 0 ? "docker"
		                   : strncmp(parent, "pod", 3) == 0 || strncmp(parent, "kubepods", 8) == 0
		                       ? "pod"
		                       : "container";

		snprintf(buffer, size, "%s:%.*s", name, ID_SHOWN, component);
		return 1;
	}
	if (strncmp(component, "lxc.payload.", 12) == 0 && component[12]) {
		snprintf(buffer, size, "lxc:%s", component + 12);
		return 1;
	}
	if (strncmp(component, "machine-", 8) == 0 && strstr(component, ".scope")) {
		snprintf(buffer, size, "machine:%.*s", (int)(strlen(component) - 8 - strlen(".scope")),
		    component + 8);
		return 1;
	}
	return 0;
}

/* What says nothing by itself: the slice above it is not wanted either, the unit is. */
static int is_unit(const char *component)
{
	const char *dot = strrchr(component, '.');

	return dot && (strcmp(dot, ".service") == 0 || strcmp(dot, ".scope") == 0 ||
	                  strcmp(dot, ".socket") == 0 || strcmp(dot, ".mount") == 0);
}

void container_shorten(char *buffer, size_t size, const char *path)
{
	char copy[1024];
	char *saved = NULL;
	const char *parent = "";
	int named = 0;

	snprintf(copy, sizeof copy, "%s", path);
	snprintf(buffer, size, "/");
	for (char *component = strtok_r(copy, "/", &saved); component;
	     component = strtok_r(NULL, "/", &saved)) {
		/* The innermost container, else the innermost unit, else the last directory. */
		if (shorten_container(buffer, size, component, parent))
			named = 2;
		else if (named < 2 && is_unit(component)) {
			snprintf(buffer, size, "%s", component);
			named = 1;
		} else if (!named)
			snprintf(buffer, size, "%s", component);
		parent = component;
	}
}

/* ---- ids ---- */

/* /proc/self/mountinfo: "36 35 98:0 /root /mount options - type source ..." */
static void find_root(char *buffer, size_t size)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *text = NULL;
	size_t capacity = 0;
	char mount[256];

	buffer[0] = '\0';
	if (!file)
		return;
	while (!buffer[0] && getline(&text, &capacity, file) > 0) {
		const char *type = strstr(text, " - ");

		if (type && strncmp(type, " - cgroup2 ", 11) == 0 &&
		    sscanf(text, "%*s %*s %*s %*s %255s", mount) == 1)
			snprintf(buffer, size, "%s", mount);
	}
	free(text);
	fclose(file);
}

struct container_cache *container_cache_open(bool live)
{
	struct container_cache *cache = calloc(1, sizeof *cache);

	if (cache && live)
		find_root(cache->root, sizeof cache->root);
	return cache;
}

void container_cache_close(struct container_cache *cache)
{
	if (!cache)
		return;
	for (uint32_t i = 0; i < cache->count; i++)
		free(cache->entries[i].path);
	free(cache->entries);
	free(cache->slots);
	free(cache);
}

static uint32_t slot_of(const struct container_cache *cache, uint64_t cgroup_id)
{
	uint32_t mask = cache->slot_count - 1;
	uint32_t slot = (uint32_t)((cgroup_id * 0x9e3779b97f4a7c15u) >> 32) & mask;

	while (cache->slots[slot] && cache->entries[cache->slots[slot] - 1].cgroup_id != cgroup_id)
		slot = (slot + 1) & mask;
	return slot;
}

static int grow(struct container_cache *cache)
{
	uint32_t capacity = cache->capacity ? cache->capacity * 2 : 32;
	struct entry *entries = reallocarray(cache->entries, capacity, sizeof *entries);

	if (!entries)
		return -1;
	cache->entries = entries;
	uint32_t *slots = calloc((size_t)capacity * 2, sizeof *slots);

	if (!slots)
		return -1;
	free(cache->slots);
	cache->slots = slots;
	cache->slot_count = capacity * 2;
	cache->capacity = capacity;
	for (uint32_t i = 0; i < cache->count; i++)
		slots[slot_of(cache, entries[i].cgroup_id)] = i + 1;
	return 0;
}

/* The id is the directory's inode number; kernels before 5.5 show only its lower half there. */
static int same_id(uint64_t cgroup_id, const struct stat *status)
{
	return status->st_ino == cgroup_id ||
	       (status->st_ino >> 32 == 0 && status->st_ino == (uint32_t)cgroup_id);
}

static void set_path(struct entry *entry, const char *path)
{
	entry->path = strdup(path[0] ? path : "/");
	if (entry->path)
		container_shorten(entry->text, sizeof entry->text, entry->path);
}

/* /proc/PID/cgroup's line of the v2 hierarchy: "0::/path". Taken when it is that cgroup's indeed. */
static void ask_process(const struct container_cache *cache, struct entry *entry, uint32_t pid)
{
	char name[32], full[2048];
	char *text = NULL;
	size_t capacity = 0;
	struct stat status;
	bool found = false;

	snprintf(name, sizeof name, "/proc/%u/cgroup", pid);
	FILE *file = fopen(name, "re");

	if (!file)
		return;
	while (!found && getline(&text, &capacity, file) > 0) {
		if (strncmp(text, "0::/", 4) != 0)
			continue;
		text[strcspn(text, "\n")] = '\0';
		if ((size_t)snprintf(full, sizeof full, "%s%s", cache->root, text + 3) < sizeof full &&
		    stat(full, &status) == 0 && same_id(entry->cgroup_id, &status)) {
			set_path(entry, text + 3);
			found = true;
		}
	}
	free(text);
	fclose(file);
}

struct walk {
	struct container_cache *cache;
	char path[2048];
	unsigned directories;
};

static void walk_take(struct walk *walk, const struct stat *status)
{
	struct container_cache *cache = walk->cache;
	uint32_t container = cache->slots[slot_of(cache, status->st_ino)];

	if (container && !cache->entries[container - 1].path)
		set_path(&cache->entries[container - 1], walk->path + strlen(cache->root));
}

static void walk_directory(struct walk *walk, unsigned depth)
{
	size_t length = strlen(walk->path);
	DIR *directory = opendir(walk->path);
	struct stat status;
	struct dirent *item;

	if (!directory)
		return;
	if (fstat(dirfd(directory), &status) == 0)
		walk_take(walk, &status);
	while (depth < WALK_DEPTH_MAX && walk->directories < WALK_DIRECTORIES_MAX &&
	       (item = readdir(directory)) != NULL) {
		if (item->d_type != DT_DIR || item->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(walk->path + length, sizeof walk->path - length, "/%s", item->d_name) <
		    sizeof walk->path - length) {
			walk->directories++;
			walk_directory(walk, depth + 1);
		}
		walk->path[length] = '\0';
	}
	closedir(directory);
}

/* The process is gone, or hidden: look for the directory itself. Bounded, seldom, and few times an id. */
static void look_around(struct container_cache *cache, struct entry *entry)
{
	struct timespec now;
	struct walk walk = { .cache = cache };

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (entry->walks >= WALK_TRIES || (cache->walked_s && now.tv_sec - cache->walked_s < WALK_PAUSE_S))
		return;
	entry->walks++;
	cache->walked_s = now.tv_sec;
	snprintf(walk.path, sizeof walk.path, "%s", cache->root);
	walk_directory(&walk, 0);
}

uint32_t container_find(struct container_cache *cache, uint64_t cgroup_id, uint32_t pid)
{
	if (!cgroup_id || (cache->count == cache->capacity && grow(cache) < 0))
		return 0;
	uint32_t slot = slot_of(cache, cgroup_id);

	if (!cache->slots[slot]) {
		struct entry *entry = &cache->entries[cache->count++];

		*entry = (struct entry){ .cgroup_id = cgroup_id };
		snprintf(entry->text, sizeof entry->text, "cgroup %llu", (unsigned long long)cgroup_id);
		cache->slots[slot] = cache->count;
	}
	struct entry *entry = &cache->entries[cache->slots[slot] - 1];

	if (!entry->path && cache->root[0]) {
		if (entry->asks < ASK_TRIES) {
			entry->asks++;
			ask_process(cache, entry, pid);
		}
		if (!entry->path)
			look_around(cache, entry);
	}
	return cache->slots[slot];
}

const char *container_text(const struct container_cache *cache, uint32_t container)
{
	return container ? cache->entries[container - 1].text : "-";
}

const char *container_path(const struct container_cache *cache, uint32_t container)
{
	if (!container)
		return "-";
	const struct entry *entry = &cache->entries[container - 1];

	return entry->path ? entry->path : entry->text;
}
