/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cmocka_names.h"
#include "screen/decoder.h"
#include "screen/keys.h"

#include "terminal_keys.h"

#define ARRIVED_SIZE 512

/* What arrives, as text: characters as they are, keys in <>, pasted text in {}, the mouse in (). */
static void note(char *text, const struct input *input)
{
	size_t used = strlen(text);
	static const char *const actions[] = { "click", "up", "down" };

	if (input->kind == INPUT_PASTE)
		snprintf(text + used, ARRIVED_SIZE - used, "{%s}", input->text);
	else if (input->kind == INPUT_MOUSE)
		snprintf(text + used, ARRIVED_SIZE - used, "(%s %u,%u)", actions[input->action], input->x,
		    input->y);
	else if (input->code > ' ' && input->code < 0x7f)
		snprintf(text + used, ARRIVED_SIZE - used, "%c", input->code);
	else if (input->code >= KEY_CODE_FIRST_SPECIAL)
		snprintf(text + used, ARRIVED_SIZE - used, "<+%d>", input->code - KEY_CODE_FIRST_SPECIAL);
	else
		snprintf(text + used, ARRIVED_SIZE - used, "<%x>", (unsigned)input->code);
}

static void put(struct decoder *decoder, const char *bytes, size_t length, char *text)
{
	struct input input;

	for (size_t i = 0; i < length; i++)
		if (decoder_put(decoder, (unsigned char)bytes[i], &input))
			note(text, &input);
}

static void flush(struct decoder *decoder, char *text)
{
	struct input input;

	if (decoder_flush(decoder, &input))
		note(text, &input);
}

static void check(const struct decoder *fresh, const char *bytes, size_t length, const char *expected)
{
	static struct decoder decoder;
	char text[ARRIVED_SIZE] = "";

	decoder = *fresh;
	put(&decoder, bytes, length, text);
	flush(&decoder, text);
	if (strcmp(text, expected) != 0)
		print_error("\"%s\" gives \"%s\"\n", bytes + (bytes[0] == 0x1b), text);
	assert_string_equal(text, expected);
}

static void name_of(char *text, int code)
{
	const struct input input = { .kind = INPUT_KEY, .code = code };

	text[0] = '\0';
	if (code != KEY_CODE_NONE)
		note(text, &input);
}

/* Each alone, followed by a key, and in two reads wherever it can be cut, but after ESC with a pause between them. */
static void sequences_are_one_key_or_none(void **state)
{
	static struct decoder fresh, decoder;

	(void)state;
	decoder_init(&fresh);
	for (size_t i = 0; i < COUNT_OF(terminal_keys); i++) {
		size_t length = strlen(terminal_keys[i].bytes);
		char expected[ARRIVED_SIZE], twice[ARRIVED_SIZE + 1], bytes[96];

		name_of(expected, terminal_keys[i].code);
		check(&fresh, terminal_keys[i].bytes, length, expected);
		snprintf(bytes, sizeof bytes, "%sx", terminal_keys[i].bytes);
		snprintf(twice, sizeof twice, "%sx", expected);
		check(&fresh, bytes, length + 1, twice);
		for (size_t cut = 1; cut < length; cut++) {
			char text[ARRIVED_SIZE] = "";

			decoder = fresh;
			put(&decoder, bytes, cut, text);
			/* The screen waits for the rest. */
			if (terminal_keys[i].bytes[0] == '\033')
				assert_int_not_equal(decoder_timeout_ms(&decoder), -1);
			put(&decoder, bytes + cut, length + 1 - cut, text);
			assert_string_equal(text, twice);
			assert_int_equal(decoder_timeout_ms(&decoder), -1);
		}
	}
}

static void cut_off_characters_do_not_take_the_next(void **state)
{
	static struct decoder fresh;

	(void)state;
	decoder_init(&fresh);
	check(&fresh, "\303q", 2, "q");
	check(&fresh, "\342\202q", 3, "q");
	check(&fresh, "\360\237\303\251", 4, "<e9>");
	check(&fresh, "\303\033[A", 4, "<+0>");
	check(&fresh, "\0", 1, "");
}

