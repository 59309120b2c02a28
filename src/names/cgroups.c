/* SPDX-License-Identifier: Apache-2.0 */
#include "names/cgroups.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hierarchy.h"
#include "base/util.h"
#include "names/cgroup_facts.h"
#include "names/cgroup_name.h"
#include "names/cgroup_walk.h"
#include "names/containers.h"
#include "names/engines.h"
#include "names/v1_containers.h"

#define START_NS (250 * NS_PER_MS)
#define SLICE_NS (10 * NS_PER_MS) /* walked without a break: no key waits longer for it */
#define WALKS_MAX 3
#define CAPACITY_MIN 32
#define FORGET_MIN 4096        /* so few are not worth the search for those that nobody has */
#define NO_CGROUP (1ull << 63) /* marks a key that is no cgroup's id */

struct entry {
	uint64_t cgroup_id;
	uint32_t number; /* no other entry ever has it */
	uint32_t seen;   /* the latest walk that it was there for */
	char *path;      /* NULL: not found (yet) */
	char *text;      /* NULL: nobody has asked for it */
	char *name;      /* by the path alone; NULL: as text */
	uint8_t walks;   /* that did not find it */
	bool is_kept;    /* asked for or kept since cgroups_forget */
	bool is_settled; /* its name does not come later: it has one, or is no container that gets one */
};

struct cgroups {
	struct entry *entries; /* ascending by number */
	uint32_t count;
	uint32_t capacity;
	uint32_t forget_at;    /* a count */
	uint32_t forget_after; /* the walk that tells which have gone; 0: they are not that many */
	uint32_t number;       /* the latest one given */
	uint32_t *slots;       /* by id: index of the entry + 1, 0 free */
	uint32_t slot_count;
	struct cgroup_walk walk;
	bool found_wanted; /* by the walk: one that was asked for */
	bool may_walk;     /* for who wants all: none has been made in this interval */
	bool want_all;
	bool has_new_names;                  /* that cgroups_changed has not told */
	struct containers *containers;       /* NULL: not known */
	struct v1_containers *v1_containers; /* NULL: no v1 hierarchy is mounted */
};

static void found(void *to, uint64_t cgroup_id, const char *path);
static void ask_for_names(struct cgroups *cgroups);

struct cgroups *cgroups_open(const char *root, const struct proc *proc, struct containers *containers)
{
	struct cgroups *cgroups = calloc(1, sizeof *cgroups);
	struct hierarchy hierarchy;

	if (cgroups) {
		cgroups->forget_at = FORGET_MIN;
		cgroups->containers = containers;
	}
	if (!cgroups || !root)
		return cgroups;
	hierarchy_find(&hierarchy, root);
	if (hierarchy.has_v1) {
		cgroups->v1_containers = v1_containers_open(proc);
		if (!cgroups->v1_containers) {
			cgroups_close(cgroups);
			return NULL;
		}
	}
	if (hierarchy.path[0])
		cgroup_walk_open(&cgroups->walk, hierarchy.path);
	cgroup_walk_go(&cgroups->walk, START_NS, true, found, cgroups);
	if (containers)
		ask_for_names(cgroups);
	return cgroups;
}

static void free_entry(struct entry *entry)
{
	free(entry->path);
	free(entry->text);
	free(entry->name);
}

void cgroups_close(struct cgroups *cgroups)
{
	if (!cgroups)
		return;
	for (uint32_t i = 0; i < cgroups->count; i++)
		free_entry(&cgroups->entries[i]);
	cgroup_walk_close(&cgroups->walk);
	v1_containers_close(cgroups->v1_containers);
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

/* The entry of a key, new if need be, and then without a path; NULL: no memory. */
static struct entry *find_entry(struct cgroups *cgroups, uint64_t cgroup_id)
{
	if (cgroups->count == cgroups->capacity &&
	    resize(cgroups, cgroups->capacity ? cgroups->capacity * 2 : CAPACITY_MIN) < 0)
		return NULL;
	uint32_t slot = slot_of(cgroups, cgroup_id);

	if (!cgroups->slots[slot]) {
		if (cgroups->number == UINT32_MAX)
			return NULL;
		cgroups->entries[cgroups->count++] = (struct entry){
			.cgroup_id = cgroup_id, .number = ++cgroups->number, .seen = cgroups->walk.number
		};
		cgroups->slots[slot] = cgroups->count;
	}
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
	const struct cgroup_walk *walk = &cgroups->walk;

	if (cgroups->count < cgroups->forget_at)
		return false;
	return !walk->root_fd ||
	       (cgroups->forget_after && walk->number >= cgroups->forget_after && !cgroup_walk_is_on(walk));
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
		bool is_there =
		    cgroups->forget_after && entries[i].path && entries[i].seen >= cgroups->forget_after;

		if (!entries[i].is_kept && !is_there) {
			free_entry(&entries[i]);
			continue;
		}
		entries[kept] = entries[i];
		entries[kept++].is_kept = false;
	}
	cgroups->count = kept;
	cgroups->forget_at = kept > FORGET_MIN / 2 ? kept * 2 : FORGET_MIN;
	cgroups->forget_after = 0;
	while (capacity > CAPACITY_MIN && kept < capacity / 4)
		capacity /= 2;
	/* Without the memory for it, the table stays as large as it is. */
	if (cgroups->slots && (capacity == cgroups->capacity || resize(cgroups, capacity) < 0))
		fill_slots(cgroups);
}

