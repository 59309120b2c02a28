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

#include "base/hierarchy.h"
#include "base/array.h"
#include "base/clock.h"
#include "names/budget.h"
#include "names/cgroup_describe.h"
#include "names/cgroup_name.h"
#include "names/proc.h"

#define WALK_DIRECTORIES_MAX 65536
#define WALK_SLICE_NS (10 * 1000000u) /* looked at without a break: no key waits longer for it */
#define WALK_PAUSE_NS (5 * NS_PER_S)
#define WALK_PAUSES 32 /* a pause is so much longer than the looking was, at least */
#define WALK_TRIES 3
#define ASK_TRIES 16
#define CAPACITY_MIN 32
#define ANSWERS 1024
#define ANSWERS_PER_S 500      /* processes looked at: some 20 ms */
#define FORGET_MIN 4096        /* so few are not worth the search for those that nobody has */
#define NO_CGROUP (1ull << 63) /* marks a key that is no cgroup's id */

struct entry {
	uint64_t cgroup_id;
	uint32_t number; /* no other entry ever has it */
	char *path;      /* NULL: not found (yet) */
	char text[48];
	uint8_t walks;
	uint8_t asks;
	bool is_container; /* path is a container's */
	bool is_kept;      /* asked for or kept since cgroups_forget */
};

/* What a process's v1 hierarchies said: see ask_hierarchies. It had the PID from seen_s to asked_s (wall clock). */
struct answer {
	uint32_t pid;
	uint32_t container;
	int64_t seen_s;
	int64_t asked_s;
};

/* A search of the whole hierarchy, some directories at a time. */
struct walk {
	char **paths; /* still to be looked at, below the root */
	size_t count;
	size_t capacity;
	unsigned directories;
	bool is_wanted; /* some cgroup has not been looked for often enough */
	uint64_t spent_ns;
	uint64_t next_ns; /* when the next one may begin, on the monotonic clock */
};

struct cgroups {
	const struct proc *proc; /* used only where something is mounted */
	struct entry *entries;   /* ascending by number */
	uint32_t count;
	uint32_t capacity;
	uint32_t forget_at; /* a count */
	uint32_t number;    /* the latest one given */
	uint32_t *slots;    /* by id: index of the entry + 1, 0 free */
	uint32_t slot_count;
	struct hierarchy hierarchy;
	struct walk walk;
	bool want_all;
	struct answer answers[ANSWERS];
	struct budget asked;
};

struct cgroups *cgroups_open(const struct proc *proc)
{
	struct cgroups *cgroups = calloc(1, sizeof *cgroups);

	if (cgroups)
		cgroups->forget_at = FORGET_MIN;
	if (!cgroups || !proc)
		return cgroups;
	cgroups->proc = proc;
	hierarchy_find(&cgroups->hierarchy);
	return cgroups;
}

