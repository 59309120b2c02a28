/* SPDX-License-Identifier: Apache-2.0 */
/* Cgroups by their path, and by the unit, container or pod that they are. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/error.h"
#include "base/escape.h"
#include "base/hierarchy.h"
#include "base/util.h"
#include "kernel/condition.h"
#include "kernel/condition_value.h"
#include "names/cgroup_name.h"
#include "names/containers.h"
#include "names/engines.h"

enum { WALK_DEPTH_MAX = 32, ID_PREFIX_MIN = 6, REMEDY_COLUMNS = 240 };

/* The v2 hierarchy, whose levels are known. 0 or -errno with *error. */
static int open_hierarchy(struct hierarchy *hierarchy, const struct conditions *to,
    const struct condition *like, struct error *error)
{
	hierarchy_find(hierarchy, to->root ? to->root : "");
	if (!hierarchy->path[0])
		return error_set(error, EXIT_CODE_UNSUPPORTED, -ENOTSUP,
		    "--%s needs the cgroup v2 hierarchy, and none is mounted here\nfilter by mount namespace "
		    "instead: --mntns",
		    like->kind->option);
	if (hierarchy->level < 0)
		return error_set(error, EXIT_CODE_UNSUPPORTED, -ENOTSUP,
		    "--%s needs the host's cgroups, and this is a cgroup namespace\ngive the container the "
		    "host's "
		    "(--cgroupns host, or the host's /sys/fs/cgroup)",
		    like->kind->option);
	return 0;
}

/* A directory of the hierarchy by its path. 0 or -errno with *error. */
static int append_cgroup(struct conditions *to, const struct condition *like,
    const struct hierarchy *hierarchy, const char *path, struct error *error)
{
	struct condition condition = *like;
	struct stat status;

	if (stat(path, &status) != 0)
		return 0; /* gone meanwhile */
	condition.cgroup.path = conditions_keep(to, path + strlen(hierarchy->path), error);
	if (!condition.cgroup.path)
		return -ENOMEM;
	condition.cgroup.id = status.st_ino;
	condition.cgroup.level =
	    (unsigned)(hierarchy->level + hierarchy_depth(path + strlen(hierarchy->path)));
	return conditions_append(to, &condition, error);
}

/* As it is, if it leads into the hierarchy, else below its root, as /proc/PID/cgroup has it. */
int condition_read_cgroup(
    struct conditions *to, const struct condition *like, const char *text, struct error *error)
{
	struct hierarchy hierarchy;
	char path[PATH_MAX], *found;
	int err = open_hierarchy(&hierarchy, to, like, error);

	if (err)
		return err;
	size_t root = strlen(hierarchy.path);
	bool whole = strncmp(text, hierarchy.path, root) == 0 && (text[root] == '/' || !text[root]);
	size_t before = to->count;
	struct statfs place;

	if (!*text)
		return condition_refuse(like, text, error, "a path is needed");
	snprintf(path, sizeof path, "%s/%s", whole ? "" : hierarchy.path, text);
	found = realpath(path, NULL);
	if (found && statfs(found, &place) == 0 && place.f_type == CGROUP2_SUPER_MAGIC &&
	    strncmp(found, hierarchy.path, root) == 0 && (found[root] == '/' || !found[root]))
		err = append_cgroup(to, like, &hierarchy, found, error);
	free(found);
	if (!err && to->count == before)
		return condition_refuse(like, text, error, "there is no such cgroup in %s", hierarchy.path);
	return err;
}

/* ---- by what they are ---- */

/* Of a container whose id begins as the text does. */
struct container_id_prefix {
	char first[CONTAINER_ID_SIZE]; /* the id that was found; "": none */
	bool several;
};

/* What is looked for in the hierarchy, and where it goes. */
struct search {
	struct conditions *to;
	const struct condition *like;
	const struct hierarchy *hierarchy;
	const char *text;
	const struct container_ids *ids; /* that have the name, if text is one */
	bool of_users;                   /* below what users own, too */
	struct container_id_prefix *prefix;
	/* Is it, by its path below the root? What is below a directory that is, is in it. */
	bool (*is_wanted)(const struct search *search, const char *path);
	struct error *error;
};

