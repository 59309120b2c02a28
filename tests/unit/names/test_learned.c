/* SPDX-License-Identifier: Apache-2.0 */
/* What a recording says of cgroups, and what is told of one by its path. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "names/cgroup_facts.h"
#include "names/learned.h"
#include "names/names.h"
#include "tell_names.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct cgroup_told named(uint64_t id, uint32_t pid, const char *name)
{
	return (struct cgroup_told){ .id = id, .pid = pid, .texts = { [CGROUP_NAME] = name } };
}

static void a_recording_names_its_cgroups(void **state)
{
	struct names *names = names_open(NULL, NULL);
	struct cgroup_told web = named(7, 0, "web"), ssh = named(1, 5, "ssh"), later = named(7, 0, "later");
	struct cgroup_description description;
	uint32_t before = names_container(names, 7, 3, 0), other;

	(void)state;
	assert_string_equal(names_container_text(names, before), "cgroup 7");
	assert_false(names_container_describe(names, before, 7, 3, &description));
	tell_names(names, &web);
	tell_names(names, &ssh);
	assert_string_equal(names_container_text(names, before), "web");
	assert_int_equal(names_container(names, 7, 4, 0), before);
	/* What holds for one process does so for no other in the cgroup. */
	other = names_container(names, 1, 5, 0);
	assert_string_equal(names_container_text(names, other), "ssh");
	assert_int_not_equal(names_container(names, 1, 6, 0), other);
	assert_string_equal(names_container_text(names, names_container(names, 1, 6, 0)), "cgroup 1");
	assert_true(names_container_describe(names, other, 1, 5, &description));
	assert_int_equal(description.facts.pid, 5);
	tell_names(names, &later);
	assert_string_equal(names_container_text(names, before), "later");
	assert_true(names_container_describe(names, before, 7, 9, &description));
	assert_string_equal(description.facts.texts[CGROUP_NAME], "later");
	names_close(names);
}

/* As many as somebody may write: memory is bounded, and what was learned stays. */
static void many_are_learned(void **state)
{
	enum { MANY = 200000 };
	struct learned learned = { 0 };
	char name[CGROUP_TOLD_TEXT_MAX + 1];
	uint64_t found = 0;

	(void)state;
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	for (uint64_t id = 1; id <= MANY; id++) {
		struct cgroup_told facts = named(id, 0, id <= 1000 ? "short" : name);

		assert_int_equal(learned_add(&learned, &facts), 0);
	}
	for (uint64_t id = 1; id <= MANY; id++) {
		const struct cgroup_told *facts = learned_find(&learned, id);

		found += facts != NULL;
		if (id <= 1000)
			assert_string_equal(facts->texts[CGROUP_NAME], "short");
	}
	assert_true(found > 10000 && found < 20000);
	assert_null(learned_find(&learned, 0));
	learned_fini(&learned);
}

static void a_path_tells(void **state)
{
	static const struct {
		const char *path, *name;
		const char *container_id, *container, *unit;
	} rows[] = {
		{ "/docker/" ID, "docker:0123456789ab", ID, NULL, NULL },
		{ "/kubepods/burstable/pod1/" ID, "cri:0123456789ab", ID, NULL, NULL },
		{ "/a.slice/docker-" ID ".scope", "docker:0123456789ab", ID, NULL, NULL },
		{ "/lxc.payload.web", "lxc:web", NULL, "web", NULL },
		{ "/system.slice/nginx.service", "nginx.service", NULL, NULL, "nginx.service" },
		{ "/system.slice", "system.slice", NULL, NULL, NULL },
		{ "/", "host", NULL, NULL, NULL },
		{ "/" ID "0", ID "0", NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cgroup_description description;
		const char *const wanted[CGROUP_TEXTS] = {
			[CGROUP_NAME] = rows[i].name,
			[CGROUP_PATH] = rows[i].path,
			[CGROUP_CONTAINER] = rows[i].container,
			[CGROUP_CONTAINER_ID] = rows[i].container_id,
			[CGROUP_UNIT] = rows[i].unit,
		};

		cgroup_describe(&description, rows[i].path, rows[i].name, NULL);
		for (int text = 0; text < CGROUP_TEXTS; text++) {
			const char *found = description.facts.texts[text];

			if (!found != !wanted[text] || (found && strcmp(found, wanted[text]) != 0))
				fail_msg("%s, text %d: %s", rows[i].path, text, found ? found : "none");
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recording_names_its_cgroups),
		cmocka_unit_test(many_are_learned),
		cmocka_unit_test(a_path_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
