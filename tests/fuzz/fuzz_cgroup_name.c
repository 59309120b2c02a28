/* SPDX-License-Identifier: Apache-2.0 */
/* The path of a cgroup, which who may make one calls as he likes: short names and ids. */
#include <stdbool.h>

#include "fuzz.h"
#include "names/cgroup_name.h"

/* Never longer than there is room; in more room it begins the same, unless what an escape stands for was cut. */
static void check_room(const char *path, const char *name, bool is_container, size_t size)
{
	char *cut = malloc(size);

	HOLDS(cut);
	HOLDS(cgroup_name(cut, size, path) == is_container);
	HOLDS(strlen(cut) < size);
	if (!strchr(path, '\\'))
		HOLDS(strncmp(cut, name, strlen(cut)) == 0);
	free(cut);
}

static void check_ids(const char *path)
{
	char id[CONTAINER_ID_SIZE], uid[CONTAINER_ID_SIZE];

	cgroup_ids(path, id, uid);
	HOLDS(!id[0] || (container_id_is(id) && strstr(path, id)));
	HOLDS(!uid[0] || container_id_is_pod(uid));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_bytes input = { bytes, size };
	size_t room = (size_t)fuzz_take(&input) + 1;
	char *path = fuzz_text(input.at, input.left), *longer;
	char name[CGROUP_NAME_SIZE], other[CGROUP_NAME_SIZE];
	bool is_container = cgroup_name(name, sizeof name, path);

	HOLDS(name[0] && strlen(name) < sizeof name);
	if (is_container)
		HOLDS(cgroup_name_is_kind(name, strcspn(name, ":")));
	check_room(path, name, is_container, room);
	/* Slashes say nothing where they are doubled. */
	HOLDS(asprintf(&longer, "//%s", path) >= 0);
	if (strlen(path) < 4000)
		HOLDS(cgroup_name(other, sizeof other, longer) == is_container && strcmp(name, other) == 0);
	check_ids(path);
	cgroup_name_is_unit(path);
	free(longer);
	free(path);
	return 0;
}
