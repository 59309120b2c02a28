/* SPDX-License-Identifier: Apache-2.0 */
#include "names/cgroup_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/util.h"

#define DIRECTORIES_MAX 65536
#define PAUSE_MIN_NS NS_PER_S
#define PAUSES 32 /* a pause is so much longer than the walk was, at least */
#define CAPACITY_MIN 32

void cgroup_walk_open(struct cgroup_walk *walk, const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	*walk = (struct cgroup_walk){ .root_fd = fd > 0 ? fd : 0 };
	walk->is_wanted = walk->root_fd > 0;
}

void cgroup_walk_close(struct cgroup_walk *walk)
{
	while (walk->count)
		free(walk->paths[--walk->count]);
	free(walk->paths);
	if (walk->root_fd)
		close(walk->root_fd);
	*walk = (struct cgroup_walk){ 0 };
}

static void push(struct cgroup_walk *walk, const char *parent, const char *name)
{
	char *path = NULL;

	if (walk->directories == DIRECTORIES_MAX)
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

/* path: "" for the root, else with a slash before it. */
static void look(struct cgroup_walk *walk, const char *path,
    void (*found)(void *to, uint64_t cgroup_id, const char *path), void *to)
{
	int fd =
	    openat(walk->root_fd, *path ? path + 1 : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	struct stat status;
	const struct dirent *item;

	if (!directory) {
		if (fd >= 0)
			close(fd);
		return;
	}
	/* The id is the inode's number: kernfs_node.id of the kernel. */
	if (fstat(fd, &status) == 0)
		found(to, status.st_ino, *path ? path : "/");
	while ((item = readdir(directory)) != NULL)
		if (item->d_type == DT_DIR && item->d_name[0] != '.')
			push(walk, path, item->d_name);
	closedir(directory);
}

static void begin(struct cgroup_walk *walk)
{
	walk->directories = 0;
	walk->spent_ns = 0;
	walk->is_wanted = false;
	walk->number++;
	push(walk, "", "");
}

bool cgroup_walk_go(struct cgroup_walk *walk, uint64_t time_ns, bool now,
    void (*found)(void *to, uint64_t cgroup_id, const char *path), void *to)
{
	uint64_t begin_ns = clock_now_ns(), now_ns = begin_ns;

	if (!walk->count && walk->is_wanted && walk->root_fd && (now || now_ns >= walk->next_ns))
		begin(walk);
	if (!walk->count)
		return false;
	while (walk->count && now_ns - begin_ns < time_ns) {
		char *path = walk->paths[--walk->count];

		look(walk, path, found, to);
		free(path);
		now_ns = clock_now_ns();
	}
	walk->spent_ns += now_ns - begin_ns;
	if (walk->count)
		return false;
	uint64_t pause_ns = walk->spent_ns * PAUSES;

	walk->next_ns = now_ns + (pause_ns > PAUSE_MIN_NS ? pause_ns : PAUSE_MIN_NS);
	return true;
}
