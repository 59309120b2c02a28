/* SPDX-License-Identifier: Apache-2.0 */
/* What the child tells the parent: a datagram a message, descriptors as ancillary data. */
#ifndef TCPTOP_MESSAGE_H
#define TCPTOP_MESSAGE_H

#include "base/error.h"

struct tracing;

enum loader_message_kind {
	LOADER_NOTE,   /* a line of progress, for -v */
	LOADER_FAILED, /* err and error */
	LOADER_READY,  /* plan, and the descriptors that present names */
};

struct loader_message {
	enum loader_message_kind kind;
	int err;
	struct error error;
	char note[1024];
};

/* tracing is sent along with LOADER_READY and NULL otherwise; its descriptors stay the sender's. */
int loader_message_send(int socket, const struct loader_message *message, const struct tracing *tracing);

/*
 * Fills *message and, with LOADER_READY, *tracing, whose descriptors are the caller's. -ENODATA: the other end is closed; -EMFILE: a
 * limit on open files; -EPROTO: cut, garbled or of no known kind. On an error *tracing is as it was, and no descriptor stays open.
 */
int loader_message_receive(int socket, struct loader_message *message, struct tracing *tracing);

#endif
