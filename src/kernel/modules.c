/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/modules.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "kernel/drivers/nvme/host/nvme-tcp.ko.xz: ...": a line of modules.dep. A file's name may have - for _. */
static bool is_file_of(const char *line, const char *name)
{
	size_t end = strcspn(line, ":"), start = end, length = strlen(name);

	while (start > 0 && line[start - 1] != '/')
		start--;
	if (end - start < length || strncmp(line + start + length, ".ko", 3) != 0)
		return false;
	for (size_t i = 0; i < length; i++)
		if (name[i] != (line[start + i] == '-' ? '_' : line[start + i]))
			return false;
	return true;
}

static unsigned installed(FILE *dependencies, const char *const *names, size_t count)
{
	unsigned found = 0;
	size_t size = 0;
	char *line = NULL;

	while (getline(&line, &size, dependencies) > 0)
		for (size_t i = 0; i < count; i++)
			if (names[i] && is_file_of(line, names[i]))
				found |= 1U << i;
	free(line);
	return found;
}

static bool exists(const char *root, const char *directory, const char *name)
{
	char path[512];

	snprintf(path, sizeof path, "%s%s%s", root, directory, name);
	return access(path, F_OK) == 0;
}

bool modules_is_loaded(const char *root, const char *name)
{
	return exists(root, "/sys/module/", name);
}

unsigned modules_possible(const char *root, const char *release, const char *const *names, size_t count)
{
	bool loads_modules = exists(root, "/proc/modules", "");
	char path[512];
	unsigned found = 0;

	snprintf(path, sizeof path, "%s/lib/modules/%s/modules.dep", root, release);
	FILE *dependencies = loads_modules ? fopen(path, "re") : NULL;

	if (dependencies) {
		found = installed(dependencies, names, count);
		fclose(dependencies);
	}
	for (size_t i = 0; i < count; i++)
		if (names[i] && ((loads_modules && !dependencies) || modules_is_loaded(root, names[i])))
			found |= 1U << i;
	return found;
}
