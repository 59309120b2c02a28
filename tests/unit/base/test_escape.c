/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as text have their tests here too: both are what text.c and json.c put into their rows. */
#define _XOPEN_SOURCE 700 /* wcswidth */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/address.h"
#include "base/escape.h"

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof *(array))
#define NAME_LENGTH 16
#define REPLACEMENT "\xEF\xBF\xBD"

static uint64_t next_random(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

/* What no output may hold, decoded by the C library and not by the module under test. */
static bool is_harmful(wchar_t character)
{
	uint32_t c = character;

	return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0xAD || c == 0x61C || c == 0x180E ||
	       (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) ||
	       (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF || (c >= 0xE0000 && c <= 0xE0FFF) || c > 0x10FFFF;
}

/* Valid UTF-8 (ASCII alone if so asked) without harmful characters. Returns its columns as wcswidth does. */
static int expect_harmless(const char *text, bool utf8)
{
	wchar_t wide[256];
	size_t length = mbstowcs(wide, text, ARRAY_LENGTH(wide));

	if (length == (size_t)-1)
		fail_msg("not valid UTF-8: '%s'", text);
	assert_true(length < ARRAY_LENGTH(wide));
	for (size_t i = 0; i < length; i++) {
		assert_false(is_harmful(wide[i]));
		assert_true(utf8 || wide[i] < 0x80);
	}
	return wcswidth(wide, length);
}

/* glibc's decoder is strict but for the end of the code space: it goes on to 31 bits. */
static bool is_utf8(const char *text)
{
	wchar_t wide[NAME_LENGTH + 1];
	size_t length = mbstowcs(wide, text, ARRAY_LENGTH(wide));

	if (length == (size_t)-1)
		return false;
	for (size_t i = 0; i < length; i++) {
		if ((uint32_t)wide[i] > 0x10FFFF)
			return false;
	}
	return true;
}

/* In a buffer of exactly `size` bytes, so that the address sanitizer sees a write past it. */
static void expect_text(const char *bytes, size_t length, size_t columns, size_t size, bool utf8)
{
	char *buffer = malloc(size);
	size_t used;

	assert_non_null(buffer);
	used = escape_text(buffer, size, bytes, length, columns, utf8);
	assert_true(strlen(buffer) < size);
	assert_int_equal(expect_harmless(buffer, utf8), used);
	assert_true(used <= columns);
	free(buffer);
}

static void expect_json(const char *bytes, size_t length)
{
	size_t size = 6 * length + 1;
	char *buffer = malloc(size);
	char terminated[NAME_LENGTH + 1] = "";
	size_t used;
	bool valid;

	assert_non_null(buffer);
	used = escape_json(buffer, size, bytes, length, &valid);
	assert_int_equal(strlen(buffer), used);
	expect_harmless(buffer, true);
	for (size_t i = 0; i < used; i += buffer[i] == '\\' ? 2 : 1)
		assert_int_not_equal(buffer[i], '"');
	memcpy(terminated, bytes, length);
	assert_int_equal(valid, is_utf8(terminated));
	free(buffer);
}

static void test_every_byte_everywhere(void **state)
{
	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		for (size_t position = 0; position < NAME_LENGTH; position++) {
			char name[NAME_LENGTH];

			memset(name, 'n', sizeof name);
			name[position] = byte;
			for (size_t columns = 0; columns <= NAME_LENGTH + 4; columns++) {
				expect_text(name, sizeof name, columns, 128, true);
				expect_text(name, sizeof name, columns, 128, false);
			}
			memset(name, 0xE2, sizeof name);
			name[position] = byte;
			expect_text(name, sizeof name, 12, 128, true);
			if (byte != 0) /* the C library would stop at it */
				expect_json(name, sizeof name);
		}
	}
}

/* Pieces that fall into each other at random: leads, tails, marks, wide and hidden characters. */
static size_t random_name(char name[NAME_LENGTH], uint64_t *random)
{
	static const char *const pieces[] = { "a", "\\", "\"", "\xCC\x81", "\xE7\x8C\xAB", "\xE2\x80\xAE",
		"\xF0\x9F\x98\x80", "\xF3\xA0\x81\xA1", "\xC2\x85", "\x1B", "\n", "\xEF\xB8\x8F", "\xE2",
		"\x80", "\xED\xA0\x80", "\xC0\x80", "\xF4\x90\x80\x80", "\xEF\xBF\xBF", "\xD7\x90" };
	size_t length = 0;

	while (length < NAME_LENGTH) {
		const char *piece = pieces[next_random(random) % ARRAY_LENGTH(pieces)];
		size_t piece_length = strnlen(piece, NAME_LENGTH - length);

		if (next_random(random) % 8 == 0)
			name[length++] = 1 + next_random(random) % 255;
		else
			memcpy(name + length, piece, piece_length), length += piece_length;
	}
	return 1 + next_random(random) % NAME_LENGTH;
}

static void test_random_names(void **state)
{
	uint64_t random = 88172645463325252;
	char name[NAME_LENGTH];

	(void)state;
	for (int round = 0; round < 100000; round++) {
		size_t length = random_name(name, &random);
		size_t columns = next_random(&random) % 24;
		size_t size = 1 + next_random(&random) % 64;

		expect_text(name, length, columns, size, next_random(&random) % 2);
		expect_json(name, length);
	}
}

/* The longer buffer's text begins with the shorter one's: a cut never changes or splits what stays. */
static void test_json_cut(void **state)
{
	uint64_t random = 362436069;
	char name[NAME_LENGTH], whole[6 * NAME_LENGTH + 1];

	(void)state;
	for (int round = 0; round < 2000; round++) {
		size_t length = random_name(name, &random);
		size_t whole_length = escape_json(whole, sizeof whole, name, length, NULL);

		for (size_t size = 1; size <= whole_length + 1; size++) {
			char *cut = malloc(size);
			size_t cut_length = escape_json(cut, size, name, length, NULL);

			assert_true(cut_length < size);
			assert_memory_equal(cut, whole, cut_length);
			expect_harmless(cut, true);
			assert_true(size > whole_length || size - cut_length <= 12);
			free(cut);
		}
	}
}

static void test_text(void **state)
{
	static const struct {
		const char *name;
		const char *expected;
		size_t size;
		size_t columns;
		size_t used;
		bool utf8;
	} rows[] = {
		{ "sshd", "sshd", 64, 12, 4, true }, { "", "", 64, 12, 0, true },
		{ "domain\\user", "domain\\user", 64, 12, 11, true }, /* ordinary: stays */
		{ "a\nb", "a\\x0ab", 64, 12, 6, true }, { "\x7F", "\\x7f", 64, 12, 4, true },
		{ "abcdefgh\x1B[2J", "abcdefgh\\x1b", 64, 12, 12, true },
		{ "abcdefghi\x1B[2J", "abcdefghi", 64, 12, 9, true }, /* an escape is never cut */
		{ "caf\xC3\xA9", "caf\xC3\xA9", 64, 12, 4, true },
		{ "caf\xC3\xA9", "caf\\u00e9", 64, 12, 9, false },
		{ "\xE7\x8C\xAB", "\xE7\x8C\xAB", 64, 2, 2, true },
		{ "\xE7\x8C\xAB", "", 64, 1, 0, true }, /* nor a wide character */
		{ "\xE7\x8C\xAB", "", 3, 2, 0, true }, { "\xE7\x8C\xAB", "\xE7\x8C\xAB", 4, 2, 2, true },
		{ "\xF0\x9F\x98\x80", "\\U0001f600", 64, 12, 10, false },
		{ "ae\xCC\x81", "ae\xCC\x81", 64, 2, 2, true }, /* a mark follows into full columns */
		{ "\xCC\x81", "\\u0301", 64, 12, 6, true },     /* a leading one would sit on our own text */
		{ "\x01\xCC\x81", "\\x01\\u0301", 64, 12, 10, true },
		{ "e\xCC\x81\xCC\x81\xCC\x81\xCC\x81\xCC\x81", "e\xCC\x81\xCC\x81\xCC\x81\xCC\x81\\u0301", 64,
		    12, 7, true },
		{ "a\xE2\x80\xAE"
		  "b",
		    "a\\u202eb", 64, 12, 8, true },
		{ "a\xE2\x80\x8B"
		  "b",
		    "a\\u200bb", 64, 12, 8, true },
		{ "\xE2\x9D\xA4\xEF\xB8\x8F", "\xE2\x9D\xA4\\ufe0f", 64, 12, 7, true },
		{ "\xF3\xA0\x81\xA1", "\\U000e0061", 64, 12, 10, true },
		{ "\xC2\x9B", "\\u009b", 64, 12, 6, true },
		{ "\xC0\x80", "\\xc0\\x80", 64, 12, 8, true },               /* overlong */
		{ "\xED\xA0\x80", "\\xed\\xa0\\x80", 64, 12, 12, true },     /* surrogate */
		{ "\xF4\x90\x80\x80", "\\xf4\\x90\\x80", 64, 12, 12, true }, /* above U+10FFFF */
		{ "\xE7\x8C", "\\xe7\\x8c", 64, 12, 8, true },               /* cut off */
		{ "\xEF\xBF\xBF", "\\uffff", 64, 12, 6, true },              /* no character */
	};
	char buffer[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		size_t used = escape_text(
		    buffer, rows[i].size, rows[i].name, strlen(rows[i].name), rows[i].columns, rows[i].utf8);

		assert_string_equal(buffer, rows[i].expected);
		assert_int_equal(used, rows[i].used);
	}
	assert_int_equal(escape_text(buffer, sizeof buffer, "a\0b", 3, 12, true), 6);
	assert_string_equal(buffer, "a\\x00b");
	buffer[0] = 'x';
	assert_int_equal(escape_text(buffer, 0, "a", 1, 12, true), 0);
	assert_int_equal(buffer[0], 'x');
}

static void test_json(void **state)
{
	static const struct {
		const char *name;
		const char *expected;
		bool valid;
	} rows[] = {
		{ "", "", true },
		{ "sshd", "sshd", true },
		{ "\"\\\b\f\n\r\t", "\\\"\\\\\\b\\f\\n\\r\\t", true },
		{ "\x01\x1F\x7F", "\\u0001\\u001f\\u007f", true },
		{ "/'<>&", "/'<>&", true },
		{ "\xC2\x85\xC2\xA0", "\\u0085\xC2\xA0", true },
		{ "\xE7\x8C\xAB\xF0\x9F\x98\x80", "\xE7\x8C\xAB\xF0\x9F\x98\x80", true },
		{ "\xE2\x80\xAE\xE2\x80\xA8\xEF\xBB\xBF", "\\u202e\\u2028\\ufeff", true },
		{ "\xF3\xA0\x81\xA1", "\\udb40\\udc61", true },
		{ "\xCC\x81", "\xCC\x81", true },
		{ "a\xFF"
		  "b",
		    "a" REPLACEMENT "b", false },
		{ REPLACEMENT, REPLACEMENT, true },
		{ "\xED\xA0\x80", REPLACEMENT REPLACEMENT REPLACEMENT, false },
		{ "\xE7\x8C", REPLACEMENT REPLACEMENT, false },
	};
	char buffer[64];
	bool valid;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		size_t length =
		    escape_json(buffer, sizeof buffer, rows[i].name, strlen(rows[i].name), &valid);

		assert_string_equal(buffer, rows[i].expected);
		assert_int_equal(length, strlen(rows[i].expected));
		assert_int_equal(valid, rows[i].valid);
	}
	assert_int_equal(escape_json(buffer, sizeof buffer, "a\0b", 3, &valid), 8);
	assert_string_equal(buffer, "a\\u0000b");
	/* Beyond a full buffer too. */
	escape_json(buffer, 2, "abc\xFF", 4, &valid);
	assert_false(valid);
}

