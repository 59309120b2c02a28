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

#include "names/budget.h"
#include "names/cgroup_name.h"
#include "names/proc.h"

#define WALK_DIRECTORIES_MAX 4000
#define WALK_DEPTH_MAX 12
#define WALK_PAUSE_S 5
#define WALK_TRIES 3
#define ASK_TRIES 16
#define ANSWERS 1024
#define ANSWERS_PER_S 500      /* processes looked at: some 20 ms */
#define NO_CGROUP (1ull << 63) /* marks a key that is no cgroup's id */

struct entry {
	uint64_t cgroup_id;
	char *path; /* NULL: not found (yet) */
	char text[48];
	uint8_t walks;
	uint8_t asks;
	bool is_container; /* path is a container's */
};

/* What a process's v1 hierarchies said: see ask_hierarchies. It had the PID from seen_s to asked_s (wall clock). */
struct answer {
	uint32_t pid;
	uint32_t container;
	int64_t seen_s;
	int64_t asked_s;
};

struct cgroups {
	const struct proc *proc; /* used only where something is mounted */
	struct entry *entries;   /* entry i is container i + 1 */
	uint32_t count;
	uint32_t capacity;
	uint32_t *slots; /* by id: container, 0 free */
	uint32_t slot_count;
	char root[256]; /* where the v2 hierarchy is mounted; "" when it is not */
	time_t walked_s;
	bool want_all;
	bool has_v1; /* v1 hierarchies are mounted */
	struct answer answers[ANSWERS];
	struct budget asked;
};

/* /proc/self/mountinfo: "36 35 98:0 /root /mount options - type source ..." */
static void find_root(struct cgroups *cgroups)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *text = NULL;
	size_t capacity = 0;
	char root[256], mount[sizeof cgroups->root];

	if (!file)
		return;
	while (getline(&text, &capacity, file) > 0) {
		const char *type = strstr(text, " - ");

		if (!type || sscanf(text, "%*s %*s %*s %255s %255s", root, mount) != 2)
			continue;
		/* The whole hierarchy rather than a part of it that is mounted somewhere else. */
		if (strncmp(type, " - cgroup2 ", 11) == 0 && (!cgroups->root[0] || strcmp(root, "/") == 0))
			memcpy(cgroups->root, mount, sizeof mount);
		cgroups->has_v1 |= strncmp(type, " - cgroup ", 10) == 0;
	}
	free(text);
	fclose(file);
}

struct cgroups *cgroups_open(const struct proc *proc)
{
	struct cgroups *cgroups = calloc(1, sizeof *cgroups);

	if (!cgroups || !proc)
		return cgroups;
	cgroups->proc = proc;
	find_root(cgroups);
	return cgroups;
}

void cgroups_close(struct cgroups *cgroups)
{
	if (!cgroups)
		return;
	for (uint32_t i = 0; i < cgroups->count; i++)
		free(cgroups->entries[i].path);
	free(cgroups->entries);
	free(cgroups->slots);
	free(cgroups);
}

void cgroups_want_all(struct cgroups *cgroups)
{
	cgroups->want_all = true;
}

static uint32_t slot_of(const struct cgroups *cgroups, uint64_t cgroup_id)
{
	uint32_t mask = cgroups->slot_count - 1;
	uint32_t slot = (uint32_t)((cgroup_id * 0x9e3779b97f4a7c15u) >> 32) & mask;

	while (cgroups->slots[slot] && cgroups->entries[cgroups->slots[slot] - 1].cgroup_id != cgroup_id)
		slot = (slot + 1) & mask;
	return slot;
}

static int grow(struct cgroups *cgroups)
{
	uint32_t capacity = cgroups->capacity ? cgroups->capacity * 2 : 32;
	struct entry *entries = reallocarray(cgroups->entries, capacity, sizeof *entries);

	if (!entries)
		return -1;
	cgroups->entries = entries;
	uint32_t *slots = calloc((size_t)capacity * 2, sizeof *slots);

	if (!slots)
		return -1;
	free(cgroups->slots);
	cgroups->slots = slots;
	cgroups->slot_count = capacity * 2;
	cgroups->capacity = capacity;
	for (uint32_t i = 0; i < cgroups->count; i++)
		slots[slot_of(cgroups, entries[i].cgroup_id)] = i + 1;
	return 0;
}

/* The entry of a key, new if need be; NULL: no memory. */
static struct entry *find_entry(struct cgroups *cgroups, uint64_t cgroup_id, bool *is_new)
{
	if (cgroups->count == cgroups->capacity && grow(cgroups) < 0)
		return NULL;
	uint32_t slot = slot_of(cgroups, cgroup_id);

	*is_new = !cgroups->slots[slot];
	if (*is_new) {
		cgroups->entries[cgroups->count++] = (struct entry){ .cgroup_id = cgroup_id };
		cgroups->slots[slot] = cgroups->count;
	}
	return &cgroups->entries[cgroups->slots[slot] - 1];
}

static uint32_t number_of(const struct cgroups *cgroups, const struct entry *entry)
{
	return (uint32_t)(entry - cgroups->entries) + 1;
}

static void set_path(struct entry *entry, const char *path)
{
	entry->path = strdup(path[0] ? path : "/");
	if (entry->path)
		entry->is_container = cgroup_name(entry->text, sizeof entry->text, entry->path);
}

