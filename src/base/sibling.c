/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sibling.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SELF "/proc/self/exe"
#define DELETED \
	" (deleted)" /* what the kernel appends to the path of a program that was replaced while it runs */

void sibling_self(char *path, size_t size)
{
	ssize_t length = readlink(SELF, path, size - 1);
	size_t deleted = strlen(DELETED);

	path[length < 0 ? 0 : length] = '\0';
	if (length > (ssize_t)deleted && strcmp(path + length - deleted, DELETED) == 0)
		path[length - deleted] = '\0';
}

/* Whoever could have put it there could have put another tcptop there, too. */
static int check_trust(int fd)
{
	struct stat self, found;

	if (stat(SELF, &self) < 0 || fstat(fd, &found) < 0)
		return -errno;
	if (!S_ISREG(found.st_mode) || (found.st_mode & S_IWOTH) ||
	    (found.st_uid != 0 && found.st_uid != self.st_uid))
		return -EPERM;
	return 0;
}

int sibling_open(const char *place)
{
	char self[PATH_MAX], path[2 * PATH_MAX];

	sibling_self(self, sizeof self);
	char *slash = strrchr(self, '/');

	if (*place != '/' && !slash)
		return -ENOENT;
	if (*place == '/')
		snprintf(path, sizeof path, "%s", place);
	else
		snprintf(path, sizeof path, "%.*s/%s", (int)(slash - self), self, place);
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	int err = check_trust(fd);

	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

const char *sibling_reason(int err)
{
	return err == -EPERM ? "it is not a file of root's or of tcptop's owner that nobody else can write"
	                     : strerror(-err);
}