void cgroups_close(struct cgroups *cgroups)
{
	if (!cgroups)
		return;
	for (uint32_t i = 0; i < cgroups->count; i++)
		free(cgroups->entries[i].path);
	while (cgroups->walk.count)
		free(cgroups->walk.paths[--cgroups->walk.count]);
	free(cgroups->walk.paths);
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

static void fill_slots(struct cgroups *cgroups)
{
	memset(cgroups->slots, 0, cgroups->slot_count * sizeof *cgroups->slots);
	for (uint32_t i = 0; i < cgroups->count; i++)
		cgroups->slots[slot_of(cgroups, cgroups->entries[i].cgroup_id)] = i + 1;
}

/* To at least the count. 0 or -1: no memory, and it is as it was. */
static int resize(struct cgroups *cgroups, uint32_t capacity)
{
	uint32_t *slots = calloc((size_t)capacity * 2, sizeof *slots);
	struct entry *entries = slots ? reallocarray(cgroups->entries, capacity, sizeof *entries) : NULL;

	if (!entries) {
		free(slots);
		return -1;
	}
	free(cgroups->slots);
	cgroups->entries = entries;
	cgroups->slots = slots;
	cgroups->slot_count = capacity * 2;
	cgroups->capacity = capacity;
	fill_slots(cgroups);
	return 0;
}

/* The entry of a key, new if need be; NULL: no memory. */
static struct entry *find_entry(struct cgroups *cgroups, uint64_t cgroup_id, bool *is_new)
{
	if (cgroups->count == cgroups->capacity &&
	    resize(cgroups, cgroups->capacity ? cgroups->capacity * 2 : CAPACITY_MIN) < 0)
		return NULL;
	uint32_t slot = slot_of(cgroups, cgroup_id);

	*is_new = !cgroups->slots[slot];
	if (*is_new) {
		if (cgroups->number == UINT32_MAX)
			return NULL;
		cgroups->entries[cgroups->count++] =
		    (struct entry){ .cgroup_id = cgroup_id, .number = ++cgroups->number };
		cgroups->slots[slot] = cgroups->count;
	}
	cgroups->entries[cgroups->slots[slot] - 1].is_kept = true;
	return &cgroups->entries[cgroups->slots[slot] - 1];
}

/* NULL: 0, or forgotten. */
static struct entry *numbered(const struct cgroups *cgroups, uint32_t number)
{
	uint32_t low = 0, high = cgroups->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (cgroups->entries[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < cgroups->count && cgroups->entries[low].number == number ? &cgroups->entries[low] : NULL;
}

/* ---- what nobody has any more ---- */

bool cgroups_are_many(const struct cgroups *cgroups)
{
	return cgroups->count >= cgroups->forget_at;
}

void cgroups_keep(struct cgroups *cgroups, uint32_t number)
{
	struct entry *entry = numbered(cgroups, number);

	if (entry)
		entry->is_kept = true;
}

void cgroups_forget(struct cgroups *cgroups)
{
	struct entry *entries = cgroups->entries;
	uint32_t kept = 0, capacity = cgroups->capacity;

	for (uint32_t i = 0; i < cgroups->count; i++) {
		if (!entries[i].is_kept) {
			free(entries[i].path);
			continue;
		}
		entries[kept] = entries[i];
		entries[kept++].is_kept = false;
	}
	cgroups->count = kept;
	cgroups->forget_at = kept > FORGET_MIN / 2 ? kept * 2 : FORGET_MIN;
	while (capacity > CAPACITY_MIN && kept < capacity / 4)
		capacity /= 2;
	/* Without the memory for it, the table stays as large as it is. */
	if (cgroups->slots && (capacity == cgroups->capacity || resize(cgroups, capacity) < 0))
		fill_slots(cgroups);
	for (size_t i = 0; i < ANSWERS; i++)
		if (cgroups->answers[i].container && !numbered(cgroups, cgroups->answers[i].container))
			cgroups->answers[i] = (struct answer){ 0 };
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
		if ((size_t)snprintf(full, sizeof full, "%s%s", cgroups->hierarchy.path, text + 3) <
		        sizeof full &&
		    stat(full, &status) == 0 && status.st_ino == entry->cgroup_id) {
			set_path(entry, text + 3);
			found = true;
		}
	}
	free(text);
	fclose(file);
}

/* ---- processes that have exited or are hidden: their cgroups are searched for ---- */

static void walk_push(struct walk *walk, const char *parent, const char *name)
{
	char *path = NULL;

	if (walk->directories == WALK_DIRECTORIES_MAX)
		return;
	char **paths = array_grow(walk->paths, walk->count, &walk->capacity, CAPACITY_MIN, sizeof *paths);

	if (!paths)
		return;
	walk->paths = paths;
	if (asprintf(&path, "%s%s%s", parent, *name ? "/" : "", name) < 0)
		return;
	walk->paths[walk->count++] = path;
	walk->directories++;
}

/* True: it is one that was searched for. */
static bool walk_take(struct cgroups *cgroups, const char *path, uint64_t cgroup_id)
{
	uint32_t slot = cgroups->slots[slot_of(cgroups, cgroup_id)];

	if (!slot || cgroups->entries[slot - 1].path)
		return false;
	set_path(&cgroups->entries[slot - 1], path);
	return true;
}

static bool walk_directory(struct cgroups *cgroups, const char *path)
{
	char full[2048];
	struct stat status;
	struct dirent *item;
	bool found = false;

	if ((size_t)snprintf(full, sizeof full, "%s%s", cgroups->hierarchy.path, path) >= sizeof full)
		return false;
	DIR *directory = opendir(full);

	if (!directory)
		return false;
	if (fstat(dirfd(directory), &status) == 0)
		found = walk_take(cgroups, path, status.st_ino);
	while ((item = readdir(directory)) != NULL)
		if (item->d_type == DT_DIR && item->d_name[0] != '.')
			walk_push(&cgroups->walk, path, item->d_name);
	closedir(directory);
	return found;
}

static void walk_begin(struct walk *walk)
{
	walk->directories = 0;
	walk->spent_ns = 0;
	walk->is_wanted = false;
	walk_push(walk, "", "");
}

static void walk_end(struct cgroups *cgroups, uint64_t now_ns)
{
	struct walk *walk = &cgroups->walk;
	uint64_t pause_ns = walk->spent_ns * WALK_PAUSES;

	walk->next_ns = now_ns + (pause_ns > WALK_PAUSE_NS ? pause_ns : WALK_PAUSE_NS);
	for (uint32_t i = 0; i < cgroups->count; i++) {
		struct entry *entry = &cgroups->entries[i];

		if (!entry->path && entry->walks < WALK_TRIES)
			walk->is_wanted |= ++entry->walks < WALK_TRIES;
	}
}

/* Goes on for a slice, or to the end. True: it has found some. */
static bool walk_on(struct cgroups *cgroups, bool to_the_end)
{
	struct walk *walk = &cgroups->walk;
	uint64_t begin_ns = clock_now_ns(), now_ns = begin_ns;
	bool found = false;

	if (!walk->count && walk->is_wanted && (to_the_end || now_ns >= walk->next_ns))
		walk_begin(walk);
	if (!walk->count)
		return false;
	while (walk->count && (to_the_end || now_ns - begin_ns < WALK_SLICE_NS)) {
		char *path = walk->paths[--walk->count];

		found |= walk_directory(cgroups, path);
		free(path);
		now_ns = clock_now_ns();
	}
	walk->spent_ns += now_ns - begin_ns;
	if (!walk->count)
		walk_end(cgroups, now_ns);
	return found;
}

bool cgroups_pending(const struct cgroups *cgroups)
{
	return cgroups->walk.count || cgroups->walk.is_wanted;
}

bool cgroups_changed(struct cgroups *cgroups)
{
	return walk_on(cgroups, false);
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
	return entry && entry->path ? entry->number : 0;
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

/* False: the limit of ANSWERS_PER_S is reached. */
static bool find_path_of(struct cgroups *cgroups, struct entry *entry, uint32_t pid, int64_t seen_s)
{
	if (entry->path || !cgroups->hierarchy.path[0])
		return true;
	if (entry->asks < ASK_TRIES) {
		if (!budget_take(&cgroups->asked, ANSWERS_PER_S) && !cgroups->want_all)
			return false;
		entry->asks++;
		ask_process(cgroups, entry, pid, seen_s);
	}
	if (!entry->path && entry->walks < WALK_TRIES) {
		cgroups->walk.is_wanted = true;
		if (cgroups->want_all)
			walk_on(cgroups, true);
	}
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
	if (!find_path_of(cgroups, entry, pid, seen_s))
		return 0;
	/* The entry may move with the next one. */
	uint32_t container = entry->number, other = 0;

	if (cgroups->hierarchy.has_v1 && !entry->is_container &&
	    !ask_hierarchies(cgroups, pid, seen_s, &other))
		return 0;
	return other ? other : container;
}

const char *cgroups_text(const struct cgroups *cgroups, uint32_t container)
{
	const struct entry *entry = numbered(cgroups, container);

	return entry ? entry->text : "-";
}

const char *cgroups_path(const struct cgroups *cgroups, uint32_t container)
{
	const struct entry *entry = numbered(cgroups, container);

	return !entry ? "-" : entry->path ? entry->path : entry->text;
}

bool cgroups_describe(const struct cgroups *cgroups, uint32_t number, struct cgroup_description *description)
{
	const struct entry *entry = numbered(cgroups, number);

	if (!entry || !entry->path)
		return false;
	cgroup_describe(description, entry->path, entry->text, entry->is_container);
	return true;
}

uint64_t cgroups_key(const struct cgroups *cgroups, uint32_t number)
{
	const struct entry *entry = numbered(cgroups, number);

	return entry ? entry->cgroup_id : 0;
}
