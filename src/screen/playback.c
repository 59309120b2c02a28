/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/playback.h"

#include <stdio.h>
#include <time.h>

#include "base/format.h"
#include "base/util.h"
#include "output/renderer.h"
#include "screen/ui.h"

#define DAY_S 86400

int playback_merge(struct ui *ui, const struct snapshot *snapshot)
{
	int err = past_merge(&ui->past, &ui->traffic, snapshot, view_kept(&ui->view));

	if (err)
		return err;
	if (ui->traffic.tick == 1)
		ui->began_s = snapshot->time.tv_sec;
	if (!playback_runs(ui))
		play_end_run(&ui->play);
	return 0;
}

bool playback_runs(const struct ui *ui)
{
	return !ui->ended && play_runs(&ui->play, ui->traffic.tick, ui->traffic.time.tv_sec);
}

bool playback_is_held(const struct ui *ui)
{
	return ui->is_frozen || (ui->play.is_paused && !ui->ended);
}

bool playback_is_past(const struct ui *ui)
{
	return ui->is_frozen && ui->frozen.tick < ui->traffic.tick;
}

static unsigned no_memory(struct ui *ui)
{
	ui_say(ui, "not enough memory to go there");
	return REACTION_NONE;
}

/* ---- a recording that is sought ---- */

/* Goes back before all that is kept: everything is read again, and adds up as it did. */
static unsigned rewind_to(struct ui *ui, uint64_t tick, int64_t wall_s)
{
	ui_freeze(ui, false); /* which needs no memory */
	traffic_fini(&ui->traffic);
	traffic_init(&ui->traffic);
	if (past_begin(&ui->past, &ui->traffic) < 0)
		return no_memory(ui);
	ui->play.is_seek = true;
	ui->play.position = 0;
	ui->play.run_to = tick;
	ui->play.run_until_s = wall_s;
	ui->ended = false;
	view_changed(&ui->view);
	return REACTION_PLAY;
}

static unsigned run_on(struct ui *ui, uint64_t tick, int64_t wall_s)
{
	if (ui->ended) {
		ui_say(ui, "the recording ends here");
		return REACTION_NONE;
	}
	ui->play.run_to = tick;
	ui->play.run_until_s = wall_s;
	return REACTION_PLAY;
}

static unsigned seek(struct ui *ui, uint64_t tick)
{
	struct traffic there;

	if (tick > ui->traffic.tick)
		return run_on(ui, tick, 0);
	if (tick < past_first(&ui->past))
		return rewind_to(ui, tick, 0);
	traffic_init(&there);
	if (past_show(&ui->past, (uint32_t)tick, &there) < 0) {
		traffic_fini(&there);
		return no_memory(ui);
	}
	ui_freeze(ui, false);
	ui_keep_places(&there, &ui->traffic);
	traffic_fini(&ui->traffic);
	ui->traffic = there;
	past_cut(&ui->past, (uint32_t)tick);
	ui->play.is_seek = true;
	ui->play.position = tick;
	play_end_run(&ui->play);
	ui->ended = false;
	view_changed(&ui->view);
	return REACTION_PLAY;
}

/* ---- what goes on to come ---- */

static unsigned look(struct ui *ui, uint64_t tick)
{
	char clock[FORMAT_TIME_SIZE], span[32];

	if (!ui->traffic.tick)
		return REACTION_NONE;
	if (ui_look_back(ui, (uint32_t)tick) < 0)
		return no_memory(ui);
	format_time(clock, sizeof clock, ui->frozen.time.tv_sec, ui->traffic.time.tv_sec);
	format_span(span, sizeof span, (ui->traffic.clock_ns - ui->frozen.clock_ns) / NS_PER_MS);
	ui_say(ui, "%s, %s ago%s  [ ] step  Space: now", clock, span,
	    ui->frozen.tick == past_first(&ui->past) ? ", no more is kept" : "");
	return REACTION_NONE;
}

/* ---- keys ---- */

static unsigned step(struct ui *ui, long intervals)
{
	long at = (long)view_traffic(&ui->view)->tick;
	long first = ui->run->can_seek ? 1 : (long)past_first(&ui->past);
	long target = at + intervals < first ? first : at + intervals;

	if (ui->run->can_seek) {
		ui->play.is_paused = true;
		return seek(ui, (uint64_t)target) | REACTION_PLAY;
	}
	if (target > (long)past_last(&ui->past))
		target = (long)past_last(&ui->past);
	if (!ui->is_frozen && intervals > 0) {
		ui_say(ui, "this is now; [ steps back");
		return REACTION_NONE;
	}
	return look(ui, (uint64_t)target);
}

unsigned playback_back(struct ui *ui)
{
	return step(ui, -1);
}

unsigned playback_on(struct ui *ui)
{
	return step(ui, 1);
}

unsigned playback_leap_back(struct ui *ui)
{
	return step(ui, -10);
}

unsigned playback_leap_on(struct ui *ui)
{
	return step(ui, 10);
}

unsigned playback_first(struct ui *ui)
{
	return ui->run->can_seek ? seek(ui, 1) : look(ui, past_first(&ui->past));
}

unsigned playback_last(struct ui *ui)
{
	if (ui->run->can_seek)
		return run_on(ui, UINT64_MAX, 0);
	ui_freeze(ui, false);
	return REACTION_NONE;
}

unsigned playback_pause(struct ui *ui)
{
	if (ui->run->can_seek && !ui->ended) {
		ui->play.is_paused = !ui->play.is_paused;
		play_end_run(&ui->play);
		return REACTION_PLAY;
	}
	if (ui_freeze(ui, !ui->is_frozen) < 0)
		ui_say(ui, "not enough memory to freeze");
	return REACTION_NONE;
}

