/* SPDX-License-Identifier: Apache-2.0 */
/* The facts of a pass over sockets, found by addresses, ports and namespace. */
#ifndef TCPTOP_TOLD_H
#define TCPTOP_TOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;
struct socket_facts;

/* Zero at the start; told_fini frees. */
struct told {
	const struct socket_facts *facts; /* borrowed */
	size_t count;
	uint32_t *slots; /* open addressing: place + 1, 0 free */
	size_t slot_count;
};

/* Takes the facts of a new pass, which stay until the next one. 0 or -ENOMEM. */
int told_index(struct told *told, const struct socket_facts *facts, size_t count);
void told_fini(struct told *told);

/* The place of the facts of a session's socket, or told->count. A listener has no remote end, so it is no session's. */
size_t told_find(const struct told *told, const struct session *session);

/* Has one of them a key with this hash (session_hash)? */
bool told_has_key(const struct told *told, uint64_t key_hash);

#endif
