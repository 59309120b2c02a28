/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that someone else has to be asked for, such as a name server. A few threads ask, or wait for a process that does (asker.h), so that the caller never
 * waits. What could not be had is asked for again, less and less often, as long as there is someone to show it.
 */
#ifndef TCPTOP_RESOLVER_H
#define TCPTOP_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct resolver;

enum {
	RESOLVER_KEY_SIZE = 17,
	RESOLVER_NAME_SIZE = 256,
	RESOLVER_THREADS =
	    3, /* a name server that does not answer blocks one for some 10 s; the others go on */
};

enum resolver_answer {
	ANSWER_NAME,
	ANSWER_NONE,  /* it has no name, for now */
	ANSWER_LATER, /* could not be asked: the server does not answer, or a resource is short */
};

/*
 * ask: writes the name of a key into name, and may wait. It is called by several threads at once, also some time after
 * resolver_close. Starts no thread: the first question does. NULL when out of memory.
 */
struct resolver *resolver_open(
    enum resolver_answer (*ask)(const uint8_t key[RESOLVER_KEY_SIZE], char name[RESOLVER_NAME_SIZE]));

/* Another one to ask, as a process: the resolver's from resolver_ask_through on, which drops it at last. */
struct resolver_other {
	enum resolver_answer (*ask)(
	    void *whom, const uint8_t key[RESOLVER_KEY_SIZE], char name[RESOLVER_NAME_SIZE]);
	void (*drop)(void *whom);
	void *whom;
};

/* Instead of the function of resolver_open. To be called before the first question. */
void resolver_ask_through(struct resolver *resolver, const struct resolver_other *other);

/* Does not wait for questions under way: the last thread to end frees the resolver. */
void resolver_close(struct resolver *resolver);

/*
 * The name, borrowed until resolver_changed or resolver_close; NULL when there is none or not yet. wanted: ask for it
 * when it is new, or when it is time to ask again.
 */
const char *resolver_find(struct resolver *resolver, const uint8_t key[RESOLVER_KEY_SIZE], bool wanted);

/* True while questions are under way or resolver_changed has something to tell. */
bool resolver_pending(struct resolver *resolver);

/*
 * True when an answer came since the last call. When there is no room left, names go that were not looked for lately.
 */
bool resolver_changed(struct resolver *resolver);

#endif
