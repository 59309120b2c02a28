/* SPDX-License-Identifier: Apache-2.0 */
#include "model/audit_side.h"

#include "base/util.h"

static uint64_t size_of(int64_t bytes)
{
	return bytes < 0 ? -(uint64_t)bytes : (uint64_t)bytes;
}

/* What both have: 0 when they differ in sign. */
static int64_t common_part(int64_t a, int64_t b)
{
	if ((a < 0) != (b < 0))
		return 0;
	return size_of(a) < size_of(b) ? a : b;
}

void audit_side_begin(struct audit_side *side, bool is_sure, uint64_t missed_runs_before)
{
	*side = (struct audit_side){ .moved_bytes = side->moved_bytes,
		.base_bytes = side->moved_bytes,
		.missed_runs_before = missed_runs_before,
		.has_base = true,
		.is_sure = is_sure };
}

/* What was healed for long was missing, and is not late any more. */
static void forget_healed(struct audit_side *side, uint64_t now_ns)
{
	if (!side->healed_bytes || now_ns < side->healed_ns + AUDIT_LATE_NS)
		return;
	bool all = now_ns >= side->healed_ns + 2 * AUDIT_LATE_NS;

	side->healed_bytes -= all ? side->healed_bytes : side->healed_before_bytes;
	side->healed_before_bytes = side->healed_bytes;
	side->healed_ns = now_ns;
}

int64_t audit_side_take_back(
    struct audit_side *side, uint64_t over_bytes, uint64_t counted_bytes, uint64_t now_ns)
{
	uint64_t late_bytes = over_bytes;

	forget_healed(side, now_ns);
	late_bytes = late_bytes < side->healed_bytes ? late_bytes : side->healed_bytes;
	late_bytes = late_bytes < counted_bytes ? late_bytes : counted_bytes;
	side->healed_bytes -= late_bytes;
	if (side->healed_before_bytes > side->healed_bytes)
		side->healed_before_bytes = side->healed_bytes;
	side->lag_bytes += (int64_t)late_bytes;
	return (int64_t)late_bytes;
}

/*
 * A call that waits has moved what is counted when it returns: nothing is known of more that was moved until then. What is
 * less cannot be explained.
 */
static void judge(struct audit_side *side, const struct audit_glimpse *glimpse, int64_t dev)
{
	int64_t off = common_part(dev, side->off_bytes);

	if (dev <= 0 || !(glimpse->is_held || glimpse->may_sleep || glimpse->may_miss)) {
		int64_t found = common_part(dev, side->seen_bytes);

		side->seen_bytes = dev;
		off = size_of(found) > size_of(off) ? found : off;
	}
	side->off_bytes = off;
	side->dev_bytes = dev;
}

/*
 * It stands still: a base. A call that waits may have taken a part already, which makes it an unsure one, until more was
 * moved and what was counted agrees.
 */
static void settle(struct audit_side *side, const struct audit_glimpse *glimpse, int64_t dev)
{
	bool has_moved = side->has_base && side->moved_bytes != side->base_bytes;

	if (!side->has_base || !glimpse->may_sleep || has_moved)
		audit_side_begin(
		    side, !glimpse->may_sleep || (has_moved && !dev), glimpse->missed_runs_before);
}

/*
 * Gives what is missing for certain to who has moved all the rest, where the kernel says that it skipped runs; but not what
 * was missing before. One that was only late is counted twice then, which is certain at once: it is taken back.
 */
static int64_t heal(struct audit_side *side, const struct audit_glimpse *glimpse)
{
	int64_t bytes = 0;

	if (side->off_bytes > 0 && glimpse->missed_runs == side->missed_runs_before)
		side->settled_bytes = side->off_bytes;
	if (glimpse->is_shared)
		return 0;
	if (side->dev_bytes < 0)
		bytes = -audit_side_take_back(
		    side, size_of(side->dev_bytes), glimpse->counted_bytes, glimpse->now_ns);
	if (!bytes && side->off_bytes > side->settled_bytes &&
	    glimpse->missed_runs > side->missed_runs_before) {
		bytes = side->off_bytes - side->settled_bytes;
		side->healed_ns = side->healed_bytes ? side->healed_ns : glimpse->now_ns;
		side->healed_bytes += (uint64_t)bytes;
		side->lag_bytes -= bytes;
	}
	if (!bytes)
		return 0;
	side->dev_bytes -= bytes;
	side->seen_bytes = side->dev_bytes;
	side->off_bytes = bytes > 0 ? side->settled_bytes : 0;
	return bytes;
}

int64_t audit_side_take(struct audit_side *side, const struct audit_glimpse *glimpse)
{
	int64_t lag_before = side->lag_bytes;
	bool is_still = glimpse->moved_bytes == side->moved_bytes;

	forget_healed(side, glimpse->now_ns);
	side->lag_bytes +=
	    (int64_t)(glimpse->moved_bytes - side->moved_bytes) - (int64_t)glimpse->counted_bytes;
	side->moved_bytes = glimpse->moved_bytes;
	int64_t at_least = lag_before - (int64_t)glimpse->counted_bytes, at_most = side->lag_bytes;
	int64_t dev = at_least > 0 ? at_least : at_most < 0 ? at_most : 0;

	if (side->is_sure) {
		judge(side, glimpse, dev);
		return heal(side, glimpse);
	}
	if (is_still && !glimpse->is_held)
		settle(side, glimpse, dev);
	return 0;
}

void audit_side_end(struct audit_side *side, uint64_t moved_bytes, uint64_t counted_bytes)
{
	side->lag_bytes += (int64_t)(moved_bytes - side->moved_bytes) - (int64_t)counted_bytes;
	side->moved_bytes = moved_bytes;
}

int64_t audit_side_missing(const struct audit_side *side, uint64_t missed_runs)
{
	int64_t bytes = side->lag_bytes - (side->settled_bytes > 0 ? side->settled_bytes : 0);

	return side->is_sure && bytes > 0 && missed_runs > side->missed_runs_before ? bytes : 0;
}
