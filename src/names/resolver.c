/* SPDX-License-Identifier: Apache-2.0 */
#include "names/resolver.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STACK_BYTES (512 * 1024) /* the modules of NSS use alloca */
#define ENTRIES_MAX 4096         /* a power of two */
#define USED_MAX (ENTRIES_MAX / 4 * 3)
#define UNUSED_MS 60000 /* not looked for in so long: may go */
#define ROOM_MS 5000

/* Until it is asked again, doubled each time up to the last. */
#define LATER_MS 500
#define NONE_MS 10000
#define AGAIN_MS_MAX 600000

struct entry {
	bool is_used;
	bool is_asked;
	bool is_named;
	uint8_t key[RESOLVER_KEY_SIZE];
	uint8_t tries; /* without a name */
	int64_t again_ms;
	int64_t looked_for_ms;
	char *name; /* of is_named */
};

struct resolver {
	pthread_mutex_t lock;
	pthread_cond_t work;
	enum resolver_answer (*ask)(const uint8_t key[RESOLVER_KEY_SIZE], char name[RESOLVER_NAME_SIZE]);
	struct resolver_other other; /* asked instead, where it has a function */
	unsigned users;              /* threads and the owner: the last one frees */
	bool started;
	bool closing;
	bool changed;
	unsigned asked; /* entries that are */
	unsigned used;
	int64_t room_ms; /* when room was last made */
	uint16_t *queue; /* slots to be asked, a ring of ENTRIES_MAX */
	unsigned queue_head;
	unsigned queue_count;
	struct entry *entries; /* open addressing */
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void free_resolver(struct resolver *resolver)
{
	for (unsigned i = 0; resolver->entries && i < ENTRIES_MAX; i++)
		free(resolver->entries[i].name);
	free(resolver->entries);
	free(resolver->queue);
	if (resolver->other.drop)
		resolver->other.drop(resolver->other.whom);
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

struct resolver *resolver_open(
    enum resolver_answer (*ask)(const uint8_t key[RESOLVER_KEY_SIZE], char name[RESOLVER_NAME_SIZE]))
{
	struct resolver *resolver = calloc(1, sizeof *resolver);

	if (!resolver)
		return NULL;
	pthread_mutex_init(&resolver->lock, NULL);
	pthread_cond_init(&resolver->work, NULL);
	resolver->ask = ask;
	resolver->users = 1;
	return resolver;
}

void resolver_ask_through(struct resolver *resolver, const struct resolver_other *other)
{
	resolver->other = *other;
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

/* ---- entries, with the lock held ---- */

static unsigned slot_of(const struct entry *entries, const uint8_t key[RESOLVER_KEY_SIZE])
{
	uint32_t hash = 2166136261u;

	for (int i = 0; i < RESOLVER_KEY_SIZE; i++)
		hash = (hash ^ key[i]) * 16777619u;
	for (unsigned slot = hash % ENTRIES_MAX;; slot = (slot + 1) % ENTRIES_MAX)
		if (!entries[slot].is_used || memcmp(entries[slot].key, key, RESOLVER_KEY_SIZE) == 0)
			return slot;
}

static void enqueue(struct resolver *resolver, unsigned slot)
{
	resolver->queue[(resolver->queue_head + resolver->queue_count++) % ENTRIES_MAX] = (uint16_t)slot;
}

static void take_answer(
    struct resolver *resolver, struct entry *entry, enum resolver_answer answer, const char *name)
{
	int64_t pause_ms = answer == ANSWER_LATER ? LATER_MS : NONE_MS;

	for (unsigned i = 0; i < entry->tries && pause_ms < AGAIN_MS_MAX; i++)
		pause_ms *= 2;
	entry->again_ms = now_ms() + (pause_ms < AGAIN_MS_MAX ? pause_ms : AGAIN_MS_MAX);
	entry->tries += entry->tries < UINT8_MAX;
	entry->is_asked = false;
	resolver->asked--;
	entry->name = answer == ANSWER_NAME ? strdup(name) : NULL;
	entry->is_named = entry->name != NULL;
	resolver->changed = true;
}

/* Keeps what is being asked and what was looked for lately. Without memory, all. */
static void make_room(struct resolver *resolver)
{
	struct entry *entries = calloc(ENTRIES_MAX, sizeof *entries), *old = resolver->entries;
	uint16_t *queue = calloc(ENTRIES_MAX, sizeof *queue), *old_queue = resolver->queue;
	unsigned head = resolver->queue_head, count = resolver->queue_count;
	int64_t since_ms = now_ms() - UNUSED_MS;

	resolver->room_ms = now_ms();
	if (!entries || !queue) {
		free(entries);
		free(queue);
		return;
	}
	resolver->entries = entries;
	resolver->queue = queue;
	resolver->queue_head = resolver->queue_count = resolver->used = 0;
	for (unsigned i = 0; i < ENTRIES_MAX; i++) {
		if (old[i].is_used && (old[i].is_asked || old[i].looked_for_ms >= since_ms)) {
			entries[slot_of(entries, old[i].key)] = old[i];
			resolver->used++;
		} else {
			free(old[i].name);
		}
	}
	for (unsigned i = 0; i < count; i++)
		enqueue(resolver, slot_of(entries, old[old_queue[(head + i) % ENTRIES_MAX]].key));
	free(old);
	free(old_queue);
}

/* ---- threads ---- */

static void *answer(void *argument)
{
	struct resolver *resolver = argument;
	uint8_t key[RESOLVER_KEY_SIZE];
	char name[RESOLVER_NAME_SIZE];

	pthread_mutex_lock(&resolver->lock);
	for (;;) {
		while (!resolver->closing && !resolver->queue_count)
			pthread_cond_wait(&resolver->work, &resolver->lock);
		if (resolver->closing)
			break;
		memcpy(key, resolver->entries[resolver->queue[resolver->queue_head]].key, sizeof key);
		resolver->queue_head = (resolver->queue_head + 1) % ENTRIES_MAX;
		resolver->queue_count--;
		pthread_mutex_unlock(&resolver->lock);
		enum resolver_answer result = resolver->other.ask
		                                  ? resolver->other.ask(resolver->other.whom, key, name)
		                                  : resolver->ask(key, name);

		pthread_mutex_lock(&resolver->lock);
		/* It may have moved, but stays while it is asked. */
		take_answer(resolver, &resolver->entries[slot_of(resolver->entries, key)], result, name);
	}
	drop_user(resolver);
	return NULL;
}

/* Called with the lock held. When no thread starts, nothing has a name. */
static void start(struct resolver *resolver)
{
	pthread_attr_t attributes;
	pthread_t thread;

	resolver->started = true;
	resolver->entries = calloc(ENTRIES_MAX, sizeof *resolver->entries);
	resolver->queue = calloc(ENTRIES_MAX, sizeof *resolver->queue);
	if (!resolver->entries || !resolver->queue)
		return;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < RESOLVER_THREADS; i++) {
		resolver->users++;
		if (pthread_create(&thread, &attributes, answer, resolver) != 0)
			resolver->users--;
	}
	pthread_attr_destroy(&attributes);
}

/* ---- questions ---- */

static void ask(struct resolver *resolver, struct entry *entry)
{
	entry->is_asked = true;
	resolver->asked++;
	enqueue(resolver, (unsigned)(entry - resolver->entries));
	pthread_cond_signal(&resolver->work);
}

const char *resolver_find(struct resolver *resolver, const uint8_t key[RESOLVER_KEY_SIZE], bool wanted)
{
	const char *name = NULL;

	pthread_mutex_lock(&resolver->lock);
	if (!resolver->started && wanted)
		start(resolver);
	if (resolver->queue && resolver->entries && resolver->users > 1) {
		struct entry *entry = &resolver->entries[slot_of(resolver->entries, key)];
		int64_t now = now_ms();

		if (!entry->is_used && wanted && resolver->used < USED_MAX) {
			entry->is_used = true;
			memcpy(entry->key, key, RESOLVER_KEY_SIZE);
			resolver->used++;
		}
		if (entry->is_used && wanted)
			entry->looked_for_ms = now;
		if (entry->is_used && wanted && !entry->is_named && !entry->is_asked &&
		    now >= entry->again_ms)
			ask(resolver, entry);
		name = entry->name;
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
	if (resolver->used >= USED_MAX && now_ms() - resolver->room_ms >= ROOM_MS)
		make_room(resolver);
	pthread_mutex_unlock(&resolver->lock);
	return changed;
}
