/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that asks the host's name services (NSS), as their modules open sockets and load code: with a list of system calls of
 * its own, so that who shows the names needs none of that. What it answers is checked as a stranger's. It ends with its parent.
 */
#ifndef TCPTOP_ASKER_H
#define TCPTOP_ASKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "names/resolver.h"

struct asker;

enum asker_subject { ASKER_HOSTS, ASKER_USERS, ASKER_SUBJECTS };

/* Writes the name of a key into name, and may wait. Called in the process, by several threads at once. */
struct asker_services {
	enum resolver_answer (*ask[ASKER_SUBJECTS])(
	    const uint8_t key[RESOLVER_KEY_SIZE], char name[RESOLVER_NAME_SIZE]);
};

/*
 * Starts the process. To be called after root has been given up and before threads are started. Without one, as processes are limited,
 * nothing has a name, which asker_has_ended tells. NULL when out of memory. The caller has a share in it, for asker_drop.
 */
struct asker *asker_start(const struct asker_services *services);

/* One more share; the last one that is dropped frees it. */
struct asker *asker_share(struct asker *asker);
void asker_drop(struct asker *asker);

/* Ends the process, whatever it waits for; questions under way are answered ANSWER_LATER. NULL is no error. */
void asker_end(struct asker *asker);

/* The process, until asker_end; 0: there is none. */
pid_t asker_process(const struct asker *asker);

/* Asks and waits, by RESOLVER_THREADS threads at once for each subject; for a process that is stopped 40 s. */
enum resolver_answer asker_ask(struct asker *asker, enum asker_subject subject,
    const uint8_t key[RESOLVER_KEY_SIZE], char name[RESOLVER_NAME_SIZE]);

/* It has gone without having been told to: no new name will come. Known once something was asked. */
bool asker_has_ended(struct asker *asker);

#endif
