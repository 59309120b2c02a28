/* SPDX-License-Identifier: Apache-2.0 */
#include "names/users.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define NAME_SIZE 65
#define CAPACITY_MIN 32
#define USERS_MAX 16384
#define ENTRY_BYTES 4096
#define ENTRY_BYTES_MAX (1 << 20)

/* Kept here, too, so that a name costs no lock: filter and order ask for each row. */
struct user {
	uint32_t uid;
	unsigned tick; /* when it was last looked for */
	char name[NAME_SIZE];
};

struct users {
	struct user *users; /* ascending */
	size_t count;
	size_t capacity;
	unsigned tick; /* counts calls of users_changed; never 0 */
	bool are_read; /* from a file, all that there are */
	struct resolver *resolver;
};

/* What getpwuid_r returns where there is no such user is left open; its page lists these. */
static bool is_none(int err)
{
	return err == 0 || err == ENOENT || err == ESRCH || err == EBADF || err == EPERM;
}

enum resolver_answer users_ask(const uint8_t key[RESOLVER_KEY_SIZE], char name[RESOLVER_NAME_SIZE])
{
	struct passwd entry, *found = NULL;
	char *buffer = NULL;
	uint32_t uid;
	int err = ERANGE;

	memcpy(&uid, key, sizeof uid);
	for (size_t size = ENTRY_BYTES; err == ERANGE && size <= ENTRY_BYTES_MAX; size *= 4) {
		free(buffer);
		buffer = malloc(size);
		err = buffer ? getpwuid_r(uid, &entry, buffer, size, &found) : ENOMEM;
	}
	enum resolver_answer answer = found && found->pw_name[0] ? ANSWER_NAME
	                              : is_none(err)             ? ANSWER_NONE
	                                                         : ANSWER_LATER;

	if (answer == ANSWER_NAME)
		snprintf(name, RESOLVER_NAME_SIZE, "%s", found->pw_name);
	free(buffer);
	return answer;
}

static struct user *find(struct users *users, uint32_t uid);

/* The file of passwd(5); the first name of a number counts. NULL: cannot be read. */
static FILE *open_file(const char *root)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/etc/passwd", root);
	return fopen(path, "re");
}

static void read_users(struct users *users, const char *root)
{
	FILE *file = open_file(root);
	const struct passwd *entry;

	while (file && users->count < USERS_MAX && (entry = fgetpwent(file))) {
		struct user *user = find(users, entry->pw_uid);

		if (user && !user->name[0])
			snprintf(user->name, sizeof user->name, "%s", entry->pw_name);
	}
	if (file)
		fclose(file);
	users->are_read = true;
}

struct users *users_open(const char *root)
{
	struct users *users = calloc(1, sizeof *users);

	if (!users)
		return NULL;
	users->tick = 1;
	users->resolver = resolver_open(users_ask);
	if (!users->resolver) {
		free(users);
		return NULL;
	}
	if (*root)
		read_users(users, root);
	return users;
}

void users_ask_through(struct users *users, const struct resolver_other *other)
{
	resolver_ask_through(users->resolver, other);
}

bool users_number(const char *root, const char *name, uint32_t *uid)
{
	FILE *file = *root ? open_file(root) : NULL;
	const struct passwd *entry = *root || !*name ? NULL : getpwnam(name);

	while (file && (entry = fgetpwent(file)))
		if (strcmp(entry->pw_name, name) == 0)
			break;
	if (entry)
		*uid = entry->pw_uid;
	if (file)
		fclose(file);
	return entry;
}

void users_close(struct users *users)
{
	if (!users)
		return;
	resolver_close(users->resolver);
	free(users->users);
	free(users);
}

/* Its place in the order, whether it is there or not. */
static size_t place_of(const struct users *users, uint32_t uid)
{
	size_t low = 0, high = users->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (users->users[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The entry, new if need be; NULL: there is no memory, or a file has told all users and this is none of them. */
static struct user *find(struct users *users, uint32_t uid)
{
	size_t place = place_of(users, uid);

	if (place < users->count && users->users[place].uid == uid)
		return &users->users[place];
	if (users->are_read)
		return NULL;
	struct user *grown =
	    array_grow(users->users, users->count, &users->capacity, CAPACITY_MIN, sizeof *grown);

	if (!grown)
		return NULL;
	users->users = grown;
	memmove(
	    &users->users[place + 1], &users->users[place], (users->count - place) * sizeof *users->users);
	users->count++;
	users->users[place] = (struct user){ .uid = uid };
	return &users->users[place];
}

const char *users_find(struct users *users, uint32_t uid)
{
	struct user *user = find(users, uid);
	uint8_t key[RESOLVER_KEY_SIZE] = { 0 };

	if (!user)
		return NULL;
	if (!user->name[0] && user->tick != users->tick && !users->are_read) {
		user->tick = users->tick;
		memcpy(key, &uid, sizeof uid);
		const char *name = resolver_find(users->resolver, key, true);

		if (name)
			snprintf(user->name, sizeof user->name, "%s", name);
	}
	return user->name[0] ? user->name : NULL;
}

bool users_pending(struct users *users)
{
	return resolver_pending(users->resolver);
}

bool users_changed(struct users *users)
{
	users->tick += 1 + (users->tick == UINT32_MAX);
	/* Dynamic users come and go. Those that are seen are known again at once, as the resolver has them. */
	if (users->count > USERS_MAX && !users->are_read)
		users->count = 0;
	return resolver_changed(users->resolver);
}