static void escape_is_a_key_after_a_pause(void **state)
{
	static struct decoder decoder;
	char text[ARRIVED_SIZE] = "";

	(void)state;
	decoder_init(&decoder);
	assert_int_equal(decoder_timeout_ms(&decoder), -1);
	put(&decoder, "\033", 1, text);
	assert_int_equal(decoder_timeout_ms(&decoder), DECODER_ESCAPE_MS);
	assert_string_equal(text, "");
	flush(&decoder, text);
	assert_string_equal(text, "<1b>");
	put(&decoder, "q\033\033\033", 4, text);
	for (int i = 0; i < 3; i++)
		flush(&decoder, text);
	assert_string_equal(text, "<1b>q<1b><1b><1b>");
	/* What follows so late that ESC was the key all the same is no key. */
	put(&decoder, "[4~q", 4, text);
	assert_string_equal(text, "<1b>q<1b><1b><1b><+7>q");
	text[0] = '\0';
	put(&decoder, "\033", 1, text);
	flush(&decoder, text);
	put(&decoder, "[14;5~", 6, text);
	assert_string_equal(text, "<1b>");
	/* ... but after some silence it is what was typed. */
	put(&decoder, "\033", 1, text);
	flush(&decoder, text);
	assert_int_equal(decoder_timeout_ms(&decoder), DECODER_SEQUENCE_MS);
	flush(&decoder, text);
	put(&decoder, "[x", 2, text);
	assert_string_equal(text, "<1b><1b>[x");
}

/* Alt-[ and its like begin a sequence of which nothing follows. */
static void unfinished_sequences_end_with_silence(void **state)
{
	static const char *const begun[] = { "\033[", "\033O", "\033P", "\033]11;", "\033[1;", "\033(",
		"\033[M ", "\033]x\033", "\342", "\233" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(begun); i++) {
		static struct decoder decoder;
		char text[ARRIVED_SIZE] = "";

		decoder_init(&decoder);
		put(&decoder, begun[i], strlen(begun[i]), text);
		assert_int_equal(decoder_timeout_ms(&decoder), DECODER_SEQUENCE_MS);
		flush(&decoder, text);
		assert_int_equal(decoder_timeout_ms(&decoder), -1);
		put(&decoder, "q", 1, text);
		assert_string_equal(text, "q");
	}
}

static void pasted_text_is_one_line(void **state)
{
	static const struct {
		const char *bytes, *arrives;
	} pastes[] = {
		{ "\033[200~quit\033[201~x", "{quit}x" },
		{ "\033[200~\n\r\none\rtwo\nq\033[201~", "{one}" },
		{ "\033[200~a\tb\001\177c\033[201~", "{a bc}" },
		{ "\033[200~\303\274\303q\302\205\342\202\033[201~", "{\303\274q}" },
		{ "\033[200~\033[201~q", "q" },
		{ "\033[200~\n\033[201~q", "q" },
		/* Terminals drop most of this before they paste. */
		{ "\033[200~a\033[Ab\033qc\033OPd\033[1;2Re\033[<0;1;1Mf\033[201~", "{abcdef}" },
		{ "\033[200~a\033]b\033[201~q", "{a}q" },
		{ "\033[200~a\033[\033[201~q", "{a}q" },
		{ "\033[200~a\033[M\033[201~q", "{a}q" },
		{ "\033[200~a\033[[\033[201~q", "{a}q" },
		{ "\033[200~a\033\033[201~q", "{a}q" },
		{ "\033[200~a\033[200~b\033[201~q", "{b}q" },
		{ "\233200~a\233201~q", "{a}q" },
		{ "\033[201~q", "q" },
	};
	static struct decoder fresh, decoder;

	(void)state;
	decoder_init(&fresh);
	for (size_t i = 0; i < COUNT_OF(pastes); i++) {
		size_t length = strlen(pastes[i].bytes);

		check(&fresh, pastes[i].bytes, length, pastes[i].arrives);
		for (size_t cut = 1; cut < length; cut++) {
			char text[ARRIVED_SIZE] = "";

			decoder = fresh;
			put(&decoder, pastes[i].bytes, cut, text);
			put(&decoder, pastes[i].bytes + cut, length - cut, text);
			assert_string_equal(text, pastes[i].arrives);
		}
	}
}

static void long_pastes_are_cut_between_characters(void **state)
{
	static struct decoder decoder;
	struct input input;
	char text[ARRIVED_SIZE] = "";

	(void)state;
	decoder_init(&decoder);
	put(&decoder, "\033[200~x", 7, text);
	for (int i = 0; i < 100000; i++)
		put(&decoder, "\303\274", 2, text);
	put(&decoder, "\033[201", 5, text);
	assert_true(decoder_put(&decoder, '~', &input));
	assert_int_equal(input.kind, INPUT_PASTE);
	assert_int_equal(strlen(input.text), DECODER_PASTE_SIZE - 1);
	assert_string_equal(input.text + DECODER_PASTE_SIZE - 3, "\303\274");
	assert_string_equal(text, "");
}