/*
 * Everywhere: a name may stand in several places. But not where users other than root own a directory: below theirs they make
 * what names they like.
 */
static int search_below(const struct search *search, char *path, size_t length, int depth)
{
	DIR *directory = depth < WALK_DEPTH_MAX ? opendir(path) : NULL;
	size_t root = strlen(search->hierarchy->path);
	const struct dirent *entry;
	struct stat status;
	int err = 0;

	if (!directory)
		return 0;
	if (fstat(dirfd(directory), &status) != 0 || (status.st_uid != 0 && !search->of_users)) {
		closedir(directory);
		return 0;
	}
	while (!err && (entry = readdir(directory))) {
		size_t added = strlen(entry->d_name);

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || length + added + 2 > PATH_MAX)
			continue;
		path[length] = '/';
		memcpy(path + length + 1, entry->d_name, added + 1);
		err = search->is_wanted(search, path + root)
		          ? append_cgroup(search->to, search->like, search->hierarchy, path, search->error)
		          : search_below(search, path, length + added + 1, depth + 1);
	}
	path[length] = '\0';
	closedir(directory);
	return err;
}

/* Is the v2 hierarchy here, with all of its levels? */
static bool can_search_hierarchy(const struct search *search)
{
	return search->hierarchy->path[0] && search->hierarchy->level >= 0;
}

/* 0 or -errno with *error; nothing is added where nothing is found. */
static int search_hierarchy(const struct search *search)
{
	char path[PATH_MAX];
	size_t length = (size_t)snprintf(path, sizeof path, "%s", search->hierarchy->path);

	return search_below(search, path, length, 0);
}

/* What is below a directory of a user's is not taken, but it is said where it is. Always -errno with *error. */
static int refuse_missing(
    const struct search *search, int (*find)(const struct search *search), const char *why)
{
	struct conditions found = { .root = search->to->root };
	struct search again = *search;

	again.to = &found;
	again.of_users = true;
	int err = find(&again);

	if (!err && found.count > 0 && found.items[0].cgroup.path) {
		char shown[REMEDY_COLUMNS + 1];
		const char *text = found.items[0].cgroup.path;

		/* a user has chosen it: what a shell would take apart is not offered to be pasted */
		escape_text(shown, sizeof shown, text, strlen(text), REMEDY_COLUMNS, false);
		bool is_plain = strcmp(shown, text) == 0 && !strchr(text, '\'');

		err = condition_refuse(search->like, search->text, search->error,
		    "what is so named is below a cgroup that belongs to a user\nto take it all the same: "
		    "--cgroup %s%s%s",
		    is_plain ? "'" : "", is_plain ? shown : "and its path", is_plain ? "'" : "");
	}
	if (!err)
		err = condition_refuse(search->like, search->text, search->error, "%s", why);
	conditions_fini(&found);
	return err;
}

static bool is_named(const struct search *search, const char *path)
{
	return strcmp(strrchr(path, '/') + 1, search->text) == 0;
}

/* "foo-bar.service" of foo\x2dbar.service, as the screen has it. */
static bool is_shown(const struct search *search, const char *path)
{
	char name[CGROUP_NAME_SIZE];

	return !cgroup_name(name, sizeof name, strrchr(path, '/')) && strcmp(name, search->text) == 0;
}

/* A name goes before what another one is shown as. */
static int search_units(const struct search *search)
{
	size_t before = search->to->count;
	struct search shown = *search;
	int err = search_hierarchy(search);

	shown.is_wanted = is_shown;
	return err || search->to->count > before ? err : search_hierarchy(&shown);
}

/* Names have dots of their own: php8.2-fpm. */
static bool has_unit_type(const char *name)
{
	static const char *const types[] = { ".service", ".scope", ".slice", ".socket", ".mount", ".swap" };
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < COUNT_OF(types); i++)
		if (strcmp(dot, types[i]) == 0)
			return true;
	return false;
}

