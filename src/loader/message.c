/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/passing.h"
#include "base/util.h"
#include "loader/tracing.h"

#define CPUS_MAX 65536 /* more than any kernel is built for */

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
			if (*all.places[i] != -1)
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

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

/* Any other byte is undefined as a bool. */
static bool are_bools(const bool *const *bools, size_t count)
{
	unsigned char byte;

	for (size_t i = 0; i < count; i++) {
		memcpy(&byte, bools[i], sizeof byte);
		if (byte > 1)
			return false;
	}
	return true;
}

static bool is_hook(const struct hook *hook)
{
	return (unsigned)hook->kind < HOOK_KIND_COUNT && (unsigned)hook->symbol < SYMBOL_COUNT &&
	       (unsigned)hook->duty < HOOK_DUTY_COUNT && is_text(hook->function, sizeof hook->function);
}

static bool is_tracing(const struct tracing *tracing)
{
	const struct plan *plan = &tracing->plan;
	const bool *const bools[] = { &tracing->in_pid_namespace, &plan->direct, &plan->preemptible,
		&plan->tracepoints_preemptible, &plan->kretprobes_collide };

	if (!are_bools(bools, COUNT_OF(bools)) || !method_find(plan->method) ||
	    plan->hook_count > HOOKS_MAX || tracing->cpu_count > CPUS_MAX || plan->fronts > FRONTS_MAX ||
	    (plan->fronts && !tracing->cpu_count))
		return false;
	for (size_t i = 0; i < plan->hook_count; i++)
		if (!is_hook(&plan->hooks[i]))
			return false;
	for (size_t i = 0; i < COUNT_OF(tracing->reset_reasons); i++)
		if (!is_text(tracing->reset_reasons[i], sizeof tracing->reset_reasons[i]))
			return false;
	return true;
}

/* Whole, of a kind that is known, and what it says can be acted on. 0 or -errno. */
static int judge(const struct loader_message *message, size_t length, const struct tracing *tracing)
{
	const bool *const bools[] = { &message->error.of_output };

	if (length < sizeof *message || !is_text(message->note, sizeof message->note) ||
	    !is_text(message->error.text, sizeof message->error.text) || !are_bools(bools, COUNT_OF(bools)))
		return -EPROTO;
	switch (message->kind) {
	case LOADER_NOTE:
		return length == sizeof *message ? 0 : -EPROTO;
	case LOADER_FAILED:
		return length == sizeof *message && message->err < 0 &&
		               message->error.exit_code > EXIT_CODE_OK &&
		               message->error.exit_code <= EXIT_CODE_WRONG_COUNT
		           ? 0
		           : -EPROTO;
	case LOADER_READY:
		return length == sizeof *message + sizeof *tracing && is_tracing(tracing) ? 0 : -EPROTO;
	}
	return -EPROTO;
}

/* Each descriptor into its place. They have to be as many as there are places that are not empty. */
static int place(struct tracing *tracing, const int *fds, size_t count)
{
	struct descriptors all = descriptors_of(tracing);
	size_t wanted = 0, next = 0;

	for (int i = 0; i < FDS_MAX; i++)
		wanted += *all.places[i] != -1;
	if (wanted != count)
		return -EPROTO;
	for (int i = 0; i < FDS_MAX; i++)
		if (*all.places[i] != -1)
			*all.places[i] = fds[next++];
	return 0;
}

int loader_message_receive(int socket, struct loader_message *message, struct tracing *tracing)
{
	union control control = { 0 };
	struct tracing offered;
	int fds[FDS_MAX];
	struct iovec parts[] = { { message, sizeof *message }, { &offered, sizeof offered } };
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
	size_t came = passing_take(&header, fds, FDS_MAX);

	if (length == 0 && !came)
		return -ENODATA;
	int err = judge(message, (size_t)length, &offered);

	if (!err && (header.msg_flags & MSG_TRUNC))
		err = -EPROTO;
	if (!err && (header.msg_flags & MSG_CTRUNC))
		err = -EMFILE; /* a limit on open files cuts the list of descriptors short */
	if (!err && message->kind != LOADER_READY)
		err = came ? -EPROTO : 0;
	else if (!err)
		err = place(&offered, fds, came);
	if (err) {
		for (size_t i = 0; i < came && i < FDS_MAX; i++)
			close(fds[i]);
		return err;
	}
	if (message->kind == LOADER_READY)
		*tracing = offered;
	return 0;
}