/* The end of a paste may be lost, as when a connection is replaced: Esc and a pause give the keys back. */
static void escape_ends_a_paste(void **state)
{
	static struct decoder decoder;
	char text[ARRIVED_SIZE] = "";

	(void)state;
	decoder_init(&decoder);
	put(&decoder, "\033[200~abc", 9, text);
	assert_int_equal(decoder_timeout_ms(&decoder), -1);
	put(&decoder, "q\033", 2, text);
	assert_int_equal(decoder_timeout_ms(&decoder), DECODER_SEQUENCE_MS);
	flush(&decoder, text);
	put(&decoder, "[201~q", 6, text);
	assert_string_equal(text, "q");
}

static void the_mouse_has_cells(void **state)
{
	static struct decoder fresh;

	(void)state;
	decoder_init(&fresh);
	check(&fresh, "\033[<0;1;1M\033[<0;1;1m", 18, "(click 0,0)");
	check(&fresh, "\033[<0;300;90M", 12, "(click 299,89)");
	check(&fresh, "\033[<64;10;5M\033[<65;10;5M", 22, "(up 9,4)(down 9,4)");
}

/* Terminals that are like no other: hp's F1 is Alt-p and Return, vt52's begins as a DCS does, cons25's as the mouse. */
static void terminfo_names_keys(void **state)
{
	static struct decoder fresh;

	(void)state;
	decoder_init(&fresh);
	decoder_name(&fresh, "\033p\r", KEY_CODE_F1);
	decoder_name(&fresh, "\033P", KEY_CODE_F2);
	decoder_name(&fresh, "\033[M", KEY_CODE_F3);
	decoder_name(&fresh, "\033[224z", KEY_CODE_F4);
	decoder_name(&fresh, NULL, KEY_CODE_F5);
	decoder_name(&fresh, "\010", KEY_CODE_F5);
	decoder_name(&fresh, "\033", KEY_CODE_F5);
	decoder_name(&fresh, "\033[12345678901234567890~", KEY_CODE_F5);
	assert_int_equal(fresh.name_count, 4);
	check(&fresh, "\033p\rq", 4, "<+10>q");
	check(&fresh, "\033pq", 3, "q");
	check(&fresh, "\033p", 2, "");
	check(&fresh, "\033Pq", 3, "<+11>q");
	check(&fresh, "\033\033Pq", 4, "q");
	check(&fresh, "\033[Mq", 4, "<+12>q");
	check(&fresh, "\033[224zq", 7, "<+13>q");
	check(&fresh, "\033[200~\033[224zq\033[201~", 19, "{q}");
	for (int i = 0; i < 2 * DECODER_NAMES_MAX; i++)
		decoder_name(&fresh, "\033[A", KEY_CODE_UP);
	assert_int_equal(fresh.name_count, DECODER_NAMES_MAX);
}

/* Any bytes, in any order: nothing that is no character arrives, and after silence and Esc keys come as ever. */
static void any_bytes_leave_it_usable(void **state)
{
	static const char likely[] = "\033\033\033[[O]P_^M<>?;:$~uAR0123456789 q\\\007\030\r\233\302\234\377";
	static struct decoder decoder;

	(void)state;
	srand(1);
	decoder_init(&decoder);
	decoder_name(&decoder, "\033p\r", KEY_CODE_F1);
	for (int round = 0; round < 20000; round++) {
		struct input input;
		char text[ARRIVED_SIZE] = "";
		int length = rand() % 40;

		for (int i = 0; i < length; i++) {
			int byte = rand() % 3 ? likely[(size_t)rand() % (sizeof likely - 1)] : rand();

			if (!decoder_put(&decoder, (unsigned char)byte, &input))
				continue;
			assert_uint_in_range(input.kind, INPUT_KEY, INPUT_MOUSE);
			if (input.kind == INPUT_KEY)
				assert_uint_in_range(input.code, 1, KEY_CODE_SHIFT_F3);
			if (input.kind == INPUT_PASTE)
				assert_true(strlen(input.text) < DECODER_PASTE_SIZE);
		}
		put(&decoder, "\030\033", 2, text);
		for (int i = 0; i < 3; i++)
			flush(&decoder, text);
		text[0] = '\0';
		put(&decoder, "x", 1, text);
		assert_string_equal(text, "x");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sequences_are_one_key_or_none),
		cmocka_unit_test(cut_off_characters_do_not_take_the_next),
		cmocka_unit_test(escape_is_a_key_after_a_pause),
		cmocka_unit_test(unfinished_sequences_end_with_silence),
		cmocka_unit_test(pasted_text_is_one_line),
		cmocka_unit_test(long_pastes_are_cut_between_characters),
		cmocka_unit_test(escape_ends_a_paste),
		cmocka_unit_test(the_mouse_has_cells),
		cmocka_unit_test(terminfo_names_keys),
		cmocka_unit_test(any_bytes_leave_it_usable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
