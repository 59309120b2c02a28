/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "loader/tracing.h"

/* Every descriptor of a struct tracing; those that are -1 are not sent. */
enum { FDS_MAX = MAP_COUNT + 2 * HOOKS_MAX };

struct descriptors {
	int *places[FDS_MAX];
};

static struct descriptors descriptors_of(struct tracing *tracing)
{
	struct descriptors all;
	size_t count = 0;

	for (int i = 0; i < MAP_COUNT; i++)
		all.places[count++] = &tracing->maps[i];
	for (int i = 0; i < HOOKS_MAX; i++)
		all.places[count++] = &tracing->programs[i];
	for (int i = 0; i < HOOKS_MAX; i++)
		all.places[count++] = &tracing->links[i];
	return all;
}

/* Control data has to be aligned as struct cmsghdr is. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

int loader_message_send(int socket, const struct loader_message *message, const struct tracing *tracing)
{
	struct tracing copy;
	union control control = { 0 };
	struct iovec parts[] = { { (void *)message, sizeof *message }, { &copy, sizeof copy } };
	struct msghdr header = { .msg_iov = parts, .msg_iovlen = 1 };

	if (tracing) {
		int fds[FDS_MAX], count = 0;

		copy = *tracing;
		struct descriptors all = descriptors_of(&copy);

		for (int i = 0; i < FDS_MAX; i++)
			if (*all.places[i] >= 0)
				fds[count++] = *all.places[i];
		header.msg_iovlen = 2;
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(count * sizeof *fds);
		control.header = (struct cmsghdr){
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(count * sizeof *fds),
		};
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof *fds);
	}
	return sendmsg(socket, &header, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void close_received(const struct cmsghdr *rights)
{
	if (!rights || rights->cmsg_len < CMSG_LEN(0))
		return;
	const int *fds = (const int *)CMSG_DATA(rights);

	for (size_t i = 0; i < (rights->cmsg_len - CMSG_LEN(0)) / sizeof *fds; i++)
		close(fds[i]);
}

int loader_message_receive(int socket, struct loader_message *message, struct tracing *tracing)
{
	union control control = { 0 };
	struct tracing received;
	struct iovec parts[] = { { message, sizeof *message }, { &received, sizeof received } };
	struct msghdr header = {
		.msg_iov = parts,
		.msg_iovlen = 2,
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	ssize_t length;

	do {
		length = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
	} while (length < 0 && errno == EINTR);
	if (length < 0)
		return errno == ECONNRESET ? -ENODATA : -errno;
	if (length == 0)
		return -ENODATA;
	if ((size_t)length < sizeof *message)
		return -EPROTO;
	if (message->kind != LOADER_READY)
		return 0;
	/* a limit on open files cuts the list of descriptors short */
	struct cmsghdr *rights = CMSG_FIRSTHDR(&header);

	if ((size_t)length != sizeof *message + sizeof received || !rights ||
	    (header.msg_flags & MSG_CTRUNC)) {
		close_received(rights);
		return -EMFILE;
	}
	const int *fds = (const int *)CMSG_DATA(rights);
	struct descriptors all = descriptors_of(&received);
	size_t wanted = 0, sent = (rights->cmsg_len - CMSG_LEN(0)) / sizeof *fds;

	for (int i = 0; i < FDS_MAX; i++)
		wanted += *all.places[i] >= 0;
	if (wanted != sent) {
		close_received(rights);
		return -EPROTO;
	}
	for (int i = 0, next = 0; i < FDS_MAX; i++)
		if (*all.places[i] >= 0)
			*all.places[i] = fds[next++];
	*tracing = received;
	return 0;
}
