/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine says of its containers, any bytes: each name that is taken leads to ids that are, and back. */
#include "names/containers.h"
#include "names/engines.h"
#include "root.h"

#define LIST "/var/lib/containers/storage/overlay-containers/containers.json"

static void check_name(const struct containers *containers, const char *name, const char *engine)
{
	struct container_ids ids = { 0 };
	struct container found;

	HOLDS(containers_ids_of_name(containers, name, &ids) == 0);
	for (size_t i = 0; i < ids.count; i++) {
		HOLDS(container_id_is(ids.items[i]));
		HOLDS(containers_find(containers, ids.items[i], &found));
		HOLDS(found.name && found.engine && strcmp(found.engine, engine) == 0);
	}
	container_ids_fini(&ids);
}

/* Names of an object are between quotes; so is each that is taken. */
static void check_names(const struct containers *containers, char *text)
{
	char *rest = text, *name;

	for (int i = 0; i < 64 && (name = strsep(&rest, "\"")); i++)
		check_name(containers, name, "podman");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	fuzz_file(LIST, bytes, size);
	struct containers *containers = containers_open(root);

	HOLDS(containers);
	engines_ask(containers);
	char *text = fuzz_text(bytes, size);

	check_names(containers, text);
	free(text);
	containers_close(containers);
	return 0;
}
