/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define USUAL_PLACE "/sys/kernel/tracing"

/* A mount that no path leads to: it ends with the descriptor (fsopen, Linux 5.2; glibc has it since 2.36). */
static int mount_detached(void)
{
	int context = syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);

	if (context < 0)
		return -errno;
	int fd = -1, err = 0;

	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		fd = syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	if (fd < 0)
		err = -errno;
	close(context);
	return err ?: fd;
}

static int read_id(unsigned *id, int directory, const char *group, const char *name)
{
	char path[128], text[16] = "";

	snprintf(path, sizeof path, "events/%s/%s/id", group, name);
	int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	ssize_t length = read(fd, text, sizeof text - 1);

	close(fd);
	*id = length > 0 ? strtoul(text, NULL, 10) : 0;
	return *id ? 0 : -EIO;
}

int tracefs_event_id(unsigned *id, const char *group, const char *name)
{
	int directory = open(USUAL_PLACE, O_DIRECTORY | O_PATH | O_CLOEXEC);
	int err = directory < 0 ? -errno : read_id(id, directory, group, name);

	if (directory >= 0)
		close(directory);
	if (!err)
		return 0;
	directory = mount_detached();
	if (directory < 0)
		return directory;
	err = read_id(id, directory, group, name);
	close(directory);
	return err;
}
