/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one escaper for untrusted text (process, cgroup, container and host names): any sequence of bytes becomes
 * visible, harmless text. Controls (C0, DEL, C1), bidi, zero-width and other invisible characters (variation
 * selectors and fillers too) and invalid UTF-8 are escaped in lower-case hex: \xNN for bytes, \uNNNN and \UNNNNNNNN
 * for characters.
 * UTF-8 is decoded strictly: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef TCPTOP_ESCAPE_H
#define TCPTOP_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * For a terminal or a text line: writes at most `columns` columns of text and a NUL into buffer and returns the
 * columns used. Stops before the first character or escape that does not fit, in columns or in size - 1 bytes.
 * utf8 false: all but ASCII is escaped too; utf8 true needs a UTF-8 LC_CTYPE (widths are wcwidth's) and escapes
 * what that locale does not consider printable.
 * Up to four combining characters (width 0) are kept after their base; leading ones are escaped.
 * A backslash is not escaped, since it is common in names: this form cannot be reversed, escape_json's can.
 */
size_t escape_text(char *buffer, size_t size, const char *bytes, size_t length, size_t columns, bool utf8);

/*
 * For text that programs read, in any locale: valid UTF-8 stays as it is, but for what is escaped above. Writes a NUL and returns
 * the length without it, at most 4 * length. Stops before what does not fit in size - 1 bytes. A backslash is not escaped.
 */
size_t escape_plain(char *buffer, size_t size, const char *bytes, size_t length);

/*
 * For the inside of a JSON string: always valid UTF-8; quotes, backslash, controls, C1, bidi, zero-width
 * and other invisible characters as \uNNNN (or the short forms), each invalid byte as U+FFFD. Writes a NUL and
 * returns the length without it, at most 6 * length. Stops before what does not fit in size - 1 bytes.
 * *valid (may be NULL) tells whether all bytes were valid UTF-8.
 */
size_t escape_json(char *buffer, size_t size, const char *bytes, size_t length, bool *valid);

/* Encodes one character, at most 0x10ffff, without a NUL. Returns the bytes, 1 to 4. */
size_t escape_encode_utf8(char buffer[4], uint32_t character);

/* The length of the character at bytes, 0 when they are not valid UTF-8. length is at least 1. */
size_t escape_decode_utf8(const unsigned char *bytes, size_t length, uint32_t *character);

#endif
