/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of users from NSS: /etc/passwd, LDAP, SSSD, systemd's dynamic users, in whatever order this host has. Threads
 * ask, as a server may be slow and the file long. A name is that of the host, also for a user of a container.
 */
#ifndef TCPTOP_USERS_H
#define TCPTOP_USERS_H

#include <stdbool.h>
#include <stdint.h>

#include "names/resolver.h"

struct users;

/* root: the directory of the host whose file etc/passwd tells them, without NSS; "": this one's NSS. NULL when out of memory. */
struct users *users_open(const char *root);
void users_close(struct users *users);

/* What asks NSS for a name, as a resolver's: the key begins with the number. */
enum resolver_answer users_ask(const uint8_t key[RESOLVER_KEY_SIZE], char name[RESOLVER_NAME_SIZE]);

/* Another process calls it from now on. */
void users_ask_through(struct users *users, const struct resolver_other *other);

/* The name, borrowed until the next call of a function here; NULL when there is none or not yet. */
const char *users_find(struct users *users, uint32_t uid);

/* True while names are being asked for or users_changed has something to tell. */
bool users_pending(struct users *users);

/* The number of a user's name, by the same sources, now. */
bool users_number(const char *root, const char *name, uint32_t *uid);

/* True when a name has arrived since the last call. To be called often: only then something is asked again. */
bool users_changed(struct users *users);

#endif