/* A walk that begins from now on tells which of too many have gone. */
static void want_walk_to_forget(struct cgroups *cgroups)
{
	if (cgroups->count < cgroups->forget_at || cgroups->forget_after)
		return;
	cgroups->forget_after = cgroups->walk.number + 1;
	cgroups->walk.is_wanted = true;
}

/* ---- what they are called ---- */

static void set_text(const struct cgroups *cgroups, struct entry *entry)
{
	char number[32];
	struct cgroup_facts facts;

	free(entry->text);
	free(entry->name);
	entry->name = NULL;
	entry->is_settled = true;
	snprintf(number, sizeof number, "cgroup %llu", (unsigned long long)entry->cgroup_id);
	if (entry->path) {
		cgroup_facts_find(&facts, entry->path, cgroups->containers);
		entry->is_settled = !cgroup_facts_may_come(&facts);
		entry->name = *facts.pod || *facts.container ? strdup(facts.name) : NULL;
	}
	entry->text = entry->path ? cgroup_facts_text(&facts) : strdup(number);
}

/* Containers that had no name when they were looked up. */
static void take_new_names(struct cgroups *cgroups)
{
	for (uint32_t i = 0; i < cgroups->count; i++) {
		struct entry *entry = &cgroups->entries[i];

		if (entry->text && entry->path && !entry->is_settled)
			set_text(cgroups, entry);
	}
	cgroups->has_new_names = true;
}

/* Engines are asked only for containers of theirs: a socket that is only being listened at may have one started. */
static void ask_for_names(struct cgroups *cgroups)
{
	bool has_engines = false;

	containers_refresh(cgroups->containers);
	for (uint32_t i = 0; i < cgroups->count && !has_engines; i++) {
		struct cgroup_facts facts;

		if (!cgroups->entries[i].path)
			continue;
		cgroup_facts_find(&facts, cgroups->entries[i].path, cgroups->containers);
		has_engines = cgroup_facts_has_engine(&facts);
	}
	if (has_engines)
		engines_ask(cgroups->containers);
}

static void set_path(const struct cgroups *cgroups, struct entry *entry, const char *path)
{
	if (entry->path && strcmp(entry->path, path) == 0)
		return;
	free(entry->path);
	entry->path = strdup(path);
	if (entry->text)
		set_text(cgroups, entry);
}

void cgroups_learn(struct cgroups *cgroups, uint64_t cgroup_id, const char *path)
{
	struct entry *entry = cgroup_id && *path ? find_entry(cgroups, cgroup_id) : NULL;

	if (!entry)
		return;
	entry->seen = cgroups->walk.number;
	set_path(cgroups, entry, path);
	want_walk_to_forget(cgroups);
}

/* ---- the walk ---- */

static void found(void *to, uint64_t cgroup_id, const char *path)
{
	struct cgroups *cgroups = to;
	struct entry *entry = find_entry(cgroups, cgroup_id);

	if (!entry)
		return;
	entry->seen = cgroups->walk.number;
	cgroups->found_wanted |= entry->text && !entry->path;
	set_path(cgroups, entry, path);
}

/* True: texts are others now. */
static bool walk_on(struct cgroups *cgroups, uint64_t time_ns, bool now)
{
	cgroups->found_wanted = false;
	bool ended = cgroup_walk_go(&cgroups->walk, time_ns, now, found, cgroups);

	for (uint32_t i = 0; ended && i < cgroups->count; i++) {
		struct entry *entry = &cgroups->entries[i];

		if (entry->text && !entry->path && entry->walks < WALKS_MAX)
			cgroups->walk.is_wanted |= ++entry->walks < WALKS_MAX;
	}
	want_walk_to_forget(cgroups);
	return ended || cgroups->found_wanted;
}