/* Writes a number in UTF-8's scheme with as many bytes as asked for, whether that is right or not. */
static void encode(char *bytes, uint32_t number, int length)
{
	static const unsigned char leads[] = { 0, 0, 0xC0, 0xE0, 0xF0 };

	for (int i = length - 1; i > 0; i--, number >>= 6)
		bytes[i] = 0x80 | (number & 0x3F);
	bytes[0] = length == 1 ? number : leads[length] | number;
}

/* Every number that the scheme can hold, at every length: valid only as the shortest form of a character. */
static void test_decoding(void **state)
{
	static const uint32_t ends[] = { 0, 0x80, 0x800, 0x10000, 0x200000 };
	char bytes[4], buffer[32];

	(void)state;
	for (int length = 1; length <= 4; length++) {
		for (uint32_t number = 0; number < ends[length]; number++) {
			bool expected = number >= ends[length - 1] && number <= 0x10FFFF &&
			                (number < 0xD800 || number > 0xDFFF);
			bool valid;

			encode(bytes, number, length);
			escape_json(buffer, sizeof buffer, bytes, length, &valid);
			if (valid != expected)
				fail_msg("%#x in %d bytes: %d", number, length, valid);
		}
	}
}

static const struct zone none = { 0, "" };

static void test_address_ipv4(void **state)
{
	static const uint8_t lowest[4] = { 0 }, highest[4] = { 255, 255, 255, 255 },
	                     mixed[4] = { 10, 0, 200, 7 };
	char buffer[ADDRESS_PORT_SIZE];

	(void)state;
	assert_int_equal(address_format(buffer, 4, lowest), 7);
	assert_string_equal(buffer, "0.0.0.0");
	assert_int_equal(address_format_port(buffer, 4, highest, none, 65535), 21);
	assert_string_equal(buffer, "255.255.255.255:65535");
	assert_int_equal(address_format_port(buffer, 4, mixed, none, 0), 12);
	assert_string_equal(buffer, "10.0.200.7:0");
}

