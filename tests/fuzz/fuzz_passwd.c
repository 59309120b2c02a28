/* SPDX-License-Identifier: Apache-2.0 */
/* A host's passwd(5): each number has the name of its first entry, and each name the number of its. */
#include <pwd.h>

#include "names/users.h"
#include "root.h"

enum { ENTRIES_MAX = 64, NAME_SHOWN = 64 };

struct entry {
	char *name;
	uint32_t uid;
};

/* What the C library reads of the same bytes. */
static size_t read_entries(struct entry *entries, const void *bytes, size_t size)
{
	FILE *file = fmemopen((void *)bytes, size, "r");
	const struct passwd *found;
	size_t count = 0;

	HOLDS(file);
	while (count < ENTRIES_MAX && (found = fgetpwent(file)))
		entries[count++] = (struct entry){ strdup(found->pw_name), found->pw_uid };
	fclose(file);
	return count;
}

static void check_entry(struct users *users, const struct entry *entries, size_t count, size_t at)
{
	const char *name = NULL, *shown = users_find(users, entries[at].uid);
	uint32_t uid, first = entries[at].uid;

	for (size_t i = count; i-- > 0;) {
		if (entries[i].uid == entries[at].uid && entries[i].name[0])
			name = entries[i].name;
		if (strcmp(entries[i].name, entries[at].name) == 0)
			first = entries[i].uid;
	}
	HOLDS(!name == !shown);
	HOLDS(!shown || strncmp(shown, name, NAME_SHOWN) == 0);
	HOLDS(users_number(root, entries[at].name, &uid) && uid == first);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct entry entries[ENTRIES_MAX];
	size_t count = read_entries(entries, bytes, size);

	fuzz_file("/etc/passwd", bytes, size);
	struct users *users = users_open(root);

	HOLDS(users);
	for (size_t i = 0; i < count; i++)
		check_entry(users, entries, count, i);
	HOLDS(!users_pending(users));
	for (size_t i = 0; i < count; i++)
		free(entries[i].name);
	users_close(users);
	return 0;
}
