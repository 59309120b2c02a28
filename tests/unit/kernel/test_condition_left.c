/* SPDX-License-Identifier: Apache-2.0 */
/* Filters that together let nothing pass, and those that nearly do. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "kernel/condition_kinds.h"
#include "kernel/condition_left.h"

enum { VALUES_MAX = 8 };

/* A cgroup that no host need have: "cgroup:/a/b" is as --cgroup /a/b reads it, and "mntns" of a container as its number. */
static int add_cgroup(
    struct conditions *conditions, const struct condition_kind *kind, const char *value, struct error *error)
{
	struct condition condition = { .kind = kind, .excludes = *value == '!' };

	condition.text = conditions_keep(conditions, value + condition.excludes, error);
	condition.cgroup.path = condition.text;
	condition.cgroup.id = *condition.text == '/';
	condition.cgroup.mntns = (uint32_t)atoi(condition.text);
	return conditions_append(conditions, &condition, error);
}

/* values: "--OPTION VALUE"; a namespace's is its number. */
static void add(struct conditions *conditions, const char *option_and_value)
{
	char option[16];
	const char *value = strchr(option_and_value, ' ') + 1;
	struct error error = { 0 };

	snprintf(option, sizeof option, "%.*s", (int)(value - option_and_value - 3), option_and_value + 2);
	const struct condition_kind *kind = condition_kind_find(option);
	static const char *const without_host[] = { "cgroup", "unit", "container", "pod" };
	bool is_cgroup = false;

	assert_non_null(kind);
	for (size_t i = 0; i < COUNT_OF(without_host); i++)
		is_cgroup |= strcmp(option, without_host[i]) == 0;
	if (is_cgroup)
		assert_int_equal(add_cgroup(conditions, kind, value, &error), 0);
	else if (strcmp(option, "netns") == 0 || strcmp(option, "mntns") == 0) {
		struct condition condition = { .kind = kind, .excludes = *value == '!' };

		condition.text = conditions_keep(conditions, value + condition.excludes, &error);
		condition.number = (uint32_t)atoi(condition.text);
		assert_int_equal(conditions_append(conditions, &condition, &error), 0);
	} else if (conditions_add(conditions, kind, value, &error) != 0)
		fail_msg("%s: %s", option_and_value, error.text);
}

/* The family that is left, or -EINVAL. */
static int check(const char *const *values, int family, struct error *error)
{
	struct conditions conditions = { 0 };

	for (; *values; values++)
		add(&conditions, *values);
	int err = conditions_check(&conditions, &family, error);

	conditions_fini(&conditions);
	return err ?: family;
}

static const struct {
	int family;
	const char *values[VALUES_MAX], *said;
} contradictions[] = {
	{ 6, { "--host 10.0.0.1" }, "nothing can match --ipv6 and --host 10.0.0.1 at once" },
	{ 4, { "--host fd00::1" }, "nothing can match --ipv4 and --host fd00::1 at once" },
	{ 6, { "--host ::ffff:10.0.0.1,10.0.0.0/8" }, "--ipv6 and --host ::ffff:10.0.0.1 at once" },
	{ 4, { "--host !0.0.0.0/0" }, "--ipv4 and --host '!0.0.0.0/0' at once" },
	{ 0, { "--host 10.0.0.1", "--host !10.0.0.0/8" },
	    "nothing can match --host 10.0.0.1 and --host '!10.0.0.0/8' at once" },
	{ 0, { "--host !fd00::/8", "--host fd00::/9" }, "--host fd00::/9 and --host '!fd00::/8'" },
	{ 0, { "--host 10.0.0.0/8,!10.0.0.0/9,!10.128.0.0/9" },
	    "--host 10.0.0.0/8 and --host '!10.0.0.0/9' at once, with the other filters" },
	{ 0, { "--host !0.0.0.0/0,!::/0" },
	    "nothing can match: --host '!0.0.0.0/0' and the other filters exclude all" },
	{ 0, { "--host 255.255.255.255,!255.0.0.0/8" }, "--host 255.255.255.255 and" },
	{ 0, { "--host fe80::1%7", "--host !fe80::1" }, "--host fe80::1%7 and --host '!fe80::1' at once" },
	{ 0, { "--host fe80::1%7,!fe80::1%7" }, "--host fe80::1%7 and --host '!fe80::1%7' at once" },
	{ 0, { "--lport 80", "--lport !80" }, "--lport 80 and --lport '!80' at once" },
	{ 0, { "--port 80", "--port !80" }, "--port 80 and --port '!80' at once" },
	{ 0, { "--rport 80", "--port !1-100" }, "--rport 80 and --port '!1-100' at once" },
	{ 0, { "--rport !80", "--lport !80", "--port 80" },
	    "--port 80 and --rport '!80' at once, with the other filters" },
	{ 0, { "--port 443", "--lport 80", "--rport 81" }, "--port 443 and --rport 81 at once, with" },
	{ 0, { "--port 80-90", "--port !86-90", "--port !70-85" }, "--port '!70-85' at once, with" },
	{ 0, { "--port 80,81", "--port !80,!81" }, "--port 80 and --port '!80' at once, with the other" },
	{ 0, { "--port 80,81", "--port !80-81", "--uid 0" }, "--port 80 and --port '!80-81' at once" },
	{ 0, { "--port !1-65535" }, "nothing can match: --port '!1-65535' excludes all" },
	{ 0, { "--lport !1-9", "--lport !10-65535" }, "--lport '!1-9' and the other filters exclude all" },
	{ 0, { "--lport 65535,!65535" }, "--lport 65535 and --lport '!65535'" },
	{ 0, { "--uid root", "--uid !0" }, "--uid root and --uid '!0' at once" },
	{ 0, { "--uid 4294967294,!4294967294" }, "at once" },
	{ 0, { "--comm x", "--comm !x" }, "--comm x and --comm '!x' at once" },
	{ 0, { "--comm systemd-resolved-x", "--comm !systemd-resolve" }, "at once" },
	{ 0, { "--netns 7", "--netns !7" }, "--netns 7 and --netns '!7' at once" },
	{ 0, { "--mntns 7", "--mntns !7" }, "--mntns 7 and --mntns '!7' at once" },
	{ 0, { "--mntns 7", "--container 8" }, "--mntns 7 and --container 8 at once" },
	{ 0, { "--cgroup /a", "--cgroup !/a" }, "--cgroup /a and --cgroup '!/a' at once" },
	{ 0, { "--cgroup /a/b/c", "--cgroup !/a" }, "--cgroup /a/b/c and --cgroup '!/a' at once" },
	{ 0, { "--unit /a/b", "--cgroup !/a" }, "--unit /a/b and --cgroup '!/a' at once" },
	{ 0, { "--container /a", "--cgroup /b" }, "--container /a and --cgroup /b at once" },
	{ 0, { "--cgroup !/" }, "nothing can match: --cgroup '!/' excludes all" },
	{ 0, { "--pod 7", "--pod /a", "--mntns !7", "--cgroup !/a" },
	    "--pod 7 and --mntns '!7' at once, with" },
};

