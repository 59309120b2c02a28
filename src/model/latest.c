/* SPDX-License-Identifier: Apache-2.0 */
#include "model/latest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

void latest_fini(struct latest *latest)
{
	free(latest->items);
	*latest = (struct latest){ 0 };
}

/* What was told of an interval that is told of again, or of later ones, is forgotten. */
static void go_back(struct latest *latest, uint64_t tick)
{
	while (latest->count) {
		size_t last = (latest->next + LATEST_MAX - 1) % LATEST_MAX;
		const struct latest_item *item = &latest->items[last];

		if (tick > item->tick)
			return;
		latest->ended[item->connection.end < END_COUNT ? item->connection.end : END_UNKNOWN]--;
		latest->next = last;
		latest->count--;
	}
	/* older ones have left the ring, and would be counted twice */
	memset(latest->ended, 0, sizeof latest->ended);
	latest->lost = 0;
}

int latest_add(struct latest *latest, const struct snapshot *snapshot, uint64_t tick)
{
	if (latest->count)
		go_back(latest, tick);
	if (snapshot->connection_count && !latest->items) {
		latest->items = calloc(LATEST_MAX, sizeof *latest->items);
		if (!latest->items)
			return -ENOMEM;
	}
	latest->lost += snapshot->connections_lost;
	latest->error = snapshot->connections_error;
	for (size_t i = 0; i < snapshot->connection_count; i++) {
		const struct connection *connection = &snapshot->connections[i];
		int64_t end_us = snapshot->time.tv_sec * INT64_C(1000000) + snapshot->time.tv_nsec / 1000;

		latest->ended[connection->end < END_COUNT ? connection->end : END_UNKNOWN]++;
		latest->items[latest->next] = (struct latest_item){
			.connection = *connection,
			.ended_s = (end_us - (int64_t)connection->ago_us) / 1000000,
			.tick = tick,
		};
		latest->next = (latest->next + 1) % LATEST_MAX;
		latest->count += latest->count < LATEST_MAX;
	}
	return 0;
}

const struct latest_item *latest_at(const struct latest *latest, size_t age)
{
	if (age >= latest->count)
		return NULL;
	return &latest->items[(latest->next + LATEST_MAX - 1 - age) % LATEST_MAX];
}
