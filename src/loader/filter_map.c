/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/filter_map.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/escape.h"

#define PATH_SHOWN_MAX 100

/*
 * A pin may also be a program or a link; asking those for map information either fails or answers another
 * struct, so the kind is read from the descriptor's link in /proc, which the kernel names "bpf-map".
 */
static const char *object_kind(int fd)
{
	static const char *const kinds[] = { "map", "prog", "link" };
	char link[64], path[40];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(path, link, sizeof link - 1);

	link[length < 0 ? 0 : length] = '\0';
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const char *found = strstr(link, "bpf-") ?: strstr(link, "bpf_");

		if (found && strncmp(found + 4, kinds[i], strlen(kinds[i])) == 0)
			return kinds[i];
	}
	return "unknown object";
}

static int check_map(int fd, const char *option, const char *shown, struct error *error)
{
	struct bpf_map_info info = { 0 };
	__u32 length = sizeof info;
	const char *kind = object_kind(fd);

	if (strcmp(kind, "map") != 0)
		return error_set(error, EXIT_CODE_USAGE, -EINVAL,
		    "%s: %s is a BPF %s\nexpected a pinned BPF hash map with 8-byte keys", option, shown,
		    kind);
	if (bpf_obj_get_info_by_fd(fd, &info, &length) != 0)
		return error_set(error, EXIT_CODE_RUNTIME, -errno, "%s: cannot ask about %s: %s", option,
		    shown, strerror(errno));
	if (info.type != BPF_MAP_TYPE_HASH && info.type != BPF_MAP_TYPE_LRU_HASH)
		return error_set(error, EXIT_CODE_USAGE, -EINVAL,
		    "%s: %s is a BPF map of type %u\nexpected type hash (%u) or lru_hash (%u) with 8-byte "
		    "keys",
		    option, shown, info.type, BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LRU_HASH);
	if (info.key_size != sizeof(__u64))
		return error_set(error, EXIT_CODE_USAGE, -EINVAL,
		    "%s: the keys of %s have %u bytes\nexpected a pinned BPF hash map with 8-byte keys",
		    option, shown, info.key_size);
	return 0;
}

/* The kernel also answers EACCES for what is no pin: a directory, or a file of another file system. */
static bool may_be_pin(const char *path)
{
	struct statfs system;
	struct stat file;

	if (statfs(path, &system) != 0 || stat(path, &file) != 0)
		return true; /* the path itself is closed to this user */
	return system.f_type == BPF_FS_MAGIC && S_ISREG(file.st_mode);
}

int filter_map_open(const char *path, const char *option, struct error *error)
{
	char shown[PATH_SHOWN_MAX * 4 + 1];

	escape_text(shown, sizeof shown, path, strlen(path), PATH_SHOWN_MAX, false);
	int fd = bpf_obj_get(path);

	if (fd < 0) {
		int err = errno == EACCES && !may_be_pin(path) ? -EINVAL : -errno;

		return error_set(error,
		    err == -EPERM || err == -EACCES ? EXIT_CODE_PERMISSION : EXIT_CODE_USAGE, err,
		    "%s: cannot open %s: %s\nexpected a pinned BPF hash map with 8-byte keys", option, shown,
		    err == -EINVAL ? "not a pinned BPF object" : strerror(-err));
	}
	int err = check_map(fd, option, shown, error);

	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

bool filter_map_is_empty(int fd)
{
	__u64 first;

	return bpf_map_get_next_key(fd, NULL, &first) != 0 && errno == ENOENT;
}
