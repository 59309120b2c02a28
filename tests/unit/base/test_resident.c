/* SPDX-License-Identifier: Apache-2.0 */
/* Pages that are given back: what was written stays, and what was not is still there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/resident.h"

static char written[3 * 4096] = "as it was linked";
static const char constant[3 * 4096] = "as it was linked";
static int (*volatile relocated)(const char *, const char *) = strcmp;

/* Pages of files that this process has mapped; 0 if the kernel does not tell. */
static unsigned long file_pages(void)
{
	unsigned long size, resident, shared = 0;
	FILE *stream = fopen("/proc/self/statm", "re");

	if (stream && fscanf(stream, "%lu %lu %lu", &size, &resident, &shared) != 3)
		shared = 0;
	if (stream)
		fclose(stream);
	return shared;
}

static void what_was_written_stays(void **state)
{
	(void)state;
	memset(written + 4096, 'w', 4096);
	unsigned long before = file_pages();

	resident_drop_code();
	unsigned long after = file_pages();

	print_message("%lu pages of files before, %lu after\n", before, after);
	if (before)
		assert_true(after < before);
	assert_int_equal(written[4096], 'w');
	assert_int_equal(written[2 * 4096 - 1], 'w');
	assert_int_equal(relocated(written, constant), 0);
	assert_int_equal(constant[2 * 4096], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_was_written_stays) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
