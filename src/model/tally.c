/* SPDX-License-Identifier: Apache-2.0 */
#include "model/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MIN 256

void tallies_init(struct tallies *tallies)
{
	memset(tallies, 0, sizeof *tallies);
}

void tallies_fini(struct tallies *tallies)
{
	free(tallies->entries);
	tallies_init(tallies);
}

void tallies_clear(struct tallies *tallies)
{
	if (tallies->entry_count > ENTRIES_MIN && tallies->count < tallies->entry_count / 16)
		tallies_fini(tallies);
	else if (tallies->count)
		memset(tallies->entries, 0, tallies->entry_count * sizeof *tallies->entries);
	tallies->count = 0;
}

/* The entry that has the value, or the free one where it belongs. */
static struct tally_entry *find(const struct tallies *tallies, const struct tally_entry *wanted)
{
	size_t mask = tallies->entry_count - 1;
	uint64_t hash = (wanted->value ^ (uint64_t)wanted->owner << 32) * 0x9e3779b97f4a7c15u;
	size_t at = (size_t)(hash ^ hash >> 32) & mask;

	while (tallies->entries[at].owner &&
	       (tallies->entries[at].owner != wanted->owner || tallies->entries[at].value != wanted->value))
		at = (at + 1) & mask;
	return &tallies->entries[at];
}

static int grow(struct tallies *tallies)
{
	struct tallies grown = { .entry_count = tallies->entry_count ? tallies->entry_count * 2 : ENTRIES_MIN,
		.count = tallies->count };

	grown.entries = calloc(grown.entry_count, sizeof *grown.entries);
	if (!grown.entries)
		return -ENOMEM;
	for (size_t i = 0; i < tallies->entry_count; i++)
		if (tallies->entries[i].owner)
			*find(&grown, &tallies->entries[i]) = tallies->entries[i];
	free(tallies->entries);
	*tallies = grown;
	return 0;
}

int tallies_add(struct tallies *tallies, uint32_t group, enum tally tally, uint64_t value)
{
	const struct tally_entry wanted = { value, group * TALLY_COUNT + tally + 1 };

	if (tallies->count * 2 >= tallies->entry_count && grow(tallies) < 0)
		return -ENOMEM;
	struct tally_entry *entry = find(tallies, &wanted);

	if (entry->owner)
		return 0;
	*entry = wanted;
	tallies->count++;
	return 1;
}
