/* SPDX-License-Identifier: Apache-2.0 */
#include "output/origin.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "base/util.h"

#define BOOT_ID_LENGTH 36

static const char *read_boot_id(char text[BOOT_ID_LENGTH + 2])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	bool is_read = file && fgets(text, BOOT_ID_LENGTH + 2, file) && strcspn(text, "\n") == BOOT_ID_LENGTH;

	if (file)
		fclose(file);
	text[is_read ? BOOT_ID_LENGTH : 0] = '\0';
	return is_read ? text : NULL;
}

void origin_here(struct origin *origin, uint64_t began_ns)
{
	static struct utsname host;
	static char boot_id[BOOT_ID_LENGTH + 2];
	bool is_known = uname(&host) == 0;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);

	uint64_t ago_ns = clock_now_ns() - began_ns;

	*origin = (struct origin){
		.version = TCPTOP_VERSION,
		.host = is_known ? host.nodename : NULL,
		.kernel = is_known ? host.release : NULL,
		.boot_id = read_boot_id(boot_id),
		.start_ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec - ago_ns,
		.monotonic_ms = began_ns / NS_PER_MS,
	};
}

/* The texts of an origin, to be gone through. */
static const char **text_of(struct origin *origin, size_t i)
{
	const char **const texts[] = { &origin->version, &origin->host, &origin->boot_id, &origin->kernel,
		&origin->filters };

	return i < COUNT_OF(texts) ? texts[i] : NULL;
}

int origin_copy(struct origin *copy, const struct origin *origin)
{
	const char **text;

	*copy = *origin;
	for (size_t i = 0; (text = text_of(copy, i)); i++) {
		const char *from = *text;

		*text = from ? strdup(from) : NULL;
		if (!from || *text)
			continue;
		while ((text = text_of(copy, ++i)))
			*text = NULL; /* not yet copied */
		origin_fini(copy);
		return -ENOMEM;
	}
	return 0;
}

void origin_fini(struct origin *copy)
{
	const char **text;

	for (size_t i = 0; (text = text_of(copy, i)); i++)
		free((char *)*text);
	*copy = (struct origin){ 0 };
}
