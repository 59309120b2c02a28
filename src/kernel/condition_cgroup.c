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
#include "base/hierarchy.h"
#include "base/util.h"
#include "kernel/condition.h"
#include "kernel/condition_value.h"
#include "names/cgroup_name.h"
#include "names/containers.h"
#include "names/engines.h"

enum { WALK_DEPTH_MAX = 32, ID_PREFIX_MIN = 6, ID_SHOWN = 12 };

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

/* What is looked for in the hierarchy, and where it goes. */
struct search {
	struct conditions *to;
	const struct condition *like;
	const struct hierarchy *hierarchy;
	const char *text;
	const struct container_ids *ids; /* that have the name, if text is one */
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
	if (fstat(dirfd(directory), &status) != 0 || status.st_uid != 0) {
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

/* 0 or -errno with *error; nothing is added where nothing is found. */
static int search_hierarchy(const struct search *search)
{
	char path[PATH_MAX];
	size_t length = (size_t)snprintf(path, sizeof path, "%s", search->hierarchy->path);

	return search_below(search, path, length, 0);
}

static bool is_named(const struct search *search, const char *path)
{
	return strcmp(strrchr(path, '/') + 1, search->text) == 0;
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
	err = search_hierarchy(
	    &(struct search){ to, like, &hierarchy, name, .is_wanted = is_named, .error = error });
	if (!err && to->count == before)
		return condition_refuse(
		    like, text, error, "no such unit has a cgroup in %s: it is not running", hierarchy.path);
	return err;
}

/* ---- containers and pods ---- */

/* The same in all cgroups of a process, of any hierarchy: its lines of /proc/PID/cgroup. */
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

		line[strcspn(line, "\n")] = '\0';
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
	int err = search->hierarchy->path[0] && search->hierarchy->level >= 0 ? search_hierarchy(search) : 0;

	return err || search->to->count > before ? err : search_processes(search);
}

/* "web" and "lxc:web" of what the column calls lxc:web; an id by six of its digits or more. */
static bool is_container(const struct search *search, const char *path)
{
	char name[NAME_MAX + 1];
	size_t length = strlen(search->text);

	if (!cgroup_name(name, sizeof name, path))
		return false;
	const char *colon = strchr(name, ':'), *id = colon ? colon + 1 : name;
	size_t shown = length < ID_SHOWN ? length : ID_SHOWN;

	if (strcmp(name, search->text) == 0 || strcmp(id, search->text) == 0)
		return true;
	for (size_t i = 0; i < search->ids->count; i++)
		if (strstr(path, search->ids->items[i]))
			return true;
	return length >= ID_PREFIX_MIN && strspn(search->text, "0123456789abcdef") == length &&
	       strncmp(id, search->text, shown) == 0 && (length <= ID_SHOWN || strstr(path, search->text));
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

static int find_containers(struct conditions *to, const struct condition *like, const char *text,
    int (*name)(const struct containers *containers, const char *text, struct container_ids *ids),
    bool (*is_wanted)(const struct search *search, const char *path), struct error *error)
{
	struct container_ids ids = { 0 };
	struct hierarchy hierarchy;
	size_t before = to->count;
	int err = 0;

	if (to->containers) {
		containers_refresh(to->containers);
		engines_ask(to->containers);
	}
	if (*text)
		err = name(to->containers, text, &ids);
	if (err)
		err = error_set(error, EXIT_CODE_RUNTIME, err, "out of memory: containers");
	hierarchy_find(&hierarchy, to->root ? to->root : "");
	err =
	    err ?: search_containers(&(struct search){ to, like, &hierarchy, text, &ids, is_wanted, error });
	container_ids_fini(&ids);
	if (!err && to->count == before)
		return condition_refuse(like, text, error,
		    "no %s of that name or id runs here, as far as cgroups, /var/log and the runtimes tell",
		    like->kind->option);
	return err;
}

int condition_read_container(
    struct conditions *to, const struct condition *like, const char *text, struct error *error)
{
	return find_containers(to, like, text, containers_ids_of_name, is_container, error);
}

int condition_read_pod(
    struct conditions *to, const struct condition *like, const char *text, struct error *error)
{
	return find_containers(to, like, text, containers_ids_of_pod, is_pod, error);
}
