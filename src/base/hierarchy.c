/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hierarchy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INITIAL_INODE 0xEFFFFFFBU /* of the first cgroup namespace: PROC_CGROUP_INIT_INO */

int hierarchy_depth(const char *path)
{
	int names = 0;

	while (*(path += strspn(path, "/"))) {
		names++;
		path += strcspn(path, "/");
	}
	return names;
}

/*
 * "/" is the namespace's root. What is above it begins with "/..": a mount that a container was given of the host's,
 * whose root that will be.
 */
static int level_of(const char *root, bool initial)
{
	if (strncmp(root, "/..", 3) == 0)
		return 0;
	return initial ? hierarchy_depth(root) : -1;
}

/* "36 35 98:0 /root /mount options - type source ..." */
static bool is_below(const char *path, const char *root)
{
	size_t length = strlen(root);

	while (length && root[length - 1] == '/')
		length--;
	return strncmp(path, root, length) == 0 && (path[length] == '/' || !path[length]);
}

void hierarchy_take(struct hierarchy *hierarchy, const char *line, const char *root, bool initial)
{
	const char *type = strstr(line, " - ");
	char part[256], mount[sizeof hierarchy->path];

	if (!type || sscanf(line, "%*s %*s %*s %255s %255s", part, mount) != 2)
		return;
	hierarchy->has_v1 |= strncmp(type, " - cgroup ", 10) == 0;
	/* The first that can be opened, and rather the whole than a part that is mounted somewhere else. */
	int level = level_of(part, initial);
	bool better = !hierarchy->path[0] || (level == 0 && hierarchy->level != 0);

	if (strncmp(type, " - cgroup2 ", 11) != 0 || !better || !is_below(mount, root) ||
	    access(mount, X_OK) != 0)
		return;
	memcpy(hierarchy->path, mount, sizeof mount);
	hierarchy->level = level;
}

void hierarchy_find(struct hierarchy *hierarchy, const char *root)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	struct stat status;
	bool initial = stat("/proc/self/ns/cgroup", &status) != 0 || status.st_ino == INITIAL_INODE;
	char *line = NULL;
	size_t capacity = 0;

	memset(hierarchy, 0, sizeof *hierarchy);
	if (!file)
		return;
	while (getline(&line, &capacity, file) > 0)
		hierarchy_take(hierarchy, line, root, initial);
	free(line);
	fclose(file);
	if (!hierarchy->path[0] && *root)
		hierarchy_find(hierarchy, "");
}
