/* SPDX-License-Identifier: Apache-2.0 */
#include "names/cgroups.h"

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
#define ANSWERS 1024
#define ANSWERS_PER_S 500 /* files read: some 10 ms */
#define ANSWER_S 10
#define NO_CGROUP (1ull << 63) /* marks a key that is no cgroup's id */

struct entry {
	uint64_t cgroup_id;
	char *path; /* NULL: not found (yet) */
	char text[48];
	uint8_t walks;
	uint8_t asks;
	bool is_container; /* says path */
};

/* What a process's v1 hierarchies said: see ask_hierarchies. */
struct answer {
	uint32_t pid;
	uint32_t container;
	time_t asked_s;
};

struct container_cache {
	struct entry *entries; /* entry i is container i + 1 */
	uint32_t count;
	uint32_t capacity;
	uint32_t *slots; /* by id: container, 0 free */
	uint32_t slot_count;
	char root[256]; /* where the v2 hierarchy is mounted; "" when it is not */
	time_t walked_s;
	bool has_v1; /* v1 hierarchies are mounted */
	struct answer answers[ANSWERS];
	unsigned answers_this_s;
	time_t answers_s;
};

/* ---- short names ---- */

/*
 * How a runtime spells a container in a cgroup's name, before the id: with systemd as "PREFIXid.scope", else as
 * "PREFIXid", or, where a slice was meant for systemd and went to the file system, as "slice:RUNTIME:id".
 */
static const struct {
	const char *prefix;
	const char *runtime;
	const char *name;
} runtimes[] = {
	{ "docker-", "docker", "docker" },
	{ "cri-containerd-", "cri-containerd", "cri" },
	{ "crio-", "crio", "crio" },
	{ "libpod-", "libpod", "podman" },
	{ "libpod-payload-", NULL, "podman" }, /* below a service's own cgroup */
	{ "nerdctl-", "nerdctl", "nerdctl" },
};

/* Whose directory holds containers that are named by their id alone. */
static const struct {
	const char *parent;
	bool is_prefix;
	const char *name;
} parents[] = {
	{ "docker", false, "docker" },
	{ "moby", false, "docker" },
	{ "pod", true, "cri" },
	{ "kubepods", true, "cri" },
	{ "k8s.io", false, "cri" },
	{ "", true, "container" },
};

static bool begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static size_t hex_length(const char *text)
{
	return strspn(text, "0123456789abcdef");
}

static bool is_id(const char *text)
{
	return hex_length(text) == ID_DIGITS && text[ID_DIGITS] == '\0';
}

static bool shorten_id(char *buffer, size_t size, const char *component, const char *parent)
{
	const char *id = strrchr(component, ':');

	for (size_t i = 0; i < sizeof runtimes / sizeof runtimes[0]; i++) {
		const char *prefix = runtimes[i].prefix, *runtime = runtimes[i].runtime;
		size_t length = strlen(prefix);
		size_t before = id && runtime ? strlen(runtime) : 0;
		bool is_third = before && (size_t)(id - component) > before && is_id(id + 1) &&
		                memcmp(id - before, runtime, before) == 0 && id[-(long)before - 1] == ':';

		if (is_third || (begins(component, prefix) && hex_length(component + length) >= ID_SHOWN)) {
			snprintf(buffer, size, "%s:%.*s", runtimes[i].name, ID_SHOWN,
			    is_third ? id + 1 : component + length);
			return true;
		}
	}
	if (!is_id(component))
		return false;
	size_t i = 0;

	while (parents[i].is_prefix ? !begins(parent, parents[i].parent)
	                            : strcmp(parent, parents[i].parent) != 0)
		i++;
	snprintf(buffer, size, "%s:%.*s", parents[i].name, ID_SHOWN, component);
	return true;
}

/* "PREFIXname SUFFIX" as "KIND:name". False when the name is not of that form. */
static bool shorten_between(char *buffer, size_t size, const char *component, const char *prefix,
    const char *suffix, const char *kind)
{
	size_t length = strlen(component), first = strlen(prefix), last = strlen(suffix);

	if (length <= first + last || !begins(component, prefix) ||
	    strcmp(component + length - last, suffix) != 0)
		return false;
	snprintf(buffer, size, "%s:%.*s", kind, (int)(length - first - last), component + first);
	return true;
}

/* One component of the path: true when it names a container. */
static bool shorten_container(char *buffer, size_t size, const char *component, const char *parent)
{
	if (shorten_id(buffer, size, component, parent) ||
	    shorten_between(buffer, size, component, "lxc.payload.", "", "lxc") ||
	    shorten_between(buffer, size, component, "systemd-nspawn@", ".service", "nspawn") ||
	    shorten_between(buffer, size, component, "machine-", ".scope", "machine"))
		return true;
	if (strcmp(parent, "lxc") != 0 && strcmp(parent, "lxc.payload") != 0)
		return false;
	snprintf(buffer, size, "lxc:%s", component);
	return true;
}

/* What says nothing by itself: the slice above it is not wanted either, the unit is. */
static bool is_unit(const char *component)
{
	const char *dot = strrchr(component, '.');

	return dot && (strcmp(dot, ".service") == 0 || strcmp(dot, ".scope") == 0 ||
	                  strcmp(dot, ".socket") == 0 || strcmp(dot, ".mount") == 0);
}

