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

static int open_usual(void)
{
	int fd = open(USUAL_PLACE, O_DIRECTORY | O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* A mount that no path leads to: it ends with the descriptor (fsopen; glibc has it since 2.36). */
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

/* tracefs: its root's descriptor, which is closed, or -errno. */
static int read_id(unsigned *id, int tracefs, const char *group, const char *name)
{
	char path[128], text[16] = "";

	if (tracefs < 0)
		return tracefs;
	snprintf(path, sizeof path, "events/%s/%s/id", group, name);
	int fd = openat(tracefs, path, O_RDONLY | O_CLOEXEC), err = fd < 0 ? -errno : 0;

	close(tracefs);
	if (err)
		return err;
	ssize_t length = read(fd, text, sizeof text - 1);

	close(fd);
	*id = length > 0 ? strtoul(text, NULL, 10) : 0;
	return *id ? 0 : -EIO;
}

int tracefs_event_id(unsigned *id, const char *group, const char *name)
{
	int err = read_id(id, open_usual(), group, name);

	return err ? read_id(id, mount_detached(), group, name) : 0;
}
