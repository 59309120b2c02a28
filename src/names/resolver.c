/* SPDX-License-Identifier: Apache-2.0 */
#include "names/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A name server that does not answer blocks a thread for some 10 s; the others go on. */
#define THREADS 3
#define STACK_BYTES (256 * 1024)
#define ENTRIES_MAX 4096 /* a power of two */

enum state {
	STATE_FREE,
	STATE_ASKED,
	STATE_KNOWN,
};

struct entry {
	uint8_t state;
	uint8_t family;
	uint8_t address[16];
	char *name; /* NULL: it has none */
};

struct resolver {
	pthread_mutex_t lock;
	pthread_cond_t work;
	unsigned users; /* threads and the owner: the last one frees */
	bool started;
	bool closing;
	bool changed;
	unsigned asked; /* entries in STATE_ASKED */
	unsigned used;
	uint16_t *queue; /* slots to be asked, a ring of ENTRIES_MAX */
	unsigned queue_head;
	unsigned queue_count;
	struct entry *entries; /* open addressing */
};

static void free_resolver(struct resolver *resolver)
{
	for (unsigned i = 0; resolver->entries && i < ENTRIES_MAX; i++)
		free(resolver->entries[i].name);
	free(resolver->entries);
	free(resolver->queue);
	pthread_cond_destroy(&resolver->work);
	pthread_mutex_destroy(&resolver->lock);
	free(resolver);
}

/* Called with the lock held; releases it. */
static void drop_user(struct resolver *resolver)
{
	unsigned users = --resolver->users;

	pthread_mutex_unlock(&resolver->lock);
	if (!users)
		free_resolver(resolver);
}

struct resolver *resolver_open(void)
{
	struct resolver *resolver = calloc(1, sizeof *resolver);

	if (!resolver)
		return NULL;
	pthread_mutex_init(&resolver->lock, NULL);
	pthread_cond_init(&resolver->work, NULL);
	resolver->users = 1;
	return resolver;
}

void resolver_close(struct resolver *resolver)
{
	if (!resolver)
		return;
	pthread_mutex_lock(&resolver->lock);
	resolver->closing = true;
	pthread_cond_broadcast(&resolver->work);
	drop_user(resolver);
}

static char *ask_host(uint8_t family, const uint8_t address[16])
{
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	char name[NI_MAXHOST];
	const struct sockaddr *to = (const struct sockaddr *)&in4;
	socklen_t length = sizeof in4;

	if (family == 4) {
		memcpy(&in4.sin_addr, address, sizeof in4.sin_addr);
	} else {
		memcpy(&in6.sin6_addr, address, sizeof in6.sin6_addr);
		to = (const struct sockaddr *)&in6;
		length = sizeof in6;
	}
	if (getnameinfo(to, length, name, sizeof name, NULL, 0, NI_NAMEREQD) != 0)
		return NULL;
	return strdup(name);
}

static void *answer(void *argument)
{
	struct resolver *resolver = argument;

	pthread_mutex_lock(&resolver->lock);
	for (;;) {
		while (!resolver->closing && !resolver->queue_count)
			pthread_cond_wait(&resolver->work, &resolver->lock);
		if (resolver->closing)
			break;
		struct entry *entry = &resolver->entries[resolver->queue[resolver->queue_head]];
		struct entry question = *entry;

		resolver->queue_head = (resolver->queue_head + 1) % ENTRIES_MAX;
		resolver->queue_count--;
		pthread_mutex_unlock(&resolver->lock);
		char *name = ask_host(question.family, question.address);

		pthread_mutex_lock(&resolver->lock);
		entry->name = name;
		entry->state = STATE_KNOWN;
		resolver->asked--;
		resolver->changed = true;
	}
	drop_user(resolver);
	return NULL;
}

/* Called with the lock held. When no thread starts, addresses have no names. */
static bool start(struct resolver *resolver)
{
	pthread_attr_t attributes;
	pthread_t thread;

	resolver->started = true;
	resolver->entries = calloc(ENTRIES_MAX, sizeof *resolver->entries);
	resolver->queue = calloc(ENTRIES_MAX, sizeof *resolver->queue);
	if (!resolver->entries || !resolver->queue)
		return false;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < THREADS; i++) {
		resolver->users++;
		if (pthread_create(&thread, &attributes, answer, resolver) != 0)
			resolver->users--;
	}
	pthread_attr_destroy(&attributes);
	return true;
}

static unsigned slot_of(const struct resolver *resolver, uint8_t family, const uint8_t address[16])
{
	uint32_t hash = family;

	for (int i = 0; i < 16; i++)
		hash = (hash ^ address[i]) * 16777619u;
	for (unsigned slot = hash % ENTRIES_MAX;; slot = (slot + 1) % ENTRIES_MAX) {
		const struct entry *entry = &resolver->entries[slot];

		if (entry->state == STATE_FREE ||
		    (entry->family == family && memcmp(entry->address, address, 16) == 0))
			return slot;
	}
}

const char *resolver_find(struct resolver *resolver, uint8_t family, const uint8_t address[16], bool ask)
{
	const char *name = NULL;

	pthread_mutex_lock(&resolver->lock);
	if (!resolver->started && ask)
		start(resolver);
	if (resolver->queue && resolver->entries && resolver->users > 1) {
		unsigned slot = slot_of(resolver, family, address);
		struct entry *entry = &resolver->entries[slot];

		if (entry->state == STATE_KNOWN) {
			name = entry->name;
		} else if (ask && entry->state == STATE_FREE && resolver->used < ENTRIES_MAX / 4 * 3) {
			*entry = (struct entry){ .state = STATE_ASKED, .family = family };
			memcpy(entry->address, address, 16);
			resolver->used++;
			resolver->asked++;
			resolver->queue[(resolver->queue_head + resolver->queue_count++) % ENTRIES_MAX] =
			    (uint16_t)slot;
			pthread_cond_signal(&resolver->work);
		}
	}
	pthread_mutex_unlock(&resolver->lock);
	return name;
}

bool resolver_pending(struct resolver *resolver)
{
	pthread_mutex_lock(&resolver->lock);
	bool pending = resolver->asked > 0 || resolver->changed;

	pthread_mutex_unlock(&resolver->lock);
	return pending;
}

bool resolver_changed(struct resolver *resolver)
{
	pthread_mutex_lock(&resolver->lock);
	bool changed = resolver->changed;

	resolver->changed = false;
	pthread_mutex_unlock(&resolver->lock);
	return changed;
}