/* systemd writes a dash within a name as \x2d. Only what is printable is taken back. */
static void unescape(char *text)
{
	char *to = text;
	unsigned code;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] == 'x' && sscanf(from + 2, "%2x", &code) == 1 && code > ' ' &&
		    code < 0x7f && strspn(from + 2, "0123456789abcdef") >= 2) {
			*to = (char)code;
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

bool container_shorten(char *buffer, size_t size, const char *path)
{
	char copy[4096]; /* as long as the kernel prints one */
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
	unescape(buffer);
	return named == 2;
}

/* ---- ids ---- */

/* /proc/self/mountinfo: "36 35 98:0 /root /mount options - type source ..." */
static void find_root(struct container_cache *cache)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *text = NULL;
	size_t capacity = 0;
	char root[256], mount[sizeof cache->root];

	if (!file)
		return;
	while (getline(&text, &capacity, file) > 0) {
		const char *type = strstr(text, " - ");

		if (!type || sscanf(text, "%*s %*s %*s %255s %255s", root, mount) != 2)
			continue;
		/* The whole hierarchy rather than a part of it that is mounted somewhere else. */
		if (begins(type, " - cgroup2 ") && (!cache->root[0] || strcmp(root, "/") == 0))
			memcpy(cache->root, mount, sizeof mount);
		cache->has_v1 |= begins(type, " - cgroup ");
	}
	free(text);
	fclose(file);
}

struct container_cache *container_cache_open(bool live)
{
	struct container_cache *cache = calloc(1, sizeof *cache);

	if (cache && live)
		find_root(cache);
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

/* The entry of a key, new if need be; NULL: no memory. */
static struct entry *find_entry(struct container_cache *cache, uint64_t cgroup_id, bool *is_new)
{
	if (cache->count == cache->capacity && grow(cache) < 0)
		return NULL;
	uint32_t slot = slot_of(cache, cgroup_id);

	*is_new = !cache->slots[slot];
	if (*is_new) {
		cache->entries[cache->count++] = (struct entry){ .cgroup_id = cgroup_id };
		cache->slots[slot] = cache->count;
	}
	return &cache->entries[cache->slots[slot] - 1];
}

static uint32_t number_of(const struct container_cache *cache, const struct entry *entry)
{
	return (uint32_t)(entry - cache->entries) + 1;
}

static void set_path(struct entry *entry, const char *path)
{
	entry->path = strdup(path[0] ? path : "/");
	if (entry->path)
		entry->is_container = container_shorten(entry->text, sizeof entry->text, entry->path);
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

/* A container that has a path but no id. */
static uint32_t find_path(struct container_cache *cache, const char *path)
{
	uint64_t hash = 14695981039346656037u;
	struct entry *entry;
	bool is_new;

	for (const char *c = path; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 1099511628211u;
	/* Whoever names cgroups can find two names of one hash. */
	do
		entry = find_entry(cache, hash++ | NO_CGROUP, &is_new);
	while (entry && !is_new && entry->path && strcmp(entry->path, path) != 0);
	if (entry && !entry->path)
		set_path(entry, path);
	return entry && entry->path ? number_of(cache, entry) : 0;
}

/*
 * Runtimes that use v1 hierarchies leave their processes where they are in the v2 one: in its root, or in the
 * runtime's service. Then the container is in the other lines of /proc/PID/cgroup, "4:memory:/path". False:
 * too many were asked for in this second.
 */
static bool ask_hierarchies(struct container_cache *cache, uint32_t pid, uint32_t *container)
{
	struct answer *answer = &cache->answers[pid % ANSWERS];
	struct timespec now;
	char name[32], shortened[sizeof cache->entries->text], *text = NULL;
	size_t capacity = 0;

	clock_gettime(CLOCK_MONOTONIC, &now);
	*container = answer->container;
	if (answer->pid == pid && now.tv_sec - answer->asked_s < ANSWER_S)
		return true;
	if (now.tv_sec != cache->answers_s)
		cache->answers_this_s = 0;
	cache->answers_s = now.tv_sec;
	if (++cache->answers_this_s > ANSWERS_PER_S)
		return false;
	*container = 0;
	*answer = (struct answer){ .pid = pid, .asked_s = now.tv_sec };
	snprintf(name, sizeof name, "/proc/%u/cgroup", pid);
	FILE *file = fopen(name, "re");

	while (file && !answer->container && getline(&text, &capacity, file) > 0) {
		const char *path = strstr(text, ":/");

		text[strcspn(text, "\n")] = '\0';
		if (path && container_shorten(shortened, sizeof shortened, path + 1))
			answer->container = find_path(cache, path + 1);
	}
	free(text);
	if (file)
		fclose(file);
	*container = answer->container;
	return true;
}

uint32_t container_find(struct container_cache *cache, uint64_t cgroup_id, uint32_t pid)
{
	bool is_new;
	struct entry *entry = cgroup_id ? find_entry(cache, cgroup_id, &is_new) : NULL;

	if (!entry)
		return 0;
	if (is_new)
		snprintf(entry->text, sizeof entry->text, "cgroup %llu", (unsigned long long)cgroup_id);
	if (!entry->path && cache->root[0]) {
		if (entry->asks < ASK_TRIES) {
			entry->asks++;
			ask_process(cache, entry, pid);
		}
		if (!entry->path)
			look_around(cache, entry);
	}
	uint32_t container = number_of(cache, entry), other = 0;

	if (cache->has_v1 && !entry->is_container && !ask_hierarchies(cache, pid, &other))
		return 0;
	return other ? other : container;
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
