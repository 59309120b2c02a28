/* SPDX-License-Identifier: Apache-2.0 */
#include "output/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct stream {
	int fd;
	int err;         /* errno of the write that failed; 0: none did */
	off_t cut_bytes; /* written since the last newline */
};

static void take_out_cut_line(const struct stream *stream)
{
	struct stat status;

	if (!stream->cut_bytes || fstat(stream->fd, &status) != 0 || !S_ISREG(status.st_mode) ||
	    status.st_size < stream->cut_bytes || lseek(stream->fd, 0, SEEK_CUR) != status.st_size)
		return;
	/* The place is shared with whoever writes there next, in a shell's { a; b; } > FILE. */
	if (ftruncate(stream->fd, status.st_size - stream->cut_bytes) == 0)
		lseek(stream->fd, -stream->cut_bytes, SEEK_CUR);
}

static void count(struct stream *stream, const char *bytes, size_t size)
{
	const char *newline = memrchr(bytes, '\n', size);

	if (newline)
		stream->cut_bytes = bytes + size - (newline + 1);
	else
		stream->cut_bytes += (off_t)size;
}

/* Others may have made the terminal or the pipe non-blocking: it is theirs, too. A reader that has gone is told by the next write. */
static bool is_to_be_tried_again(const struct stream *stream, int err)
{
	struct pollfd output = { .fd = stream->fd, .events = POLLOUT };

	if (err == EAGAIN)
		poll(&output, 1, -1);
	return err == EAGAIN || err == EINTR;
}

/* All, or 0 as glibc wants it of a failure. */
static ssize_t put(void *cookie, const char *bytes, size_t size)
{
	struct stream *stream = cookie;

	for (size_t at = 0; at < size && !stream->err;) {
		ssize_t written = write(stream->fd, bytes + at, size - at);
		int err = errno;

		if (written > 0) {
			count(stream, bytes + at, (size_t)written);
			at += (size_t)written;
		} else if (written == 0 || !is_to_be_tried_again(stream, err)) {
			stream->err = written < 0 ? err : EIO;
			take_out_cut_line(stream);
		}
	}
	errno = stream->err ?: errno;
	return stream->err ? 0 : (ssize_t)size;
}

static int forget(void *cookie)
{
	free(cookie);
	return 0;
}

FILE *stream_open(int fd)
{
	struct stream *stream = calloc(1, sizeof *stream);

	if (!stream)
		return NULL;
	stream->fd = fd;
	FILE *file = fopencookie(stream, "w", (cookie_io_functions_t){ .write = put, .close = forget });

	if (!file)
		free(stream);
	return file;
}
