/* SPDX-License-Identifier: Apache-2.0 */
/* Small structs, and a descriptor with them, between this process and a child of it that keeps another user. */
#ifndef TCPTOP_PASSING_H
#define TCPTOP_PASSING_H

#include <stddef.h>

struct msghdr;

/* fd: -1, or a descriptor to go along, which stays the sender's. flags: as for sendmsg(2). 0 or -errno. */
int passing_send(int socket, const void *bytes, size_t size, int fd, int flags);

/*
 * The descriptors that came with a message that recvmsg(2) has filled, the receiver's: how many there were. Those beyond
 * max, for which the padding of control data may have had room, are closed.
 */
size_t passing_take(struct msghdr *message, int *fds, size_t max);

/*
 * Exactly so many bytes. *fd: the receiver's, or -1 where none came, be it for a limit on open files. 0, or -1: the other end
 * is closed, or sent something else, of which nothing stays open.
 */
int passing_receive(int socket, void *bytes, size_t size, int *fd);

/* 0 or -errno. */
int passing_write_all(int fd, const char *bytes, size_t size);

/* All that a file holds, from its beginning on. 0 or -errno. */
int passing_copy(int from, int to);

#endif