static void what_contradicts_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(contradictions); i++) {
		struct error error = { 0 };

		if (check(contradictions[i].values, contradictions[i].family, &error) >= 0)
			fail_msg("%s is taken", contradictions[i].said);
		assert_int_equal(error.exit_code, EXIT_CODE_USAGE);
		if (!strstr(error.text, contradictions[i].said))
			fail_msg("expected '%s', it says '%s'", contradictions[i].said, error.text);
	}
}

static void what_leaves_something_is_taken(void **state)
{
	static const struct {
		int family, left;
		const char *values[VALUES_MAX];
	} cases[] = {
		{ 0, 0, { NULL } },
		{ 4, 4, { NULL } },
		{ 0, 4, { "--host 10.0.0.1" } },
		{ 0, 4, { "--host ::ffff:10.0.0.1" } },
		{ 0, 6, { "--host fd00::/8", "--port 80" } },
		{ 0, 6, { "--host ::/0" } },
		{ 0, 4, { "--host !::/0" } },
		{ 0, 6, { "--host !0.0.0.0/1,!128.0.0.0/1" } },
		{ 0, 0, { "--host !10.0.0.1,!::1" } },
		{ 0, 0, { "--host 10.0.0.1,fd00::1" } },
		{ 0, 6, { "--host 10.0.0.1,fd00::1,!10.0.0.0/8" } },
		{ 4, 4, { "--host 10.0.0.1,fd00::1" } },
		{ 0, 4, { "--host 10.0.0.0/8,!10.0.0.0/9,!10.128.0.0/10" } },
		{ 0, 4, { "--host 10.0.0.0/8,!10.0.0.1" } },
		{ 0, 6, { "--host fe80::1", "--host !fe80::1%7" } },
		{ 0, 6, { "--host fe80::1%7", "--host !fe80::1%8,!fe80::1%6" } },
		{ 0, 0, { "--port 80,81", "--port !80" } },
		{ 0, 0, { "--lport 80", "--rport !80" } },
		{ 0, 0, { "--lport !80", "--port 80" } },
		{ 0, 0, { "--port 443", "--lport 80" } },
		{ 0, 0, { "--port !1-65534" } },
		{ 0, 0, { "--port !2-65535" } },
		{ 0, 0, { "--uid 0", "--uid !1" } },
		{ 0, 0, { "--comm x", "--comm !xy" } },
		{ 0, 0, { "--cgroup /a", "--cgroup !/a/b", "--cgroup !/a/c" } },
		{ 0, 0, { "--cgroup /ab", "--cgroup !/a" } },
		{ 0, 0, { "--cgroup /", "--cgroup !/a" } },
		{ 0, 0, { "--cgroup /a", "--unit /a/b" } },
		{ 0, 0, { "--cgroup /a", "--cgroup /b", "--cgroup !/a" } },
		{ 0, 0, { "--cgroup /a", "--container 7", "--mntns 7", "--mntns 8" } },
		{ 0, 0, { "--container /a", "--container 7", "--mntns !7" } },
		{ 0, 0, { "--netns 7", "--mntns !7" } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct error error = { 0 };
		int left = check(cases[i].values, cases[i].family, &error);

		if (left != cases[i].left)
			fail_msg("case %zu leaves family %d, not %d: %s", i, left, cases[i].left, error.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_contradicts_is_refused),
		cmocka_unit_test(what_leaves_something_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
