/* SPDX-License-Identifier: Apache-2.0 */
/* A root directory of a test's own, for modules that can be told where to look for proc, sys and lib. */
#ifndef TCPTOP_FAKE_ROOT_H
#define TCPTOP_FAKE_ROOT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A root directory made for one test, removed after it. */
static char root[] = "/tmp/tcptop-test-kernel-XXXXXX";

static inline int make_root(void **state)
{
	(void)state;
	strcpy(root + strlen(root) - 6, "XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static inline int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status, (void)kind, (void)walk;
	return remove(path);
}

static inline int remove_root(void **state)
{
	(void)state;
	return nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* The path below the root, whose directories are made. */
static inline const char *below_root(const char *path)
{
	static char full[512];

	snprintf(full, sizeof full, "%s%s", root, path);
	for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		assert_true(mkdir(full, 0700) == 0 || errno == EEXIST);
		*slash = '/';
	}
	return full;
}

static inline void add_file(const char *path, const char *text)
{
	FILE *stream = fopen(below_root(path), "w");

	assert_non_null(stream);
	fputs(text, stream);
	assert_int_equal(fclose(stream), 0);
}

static inline void add_link(const char *path, const char *target)
{
	assert_int_equal(symlink(target, below_root(path)), 0);
}

#endif