int condition_read_unit(
    struct conditions *to, const struct condition *like, const char *text, struct error *error)
{
	struct hierarchy hierarchy;
	char name[NAME_MAX + 1];
	int err = open_hierarchy(&hierarchy, to, like, error);
	size_t before = to->count;

	if (err)
		return err;
	if (!*text || strchr(text, '/'))
		return condition_refuse(like, text, error, "a unit's name is needed, as nginx.service");
	snprintf(name, sizeof name, "%s%s", text, has_unit_type(text) ? "" : ".service");
	const struct search search = { to, like, &hierarchy, name, .is_wanted = is_named, .error = error };

	err = search_units(&search);
	return err || to->count > before
	           ? err
	           : refuse_missing(&search, search_units, "no such unit has a cgroup: it is not running");
}

/* ---- containers and pods ---- */

/*
 * Its lines of /proc/PID/cgroup: any will do, for a runtime makes the same in all of v1's hierarchies. But not those of v2, where
 * directories have been looked at, nor those of hierarchies without controllers: systemd lets users make names there.
 */
static bool is_in_wanted(const struct search *search, const char *pid)
{
	char path[NAME_MAX + 32], *line = NULL;
	size_t capacity = 0;
	bool found = false;

	snprintf(path, sizeof path, "/proc/%s/cgroup", pid);
	FILE *file = fopen(path, "re");

	if (!file)
		return false;
	while (!found && getline(&line, &capacity, file) > 0) {
		const char *at = strchr(line, '/');
		bool is_v2 = strncmp(line, "0::", 3) == 0,
		     is_users = strncmp(line + strcspn(line, ":"), ":name=", 6) == 0;

		line[strcspn(line, "\n")] = '\0';
		if ((is_v2 && can_search_hierarchy(search)) || is_users)
			continue;
		found = at && search->is_wanted(search, at);
	}
	free(line);
	fclose(file);
	return found;
}

/* Each mount namespace once: containers of a pod have one each, and many processes. */
static int append_namespace(const struct search *search, size_t first, const char *pid)
{
	struct condition condition = *search->like;
	char path[NAME_MAX + 32];
	struct stat status, host;

	snprintf(path, sizeof path, "/proc/%s/ns/mnt", pid);
	if (stat(path, &status) != 0)
		return 0; /* gone meanwhile */
	if (stat("/proc/1/ns/mnt", &host) == 0 && host.st_ino == status.st_ino)
		return 0; /* a helper of the runtime's, which sees the host's files: its namespace is everybody's */
	condition.cgroup.mntns = (uint32_t)status.st_ino;
	for (size_t i = first; i < search->to->count; i++)
		if (search->to->items[i].cgroup.mntns == condition.cgroup.mntns)
			return 0;
	return conditions_append(search->to, &condition, search->error);
}

/* Where runtimes use v1 hierarchies alone, v2 has all tasks at its root: mount namespaces tell containers apart. */
static int search_processes(const struct search *search)
{
	size_t first = search->to->count;
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	int err = 0;

	while (proc && !err && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) && is_in_wanted(search, entry->d_name))
			err = append_namespace(search, first, entry->d_name);
	if (proc)
		closedir(proc);
	return err;
}

static int search_containers(const struct search *search)
{
	size_t before = search->to->count;
	int err = can_search_hierarchy(search) ? search_hierarchy(search) : 0;

	return err || search->of_users || search->to->count > before ? err : search_processes(search);
}

/* "web" and "lxc:web" of what the column calls lxc:web, "cri:0123456789ab", an engine's name. */
static bool is_container(const struct search *search, const char *path)
{
	char name[NAME_MAX + 1];

	if (!cgroup_name(name, sizeof name, path))
		return false;
	const char *colon = strchr(name, ':');

	if (strcmp(name, search->text) == 0 || (colon && strcmp(colon + 1, search->text) == 0))
		return true;
	for (size_t i = 0; i < search->ids->count; i++)
		if (strstr(path, search->ids->items[i]))
			return true;
	return false;
}

