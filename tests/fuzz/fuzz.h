/* SPDX-License-Identifier: Apache-2.0 */
/* What a target is: one function that takes any bytes, and ends the program where something does not hold. */
#ifndef TCPTOP_FUZZ_H
#define TCPTOP_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Called by libFuzzer, or by replay.c. The bytes are borrowed for the call. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What has to hold, whatever the bytes are, in builds of all kinds. */
#define HOLDS(condition) ((condition) ? (void)0 : fuzz_broken(__FILE__, __LINE__, #condition))

static inline _Noreturn void fuzz_broken(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

/* The bytes as a text, up to the first NUL among them. For free(). */
static inline char *fuzz_text(const uint8_t *bytes, size_t size)
{
	char *text = strndup((const char *)bytes, size);

	HOLDS(text);
	return text;
}

/* What is left of the bytes, for targets that take numbers off their beginning. */
struct fuzz_bytes {
	const uint8_t *at;
	size_t left;
};

/* The next byte; 0 when none is left. */
static inline uint8_t fuzz_take(struct fuzz_bytes *bytes)
{
	if (!bytes->left)
		return 0;
	bytes->left--;
	return *bytes->at++;
}

#endif