bool cgroups_pending(const struct cgroups *cgroups)
{
	return cgroup_walk_is_on(&cgroups->walk) || (cgroups->walk.is_wanted && cgroups->walk.root_fd);
}

void cgroups_begin(struct cgroups *cgroups)
{
	cgroups->may_walk = true;
	if (cgroups->containers && containers_refresh(cgroups->containers))
		take_new_names(cgroups);
	if (cgroups->want_all)
		walk_on(cgroups, UINT64_MAX, false);
}

bool cgroups_changed(struct cgroups *cgroups)
{
	bool renamed = cgroups->has_new_names;

	cgroups->has_new_names = false;
	return walk_on(cgroups, SLICE_NS, false) || renamed;
}

/* Looks for it, or has it looked for. False: not yet to the end. */
static bool look_for(struct cgroups *cgroups, const struct entry *entry)
{
	if (!cgroups->walk.root_fd || entry->walks == WALKS_MAX)
		return true;
	cgroups->walk.is_wanted |= !cgroup_walk_is_on(&cgroups->walk);
	if (!cgroups->want_all)
		return entry->walks > 0;
	if (cgroups->may_walk || cgroup_walk_is_on(&cgroups->walk))
		walk_on(cgroups, UINT64_MAX, true);
	cgroups->may_walk = false;
	return true;
}

/* A container that has a path but no id; 0: no memory. */
static uint32_t find_path(struct cgroups *cgroups, const char *path)
{
	uint64_t hash = hash_bytes(HASH_BASIS, path, strlen(path));
	struct entry *entry;

	/* Who creates cgroups can choose two names with one hash. */
	do
		entry = find_entry(cgroups, hash++ | NO_CGROUP);
	while (entry && entry->path && strcmp(entry->path, path) != 0);
	if (!entry)
		return 0;
	set_path(cgroups, entry, path);
	if (!entry->text)
		set_text(cgroups, entry);
	entry->is_kept = true;
	return entry->path ? entry->number : 0;
}

/* The number of the container that the process is in, by v1 alone, if its v2 cgroup is none's. False: ask later. */
static bool find_v1(
    struct cgroups *cgroups, const char *v2_path, uint32_t pid, int64_t seen_s, uint32_t *container)
{
	char unused[CGROUP_NAME_SIZE], path[PATH_MAX];

	*container = 0;
	if (!cgroups->v1_containers || (v2_path && cgroup_name(unused, sizeof unused, v2_path)))
		return true;
	if (!v1_containers_find(cgroups->v1_containers, pid, seen_s, cgroups->want_all, path, sizeof path))
		return false;
	if (*path)
		*container = find_path(cgroups, path);
	return true;
}

uint32_t cgroups_find(struct cgroups *cgroups, uint64_t cgroup_id, uint32_t pid, int64_t seen_s)
{
	struct entry *entry = cgroup_id ? find_entry(cgroups, cgroup_id) : NULL;
	uint32_t container;

	if (!entry)
		return 0;
	uint32_t number = entry->number;

	entry->is_kept = true;
	if (!entry->text)
		set_text(cgroups, entry);
	if (!entry->path && !look_for(cgroups, entry))
		return 0;
	/* The walk may have moved it. */
	entry = numbered(cgroups, number);
	if (!find_v1(cgroups, entry->path, pid, seen_s, &container))
		return 0;
	want_walk_to_forget(cgroups);
	return container ? container : number;
}

const char *cgroups_text(const struct cgroups *cgroups, uint32_t number)
{
	const struct entry *entry = numbered(cgroups, number);

	return entry && entry->text ? entry->text : "-";
}

const char *cgroups_name(const struct cgroups *cgroups, uint32_t number)
{
	const struct entry *entry = numbered(cgroups, number);

	return entry && entry->name ? entry->name : cgroups_text(cgroups, number);
}

const char *cgroups_path(const struct cgroups *cgroups, uint32_t number)
{
	const struct entry *entry = numbered(cgroups, number);

	return !entry ? "-" : entry->path ? entry->path : cgroups_text(cgroups, number);
}

bool cgroups_describe(const struct cgroups *cgroups, uint32_t number, struct cgroup_description *description)
{
	const struct entry *entry = numbered(cgroups, number);

	if (!entry || !entry->path)
		return false;
	cgroup_describe(description, entry->path, cgroups_text(cgroups, number), cgroups->containers);
	return true;
}

uint64_t cgroups_key(const struct cgroups *cgroups, uint32_t number)
{
	const struct entry *entry = numbered(cgroups, number);

	return entry ? entry->cgroup_id : 0;
}
