/* SPDX-License-Identifier: Apache-2.0 */
#include "names/cgroup_describe.h"

#include <stdio.h>
#include <string.h>

#include "names/cgroup_name.h"

/* The last 64 hexadecimal digits in a row that stand alone: pods' UIDs and the ids of sandboxes come before them. */
static bool find_id(const char *path, char id[CGROUP_ID_DIGITS + 1])
{
	bool found = false;

	for (const char *at = path; *at;) {
		size_t digits = strspn(at, "0123456789abcdef");

		if (digits == CGROUP_ID_DIGITS) {
			memcpy(id, at, CGROUP_ID_DIGITS);
			id[CGROUP_ID_DIGITS] = '\0';
			found = true;
		}
		at += digits ? digits : 1;
	}
	return found;
}

void cgroup_describe(
    struct cgroup_description *description, const char *path, const char *name, bool is_container)
{
	struct cgroup_told *facts = &description->facts;
	const char *colon = strchr(name, ':');

	*facts = (struct cgroup_told){ .texts = { [CGROUP_NAME] = name, [CGROUP_PATH] = path } };
	if (!is_container) {
		if (cgroup_name_is_unit(name))
			facts->texts[CGROUP_UNIT] = name;
	} else if (find_id(path, description->container_id)) {
		facts->texts[CGROUP_CONTAINER_ID] = description->container_id;
	} else if (colon) {
		snprintf(description->container, sizeof description->container, "%s", colon + 1);
		facts->texts[CGROUP_CONTAINER] = description->container;
	}
}