/* The line of the v2 hierarchy in /proc/PID/cgroup, "0::/path". The process may have moved: the inode decides. */
static void ask_process(const struct cgroups *cgroups, struct entry *entry, uint32_t pid, int64_t seen_s)
{
	char full[2048], *text = NULL;
	const char *unused;
	int64_t unused_s;
	size_t capacity = 0;
	struct stat status;
	bool found = false;

	FILE *file = proc_file(cgroups->proc, pid, seen_s, "cgroup", &unused_s, &unused);

	if (!file)
		return;
	while (!found && getline(&text, &capacity, file) > 0) {
		if (strncmp(text, "0::/", 4) != 0)
			continue;
		text[strcspn(text, "\n")] = '\0';
		if ((size_t)snprintf(full, sizeof full, "%s%s", cgroups->root, text + 3) < sizeof full &&
		    stat(full, &status) == 0 && status.st_ino == entry->cgroup_id) {
			set_path(entry, text + 3);
			found = true;
		}
	}
	free(text);
	fclose(file);
}

struct walk {
	struct cgroups *cgroups;
	char path[2048];
	unsigned directories;
};

static void walk_take(struct walk *walk, const struct stat *status)
{
	struct cgroups *cgroups = walk->cgroups;
	uint32_t container = cgroups->slots[slot_of(cgroups, status->st_ino)];

	if (container && !cgroups->entries[container - 1].path)
		set_path(&cgroups->entries[container - 1], walk->path + strlen(cgroups->root));
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

/* The process has exited or is hidden, so search the hierarchy: bounded, rarely, and a few times for an id. */
static void look_around(struct cgroups *cgroups, struct entry *entry)
{
	struct timespec now;
	struct walk walk = { .cgroups = cgroups };

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (entry->walks >= WALK_TRIES ||
	    (!cgroups->want_all && cgroups->walked_s && now.tv_sec - cgroups->walked_s < WALK_PAUSE_S))
		return;
	entry->walks++;
	cgroups->walked_s = now.tv_sec;
	snprintf(walk.path, sizeof walk.path, "%s", cgroups->root);
	walk_directory(&walk, 0);
}

/* A container that has a path but no id. */
static uint32_t find_path(struct cgroups *cgroups, const char *path)
{
	uint64_t hash = 14695981039346656037u;
	struct entry *entry;
	bool is_new;

	for (const char *c = path; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 1099511628211u;
	/* Who creates cgroups can choose two names with one hash. */
	do
		entry = find_entry(cgroups, hash++ | NO_CGROUP, &is_new);
	while (entry && !is_new && entry->path && strcmp(entry->path, path) != 0);
	if (entry && !entry->path)
		set_path(entry, path);
	return entry && entry->path ? number_of(cgroups, entry) : 0;
}

/*
 * Runtimes that use v1 hierarchies leave their processes where they are in the v2 one: in its root, or in the
 * runtime's service. Then the container is in the other lines of /proc/PID/cgroup, "4:memory:/path". False:
 * the limit of ANSWERS_PER_S is reached.
 */
static bool ask_hierarchies(struct cgroups *cgroups, uint32_t pid, int64_t seen_s, uint32_t *container)
{
	struct answer *answer = &cgroups->answers[pid % ANSWERS];
	const char *unused;
	int64_t unused_s;
	char shortened[sizeof cgroups->entries->text], *text = NULL;
	size_t capacity = 0;

	*container = answer->container;
	if (answer->pid == pid && answer->seen_s <= seen_s && seen_s <= answer->asked_s)
		return true;
	if (!budget_take(&cgroups->asked, ANSWERS_PER_S) && !cgroups->want_all)
		return false;
	*container = 0;
	FILE *file = proc_file(cgroups->proc, pid, seen_s, "cgroup", &unused_s, &unused);

	*answer = (struct answer){ 0 }; /* of a process that is not there nothing is kept */
	if (file)
		*answer = (struct answer){ pid, 0, seen_s, time(NULL) };
	while (file && !answer->container && getline(&text, &capacity, file) > 0) {
		const char *path = strstr(text, ":/");

		text[strcspn(text, "\n")] = '\0';
		if (path && cgroup_name(shortened, sizeof shortened, path + 1))
			answer->container = find_path(cgroups, path + 1);
	}
	free(text);
	if (file)
		fclose(file);
	*container = answer->container;
	return true;
}

uint32_t cgroups_find(struct cgroups *cgroups, uint64_t cgroup_id, uint32_t pid, int64_t seen_s)
{
	bool is_new;
	struct entry *entry = cgroup_id ? find_entry(cgroups, cgroup_id, &is_new) : NULL;

	if (!entry)
		return 0;
	if (is_new)
		snprintf(entry->text, sizeof entry->text, "cgroup %llu", (unsigned long long)cgroup_id);
	if (!entry->path && cgroups->root[0]) {
		if (entry->asks < ASK_TRIES) {
			entry->asks++;
			ask_process(cgroups, entry, pid, seen_s);
		}
		if (!entry->path)
			look_around(cgroups, entry);
	}
	uint32_t container = number_of(cgroups, entry), other = 0;

	if (cgroups->has_v1 && !entry->is_container && !ask_hierarchies(cgroups, pid, seen_s, &other))
		return 0;
	return other ? other : container;
}

const char *cgroups_text(const struct cgroups *cgroups, uint32_t container)
{
	return container ? cgroups->entries[container - 1].text : "-";
}

const char *cgroups_path(const struct cgroups *cgroups, uint32_t container)
{
	if (!container)
		return "-";
	const struct entry *entry = &cgroups->entries[container - 1];

	return entry->path ? entry->path : entry->text;
}