static unsigned faster(struct ui *ui, bool twice)
{
	int speed = ui->play.speed + (twice ? 1 : -1);

	if (speed < PLAY_SPEED_MIN || speed > PLAY_SPEED_MAX)
		return REACTION_NONE;
	ui->play.speed = speed;
	ui_say(ui, speed < 0 ? "speed: 1/%d" : "speed: %d times", 1 << (speed < 0 ? -speed : speed));
	return REACTION_PLAY;
}

static unsigned change_interval(struct ui *ui, bool longer)
{
	static const uint64_t steps_ms[] = { 10, 20, 50, 100, 200, 500, 1000, 2000, 3000, 5000, 10000, 20000,
		30000, 60000 };
	uint64_t chosen_ns = ui->interval_ns;

	if (ui->replay)
		return faster(ui, longer);
	for (size_t i = 0; i < COUNT_OF(steps_ms); i++) {
		uint64_t step_ns = steps_ms[i] * NS_PER_MS;

		if (longer && step_ns > ui->interval_ns) {
			chosen_ns = step_ns;
			break;
		}
		if (!longer && step_ns < ui->interval_ns)
			chosen_ns = step_ns;
	}
	if (chosen_ns == ui->interval_ns)
		return REACTION_NONE;
	ui->interval_ns = chosen_ns;
	return REACTION_INTERVAL;
}

unsigned playback_longer(struct ui *ui)
{
	return change_interval(ui, true);
}

unsigned playback_shorter(struct ui *ui)
{
	return change_interval(ui, false);
}

/* "14:03", "14:03:05": that time on the day of `day_s`. False: it is none. */
static bool parse_clock(const char *text, int64_t day_s, int64_t *wall_s)
{
	int hour, minute, second = 0, length = 0;
	time_t day = (time_t)day_s;
	struct tm tm;

	if (sscanf(text, "%2d:%2d%n:%2d%n", &hour, &minute, &length, &second, &length) < 2 || text[length] ||
	    hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
		return false;
	localtime_r(&day, &tm);
	tm.tm_hour = hour;
	tm.tm_min = minute;
	tm.tm_sec = second;
	tm.tm_isdst = -1;
	*wall_s = mktime(&tm);
	return true;
}

/* In a recording the first time that the clock said so, live the latest. */
unsigned playback_go(struct ui *ui, const char *clock)
{
	int64_t now_s = ui->traffic.time.tv_sec, wall_s;

	if (!ui->traffic.tick)
		return REACTION_NONE;
	if (!parse_clock(clock, ui->run->can_seek ? ui->began_s : now_s, &wall_s)) {
		ui_say(ui, "a time is hours:minutes or hours:minutes:seconds");
		return REACTION_NONE;
	}
	if (ui->run->can_seek && wall_s < ui->began_s)
		wall_s += DAY_S;
	else if (!ui->run->can_seek && wall_s > now_s)
		wall_s -= DAY_S;
	uint32_t tick = past_at(&ui->past, wall_s);

	if (!ui->run->can_seek)
		return look(ui, tick);
	if (tick > past_last(&ui->past))
		return run_on(ui, 0, wall_s);
	return tick == past_first(&ui->past) && tick > 1 ? rewind_to(ui, 0, wall_s) : seek(ui, tick);
}

/* ---- words ---- */

#define NARROW 50

void playback_state(const struct ui *ui, char text[PLAYBACK_TEXT_SIZE])
{
	char span[32];

	text[0] = '\0';
	if (playback_runs(ui) && (ui->play.run_to || ui->play.run_until_s)) {
		snprintf(text, PLAYBACK_TEXT_SIZE, "SEEKING");
	} else if (ui->is_frozen && playback_is_past(ui)) {
		format_span(span, sizeof span, (ui->traffic.clock_ns - ui->frozen.clock_ns) / NS_PER_MS);
		snprintf(text, PLAYBACK_TEXT_SIZE, "FROZEN %s ago", span);
	} else if (ui->is_frozen) {
		snprintf(text, PLAYBACK_TEXT_SIZE, "FROZEN");
	} else if (playback_is_held(ui)) {
		snprintf(text, PLAYBACK_TEXT_SIZE, "PAUSED");
	} else if (ui->play.speed && !ui->ended) {
		snprintf(text, PLAYBACK_TEXT_SIZE, ui->play.speed < 0 ? "1/%dx" : "%dx",
		    1 << (ui->play.speed < 0 ? -ui->play.speed : ui->play.speed));
	}
}

void playback_position(const struct ui *ui, char text[PLAYBACK_TEXT_SIZE])
{
	text[0] = '\0';
	if (!ui->replay)
		return;
	/* beside a state there is little room */
	const char *word = ui->width < NARROW && playback_is_held(ui) ? "at" : "recording";
	unsigned tick = ui->traffic.tick;

	if (ui->ended)
		snprintf(text, PLAYBACK_TEXT_SIZE, "end of recording");
	else if (!ui->run->can_seek || !tick)
		snprintf(text, PLAYBACK_TEXT_SIZE, "recording");
	else if (ui->recorded)
		snprintf(text, PLAYBACK_TEXT_SIZE, "%s %u/%u", word, tick, ui->recorded);
	else if (ui->read_pct) /* by its bytes, as intervals are not counted before they are read */
		snprintf(text, PLAYBACK_TEXT_SIZE, "%s %u, %u%%", word, tick,
		    (unsigned)((uint64_t)ui->read_pct * tick / ui->read_tick));
	else
		snprintf(text, PLAYBACK_TEXT_SIZE, "%s %u", word, tick);
}