/* By six digits of its id or more. */
static bool has_id(const struct search *search, const char *path)
{
	char name[NAME_MAX + 1], id[CONTAINER_ID_SIZE], uid[CONTAINER_ID_SIZE];
	struct container_id_prefix *prefix = search->prefix;

	if (!cgroup_name(name, sizeof name, path))
		return false;
	cgroup_ids(path, id, uid);
	if (!*id || strncmp(id, search->text, strlen(search->text)) != 0)
		return false;
	prefix->several |= *prefix->first && strcmp(prefix->first, id) != 0;
	memcpy(prefix->first, id, sizeof id);
	return true;
}

/* Has a directory on the way one of the UIDs, as cgroupfs and as systemd spell it? A process is in a container of the pod. */
static bool is_pod(const struct search *search, const char *path)
{
	for (const char *pod = strstr(path, "pod"); pod; pod = strstr(pod + 1, "pod")) {
		for (size_t i = 0; i < search->ids->count; i++) {
			const char *uid = search->ids->items[i], *at = pod + 3;

			while (*uid && (*at == *uid || (*at == '_' && *uid == '-')))
				at++, uid++;
			if (!*uid && (!*at || *at == '.' || *at == '/'))
				return true;
		}
	}
	return false;
}

static int search_by_id(const struct search *like)
{
	struct container_id_prefix prefix = { 0 };
	struct search search = *like;
	size_t length = strlen(search.text);

	if (length < ID_PREFIX_MIN || strspn(search.text, "0123456789abcdef") != length)
		return 0;
	search.is_wanted = has_id;
	search.prefix = &prefix;
	int err = search_containers(&search);

	return err || !prefix.several ? err
	                              : condition_refuse(search.like, search.text, search.error,
	                                    "ids of several containers begin so: give more digits");
}

/* A name goes before the digits of an id. */
static int search_by_name_and_id(const struct search *search)
{
	size_t before = search->to->count;
	int err = search_containers(search);

	return err || search->to->count > before ? err : search_by_id(search);
}

/* What is looked for by a name that engines and the kubelet know. */
struct search_kind {
	int (*ids_of)(const struct containers *containers, const char *text, struct container_ids *ids);
	bool (*is_wanted)(const struct search *search, const char *path);
	int (*find)(const struct search *search);
};

static int find_containers(struct conditions *to, const struct condition *like, const char *text,
    const struct container_ids *ids, const struct search_kind *kind, struct error *error)
{
	struct hierarchy hierarchy;
	size_t before = to->count;
	const struct search search = { to, like, &hierarchy, text, ids, .is_wanted = kind->is_wanted,
		.error = error };
	char why[100];

	hierarchy_find(&hierarchy, to->root ? to->root : "");
	int err = kind->find(&search);

	if (err || to->count > before)
		return err;
	snprintf(why, sizeof why,
	    "no %s of that name or id runs here, as far as cgroups, /var/log and the runtimes tell",
	    like->kind->option);
	return refuse_missing(&search, kind->find, why);
}

static int find_by_name(struct conditions *to, const struct condition *like, const char *text,
    const struct search_kind *kind, struct error *error)
{
	struct container_ids ids = { 0 };
	int err = 0;

	if (to->containers) {
		containers_refresh(to->containers);
		engines_ask(to->containers);
	}
	if (*text)
		err = kind->ids_of(to->containers, text, &ids);
	err = err ? error_set(error, EXIT_CODE_RUNTIME, err, "out of memory: containers")
	          : find_containers(to, like, text, &ids, kind, error);
	container_ids_fini(&ids);
	return err;
}

int condition_read_container(
    struct conditions *to, const struct condition *like, const char *text, struct error *error)
{
	static const struct search_kind kind = { containers_ids_of_name, is_container,
		search_by_name_and_id };

	return find_by_name(to, like, text, &kind, error);
}

int condition_read_pod(
    struct conditions *to, const struct condition *like, const char *text, struct error *error)
{
	static const struct search_kind kind = { containers_ids_of_pod, is_pod, search_containers };

	return find_by_name(to, like, text, &kind, error);
}
