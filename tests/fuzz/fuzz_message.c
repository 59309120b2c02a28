/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the loader's child might send: a right message of which bytes are others, cut, with any number of descriptors. Of the
 * input the first byte chooses the kind, the second one how many descriptors go along, the third one whether it is cut;
 * then come changes: where (two bytes), for how many bytes, and what is there. So seeds do not depend on how the structs are laid out.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "loader/message.h"
#include "loader/tracing.h"

enum { DESCRIPTORS_MAX = 4 };

struct sent {
	struct loader_message message;
	struct tracing tracing;
};

static int sockets[2] = { -1, -1 };

/* The number that the next descriptor will have: another one when one stayed open. */
static int lowest_free(void)
{
	int fd = dup(sockets[0]);

	HOLDS(fd >= 0);
	close(fd);
	return fd;
}

static void make_message(struct sent *sent, enum loader_message_kind kind, unsigned descriptors)
{
	memset(sent, 0, sizeof *sent);
	sent->message.kind = kind;
	strcpy(sent->message.note, "probe tracepoint: works");
	sent->message.err = kind == LOADER_FAILED ? -1 : 0;
	sent->message.error.exit_code = EXIT_CODE_UNSUPPORTED;
	tracing_init(&sent->tracing);
	sent->tracing.plan.method = PROBE_FENTRY;
	sent->tracing.plan.hook_count = 2;
	strcpy(sent->tracing.plan.hooks[1].function, "fentry_inet_recvmsg");
	strcpy(sent->tracing.reset_reasons[1], "tcp_abort_on_close");
	for (unsigned i = 0; i < descriptors; i++)
		sent->tracing.programs[i] = 7;
}

static void send_bytes(const void *bytes, size_t size, unsigned descriptors)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
	} control = { 0 };
	struct iovec part = { (void *)bytes, size };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

	if (descriptors) {
		int fds[DESCRIPTORS_MAX] = { sockets[0], sockets[0], sockets[0], sockets[0] };

		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(descriptors * sizeof *fds);
		control.header = (struct cmsghdr){
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(descriptors * sizeof *fds),
		};
		memcpy(CMSG_DATA(&control.header), fds, descriptors * sizeof *fds);
	}
	HOLDS(sendmsg(sockets[1], &header, 0) == (ssize_t)size);
}

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size);
}

/* What was taken for right can be acted on. */
static void check_received(const struct loader_message *message, const struct tracing *tracing)
{
	const struct plan *plan = &tracing->plan;

	HOLDS(is_text(message->note, sizeof message->note));
	HOLDS(is_text(message->error.text, sizeof message->error.text));
	HOLDS(message->kind != LOADER_FAILED || message->err < 0);
	if (message->kind != LOADER_READY)
		return;
	HOLDS(method_find(plan->method) && plan->hook_count <= HOOKS_MAX);
	for (size_t i = 0; i < plan->hook_count; i++)
		HOLDS(is_text(plan->hooks[i].function, sizeof plan->hooks[i].function));
	for (size_t i = 0; i < RESET_REASONS_MAX; i++)
		HOLDS(is_text(tracing->reset_reasons[i], RESET_REASON_SIZE));
	for (size_t i = 0; i < HOOKS_MAX; i++)
		HOLDS(tracing->programs[i] == -1 || fcntl(tracing->programs[i], F_GETFD) == FD_CLOEXEC);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_bytes input = { bytes, size };
	enum loader_message_kind kind = (enum loader_message_kind)(fuzz_take(&input) % 4);
	unsigned descriptors = fuzz_take(&input) % (DESCRIPTORS_MAX + 1);
	size_t cut = fuzz_take(&input), length;
	struct tracing tracing, untouched;
	struct loader_message message;
	static struct sent sent;

	HOLDS(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0);
	make_message(&sent, kind, descriptors);
	while (input.left) {
		size_t at = fuzz_take(&input);

		at = at << 8 | fuzz_take(&input);
		size_t count = (size_t)fuzz_take(&input) + 1, room = sizeof sent - at % sizeof sent;

		memset((uint8_t *)&sent + at % sizeof sent, fuzz_take(&input), count < room ? count : room);
	}
	length = kind == LOADER_READY ? sizeof sent : sizeof sent.message;
	length = cut < length ? length - cut : 0;
	tracing_init(&tracing);
	untouched = tracing;
	int free_before = lowest_free();

	send_bytes(&sent, length, descriptors);
	if (loader_message_receive(sockets[0], &message, &tracing) == 0)
		check_received(&message, &tracing);
	else
		HOLDS(memcmp(&tracing, &untouched, sizeof tracing) == 0);
	tracing_close(&tracing);
	HOLDS(lowest_free() == free_before);
	close(sockets[0]);
	close(sockets[1]);
	return 0;
}
