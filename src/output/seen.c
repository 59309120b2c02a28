/* SPDX-License-Identifier: Apache-2.0 */
#include "output/seen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/rows.h"

#define SLOTS_MIN 1024

void seen_init(struct seen *seen)
{
	memset(seen, 0, sizeof *seen);
}

void seen_fini(struct seen *seen)
{
	free(seen->young.hashes);
	free(seen->old.hashes);
	seen_init(seen);
}

static uint64_t hash_of(const struct session *session)
{
	struct session key = *session;

	key.pid = 0;
	return session_hash(&key) ?: 1;
}

/* The slot that holds the hash, or the free one where it belongs. */
static uint64_t *slot_of(const struct seen_half *half, uint64_t hash)
{
	size_t slot = hash & (half->slot_count - 1);

	while (half->hashes[slot] && half->hashes[slot] != hash)
		slot = (slot + 1) & (half->slot_count - 1);
	return &half->hashes[slot];
}

static int grow(struct seen_half *half)
{
	struct seen_half grown = { .slot_count = half->slot_count ? half->slot_count * 2 : SLOTS_MIN,
		.count = half->count };

	grown.hashes = calloc(grown.slot_count, sizeof *grown.hashes);
	if (!grown.hashes)
		return -ENOMEM;
	for (size_t i = 0; i < half->slot_count; i++)
		if (half->hashes[i])
			*slot_of(&grown, half->hashes[i]) = half->hashes[i];
	free(half->hashes);
	*half = grown;
	return 0;
}

static int add(struct seen *seen, uint64_t hash)
{
	if (seen->young.count == seen->kept) {
		free(seen->old.hashes);
		seen->old = seen->young;
		seen->young = (struct seen_half){ 0 };
	}
	if (seen->young.count * 2 >= seen->young.slot_count && grow(&seen->young) < 0)
		return -ENOMEM;
	uint64_t *slot = slot_of(&seen->young, hash);

	seen->young.count += !*slot;
	*slot = hash;
	return 0;
}

int seen_add(struct seen *seen, const struct session *sessions, size_t count)
{
	seen->kept = count > SEEN_KEPT ? count : seen->kept < SEEN_KEPT ? SEEN_KEPT : seen->kept;
	for (size_t i = 0; i < count; i++)
		if (add(seen, hash_of(&sessions[i])) < 0)
			return -ENOMEM;
	return 0;
}

static bool has(const struct seen_half *half, uint64_t hash)
{
	return half->slot_count && *slot_of(half, hash) == hash;
}

int seen_add_hash(struct seen *seen, uint64_t hash)
{
	hash += !hash;
	bool is_new = !has(&seen->young, hash) && !has(&seen->old, hash);

	seen->kept = seen->kept < SEEN_KEPT ? SEEN_KEPT : seen->kept;
	return add(seen, hash) < 0 ? -ENOMEM : is_new;
}

bool seen_has(const struct seen *seen, const struct session *connection)
{
	uint64_t hash = hash_of(connection);

	return has(&seen->young, hash) || has(&seen->old, hash);
}
