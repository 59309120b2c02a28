/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/iterator.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <unistd.h>

int iterator_run(int link_fd)
{
	int fd = bpf_iter_create(link_fd), err = 0;
	ssize_t length = 1;
	char mark;

	if (fd < 0)
		return -errno;
	while (!err && length != 0) {
		length = read(fd, &mark, sizeof mark);
		if (length < 0 && errno != EINTR && errno != EAGAIN)
			err = -errno;
	}
	close(fd);
	return err;
}
