/* SPDX-License-Identifier: Apache-2.0 */
#include "base/passing.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int passing_send(int socket, const void *bytes, size_t size, int fd, int flags)
{
	union control control = { .bytes = { 0 } };
	struct iovec part = { (void *)bytes, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof control.bytes;
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);

		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(header), &fd, sizeof fd);
	}
	ssize_t sent;

	do
		sent = sendmsg(socket, &message, flags | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

size_t passing_take(struct msghdr *message, int *fds, size_t max)
{
	size_t came = 0;

	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
		const unsigned char *bytes = CMSG_DATA(part);
		size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof *fds;

		for (size_t i = 0; i < count && part->cmsg_type == SCM_RIGHTS; i++, came++) {
			int fd;

			memcpy(&fd, bytes + i * sizeof fd, sizeof fd);
			if (came < max)
				fds[came] = fd;
			else
				close(fd);
		}
	}
	return came;
}

int passing_receive(int socket, void *bytes, size_t size, int *fd)
{
	union control control;
	struct iovec part = { bytes, size };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes };
	ssize_t count;

	do
		count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (count < 0 && errno == EINTR);
	size_t came = count >= 0 ? passing_take(&message, fd, 1) : 0;

	if (!came)
		*fd = -1;
	if (count == (ssize_t)size && !(message.msg_flags & MSG_TRUNC) && came <= 1)
		return 0;
	if (came)
		close(*fd);
	*fd = -1;
	return -1;
}

int passing_write_all(int fd, const char *bytes, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t count = write(fd, bytes + at, size - at);

		if (count <= 0 && (count == 0 || errno != EINTR))
			return count < 0 ? -errno : -EIO;
		at += count > 0 ? (size_t)count : 0;
	}
	return 0;
}

int passing_copy(int from, int to)
{
	char bytes[65536];
	ssize_t count;
	int err = 0;

	if (lseek(from, 0, SEEK_SET) != 0)
		return -errno;
	do {
		count = read(from, bytes, sizeof bytes);
		if (count < 0 && errno != EINTR)
			err = -errno;
		else if (count > 0)
			err = passing_write_all(to, bytes, (size_t)count);
	} while (count != 0 && !err);
	return err;
}
