/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pid_namespace.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#define INITIAL_INODE \
	0xeffffffcU /* PROC_PID_INIT_INO, include/linux/proc_ns.h; the same in every kernel since 3.8 */

int pid_namespace_is_initial(const char *root)
{
	struct stat status;
	char path[256];

	snprintf(path, sizeof path, "%s/proc/self/ns/pid", root);
	if (stat(path, &status) != 0)
		return -errno;
	return status.st_ino == INITIAL_INODE;
}
