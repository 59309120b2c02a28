/* SPDX-License-Identifier: Apache-2.0 */
/* The fake root of unit tests, for targets whose input is a file: made once, removed when the program ends. */
#ifndef TCPTOP_FUZZ_ROOT_H
#define TCPTOP_FUZZ_ROOT_H

#include "fake_root.h"
#include "fuzz.h"

static inline void leave_root(void)
{
	remove_root(NULL);
}

/* The file below the root has these bytes from now on. */
static inline void fuzz_file(const char *path, const void *bytes, size_t size)
{
	static int is_made;

	if (!is_made) {
		HOLDS(make_root(NULL) == 0 && atexit(leave_root) == 0);
		is_made = 1;
	}
	FILE *file = fopen(below_root(path), "we");

	HOLDS(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

#endif