static void expect_ipv6(const uint8_t address[16])
{
	char buffer[ADDRESS_SIZE], expected[INET6_ADDRSTRLEN];

	assert_non_null(inet_ntop(AF_INET6, address, expected, sizeof expected));
	assert_int_equal(address_format(buffer, 6, address), strlen(expected));
	assert_string_equal(buffer, expected);
}

/* Every pattern of zero and other groups, with the values at which a group's length changes. */
static void test_address_ipv6(void **state)
{
	static const uint16_t values[] = { 1, 0xF, 0x10, 0xFF, 0x100, 0xFFF, 0x1000, 0xFFFF };
	uint64_t random = 521288629;
	uint8_t address[16];
	char buffer[ADDRESS_PORT_SIZE];

	(void)state;
	for (int pattern = 0; pattern < 256; pattern++) {
		for (int round = 0; round < 50; round++) {
			for (int i = 0; i < 8; i++) {
				uint16_t group = values[next_random(&random) % ARRAY_LENGTH(values)];

				group = pattern & 1 << i ? group : 0;
				address[2 * i] = group >> 8;
				address[2 * i + 1] = group;
			}
			expect_ipv6(address);
		}
	}
	for (int round = 0; round < 10000; round++) {
		for (size_t i = 0; i < sizeof address; i++)
			address[i] = next_random(&random) >> 32;
		expect_ipv6(address);
	}
	memset(address, 0xFF, sizeof address);
	assert_int_equal(address_format_port(buffer, 6, address, none, 65535), 45);
	assert_string_equal(buffer, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:65535");
	memset(address, 0, sizeof address);
	address_format_port(buffer, 6, address, none, 22);
	assert_string_equal(buffer, ":::22");
}

static void expect_zone(const char *address, uint32_t ifindex, const char *name, const char *expected)
{
	char buffer[ADDRESS_PORT_SIZE], text[ADDRESS_PORT_SIZE];
	uint8_t bytes[16] = { 0 };
	uint8_t family = strchr(address, ':') ? 6 : 4;

	assert_int_equal(inet_pton(family == 4 ? AF_INET : AF_INET6, address, bytes), 1);
	snprintf(text, sizeof text, "%s%s:4000", address, expected);
	assert_int_equal(
	    address_format_port(buffer, family, bytes, (struct zone){ ifindex, name }, 4000), strlen(text));
	assert_string_equal(buffer, text);
}

/* fe80::/10 alone has a zone, from its first to its last address. */
static void test_address_zone(void **state)
{
	char longest[ADDRESS_ZONE_SIZE] = "%";

	(void)state;
	expect_zone("fe80::1", 2, "eth0", "%eth0");
	expect_zone("fe80::1", 7, "", "%7");
	expect_zone("fe80::1", UINT32_MAX, "", "%4294967295");
	expect_zone("fe80::1", 0, "eth0", "");
	expect_zone("fe80::", 2, "eth0", "%eth0");
	expect_zone("febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 2, "eth0", "%eth0");
	expect_zone("fe7f:ffff::", 2, "eth0", "");
	expect_zone("fec0::", 2, "eth0", "");
	expect_zone("2001:db8::fe80", 2, "eth0", "");
	expect_zone("254.128.0.1", 2, "eth0", "");
	expect_zone("fe80::1", 2, "\033[2J\xff", "%\\x1b[2J\\xff");
	expect_zone("fe80::1", 2, "\xC3\xA9", "%\\u00e9");
	for (int i = 0; i < 16; i++)
		strcat(longest, "\\x07");
	expect_zone("fe80::1", 2, "\a\a\a\a\a\a\a\a\a\a\a\a\a\a\a\a", longest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_byte_everywhere),
		cmocka_unit_test(test_random_names),
		cmocka_unit_test(test_json_cut),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_decoding),
		cmocka_unit_test(test_address_ipv4),
		cmocka_unit_test(test_address_ipv6),
		cmocka_unit_test(test_address_zone),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		fprintf(stderr, "the locale C.UTF-8 is needed for widths\n");
		return 1;
	}
	return cmocka_run_group_tests_name("escape", tests, NULL, NULL);
}
