/* SPDX-License-Identifier: Apache-2.0 */
/* What one control sequence of the terminal's input means. Pure: the decoder cuts sequences, this reads them. */
#ifndef TCPTOP_SEQUENCE_H
#define TCPTOP_SEQUENCE_H

struct input;

enum { SEQUENCE_TEXT_SIZE = 48 };

/* CSI or SS3 as it came. Longer ones than fit have no meaning here. */
struct sequence {
	char introducer;               /* '[' CSI, 'O' SS3 */
	char text[SEQUENCE_TEXT_SIZE]; /* between introducer and final byte: parameters and intermediates */
	unsigned length;               /* of text; SEQUENCE_TEXT_SIZE: it did not fit */
	char final;
};

enum sequence_meaning {
	SEQUENCE_NOTHING, /* a report, or a key that has no meaning here */
	SEQUENCE_INPUT,   /* *input */
	SEQUENCE_PASTE_BEGIN,
	SEQUENCE_PASTE_END,
};

enum sequence_meaning sequence_decode(const struct sequence *sequence, struct input *input);

#endif
