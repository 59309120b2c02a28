/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of the terminal as keys, pasted text and the mouse. Pure. Control sequences and strings are cut by the
 * grammar of ECMA-48, so that those without a meaning here disappear whole, in however many reads they arrive.
 */
#ifndef TCPTOP_DECODER_H
#define TCPTOP_DECODER_H

#include <stdbool.h>
#include <stddef.h>

#include "screen/input.h"
#include "screen/sequence.h"

enum {
	DECODER_NAMES_MAX = 64,
	DECODER_NAME_SIZE = 16,
	DECODER_PASTE_SIZE = 512,
	/* Terminals send a sequence in one piece: an ESC after which nothing comes for so long is the key. */
	DECODER_ESCAPE_MS = 40,
	/* A sequence without its end, as Alt-[ begins one, would swallow keys for ever. */
	DECODER_SEQUENCE_MS = 1000,
};

enum decoder_state {
	DECODER_GROUND,
	DECODER_UTF8,
	DECODER_ESCAPE,
	DECODER_NAME,    /* of Alt and a character, when a sequence of terminfo begins so */
	DECODER_CHARSET, /* ESC with intermediates */
	DECODER_CONTROL, /* CSI or SS3 */
	DECODER_OLD_MOUSE,
	DECODER_STRING, /* OSC, DCS, APC, PM, SOS */
};

struct decoder {
	enum decoder_state state;
	struct sequence sequence;
	unsigned char bytes[DECODER_NAME_SIZE]; /* of the sequence or character so far, the first ones */
	size_t length;
	unsigned left;    /* bytes still to come of a character or of the old mouse report */
	unsigned escapes; /* ESC that came one after the other: keys, until something follows */
	bool is_wide;     /* begun with a C1 control of eight bits, which can end a string, too */
	bool is_alt;      /* the character comes after ESC */
	bool in_string;   /* ESC may be half of the string's end */
	bool is_late;     /* an ESC was taken for the key: what would have continued it may still come */
	bool is_pasting;
	bool is_pasted; /* the line is complete */
	size_t pasted;
	char paste[DECODER_PASTE_SIZE];
	struct {
		char bytes[DECODER_NAME_SIZE];
		size_t length;
		int code;
	} names[DECODER_NAMES_MAX]; /* what terminfo calls keys */
	size_t name_count;
};

void decoder_init(struct decoder *decoder);

/*
 * Has a sequence mean a key (enum key_code), before its general meaning. Only those that begin with ESC are taken: they
 * cannot be mixed up with characters. NULL is ignored.
 */
void decoder_name(struct decoder *decoder, const char *sequence, int code);

/* Takes a byte. True: *input is something that has arrived. */
bool decoder_put(struct decoder *decoder, unsigned char byte, struct input *input);

/* Milliseconds of silence after the last byte after which decoder_flush is due; -1: never. */
int decoder_timeout_ms(const struct decoder *decoder);

/* Nothing more came in that time, which begins anew. True: *input has arrived. */
bool decoder_flush(struct decoder *decoder, struct input *input);

#endif
