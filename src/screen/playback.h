/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving in time. A recording that is no pipe is sought: the traffic becomes that of the moment, and from there it plays
 * on. Live, and from a pipe, intervals go on to come: a moment of the past is shown frozen, as a frozen screen is.
 */
#ifndef TCPTOP_PLAYBACK_H
#define TCPTOP_PLAYBACK_H

#include <stdbool.h>
#include <stdint.h>

struct snapshot;
struct ui;

/* Merges an interval into the traffic and keeps it. 0 or -ENOMEM. */
int playback_merge(struct ui *ui, const struct snapshot *snapshot);

/* By an interval or ten. Pauses. They return REACTION_ flags, as all below do. */
unsigned playback_back(struct ui *ui);
unsigned playback_on(struct ui *ui);
unsigned playback_leap_back(struct ui *ui);
unsigned playback_leap_on(struct ui *ui);

/* To the first moment that can be shown, and to the end of the recording or to now. */
unsigned playback_first(struct ui *ui);
unsigned playback_last(struct ui *ui);

/* To the moment at a time of day such as 14:03 or 14:03:05, local time; says so if it is none. */
unsigned playback_go(struct ui *ui, const char *clock);

/* Freezes or pauses, and goes on: live, with what is now. */
unsigned playback_pause(struct ui *ui);

/* Longer and shorter intervals; a recording is played twice and half as fast. */
unsigned playback_longer(struct ui *ui);
unsigned playback_shorter(struct ui *ui);

/* Nothing moves: it is frozen or paused. */
bool playback_is_held(const struct ui *ui);

/* A moment before the latest interval is shown while intervals go on to come. */
bool playback_is_past(const struct ui *ui);

/* On the way to another moment: what comes need not be drawn. */
bool playback_runs(const struct ui *ui);

enum { PLAYBACK_TEXT_SIZE = 64 };

/* Words for the title, "" where there is nothing to say: how it is held, and where it is in what. */
void playback_state(const struct ui *ui, char text[PLAYBACK_TEXT_SIZE]);
void playback_position(const struct ui *ui, char text[PLAYBACK_TEXT_SIZE]);

#endif
