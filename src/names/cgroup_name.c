/* SPDX-License-Identifier: Apache-2.0 */
#include "names/cgroup_name.h"

#include <stdio.h>
#include <string.h>

#define ID_SHOWN 12

/*
 * How a runtime spells a container in a cgroup's name, before the id: with systemd as "PREFIXid.scope", else as
 * "PREFIXid", or, where a slice was meant for systemd and went to the file system, as "slice:RUNTIME:id".
 */
static const struct {
	const char *prefix;
	const char *runtime;
	const char *name;
} runtimes[] = {
	{ "docker-", "docker", "docker" },
	{ "cri-containerd-", "cri-containerd", "cri" },
	{ "crio-", "crio", "crio" },
	{ "libpod-", "libpod", "podman" },
	{ "libpod-payload-", NULL, "podman" }, /* below a service's own cgroup */
	{ "nerdctl-", "nerdctl", "nerdctl" },
};

/* Parents whose children are containers named by their id alone. */
static const struct {
	const char *parent;
	bool is_prefix;
	const char *name;
} parents[] = {
	{ "docker", false, "docker" },
	{ "moby", false, "docker" },
	{ "pod", true, "cri" },
	{ "kubepods", true, "cri" },
	{ "k8s.io", false, "cri" },
	{ "", true, "container" },
};

static bool begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static size_t hex_length(const char *text)
{
	return strspn(text, "0123456789abcdef");
}

static bool is_id(const char *text)
{
	return hex_length(text) == CONTAINER_ID_DIGITS && text[CONTAINER_ID_DIGITS] == '\0';
}

static bool shorten_id(char *buffer, size_t size, const char *component, const char *parent)
{
	const char *id = strrchr(component, ':');

	for (size_t i = 0; i < sizeof runtimes / sizeof runtimes[0]; i++) {
		const char *prefix = runtimes[i].prefix, *runtime = runtimes[i].runtime;
		size_t length = strlen(prefix);
		size_t before = id && runtime ? strlen(runtime) : 0;
		bool is_third = before && (size_t)(id - component) > before && is_id(id + 1) &&
		                memcmp(id - before, runtime, before) == 0 && id[-(long)before - 1] == ':';

		if (is_third || (begins(component, prefix) && hex_length(component + length) >= ID_SHOWN)) {
			snprintf(buffer, size, "%s:%.*s", runtimes[i].name, ID_SHOWN,
			    is_third ? id + 1 : component + length);
			return true;
		}
	}
	if (!is_id(component))
		return false;
	size_t i = 0;

	while (parents[i].is_prefix ? !begins(parent, parents[i].parent)
	                            : strcmp(parent, parents[i].parent) != 0)
		i++;
	snprintf(buffer, size, "%s:%.*s", parents[i].name, ID_SHOWN, component);
	return true;
}

/* "PREFIXname SUFFIX" as "KIND:name". False when the name is not of that form. */
static bool shorten_between(char *buffer, size_t size, const char *component, const char *prefix,
    const char *suffix, const char *kind)
{
	size_t length = strlen(component), first = strlen(prefix), last = strlen(suffix);

	if (length <= first + last || !begins(component, prefix) ||
	    strcmp(component + length - last, suffix) != 0)
		return false;
	snprintf(buffer, size, "%s:%.*s", kind, (int)(length - first - last), component + first);
	return true;
}

/* One component of the path: true when it names a container. */
static bool shorten_container(char *buffer, size_t size, const char *component, const char *parent)
{
	if (shorten_id(buffer, size, component, parent) ||
	    shorten_between(buffer, size, component, "lxc.payload.", "", "lxc") ||
	    shorten_between(buffer, size, component, "systemd-nspawn@", ".service", "nspawn") ||
	    shorten_between(buffer, size, component, "machine-", ".scope", "machine"))
		return true;
	if (strcmp(parent, "lxc") != 0 && strcmp(parent, "lxc.payload") != 0)
		return false;
	snprintf(buffer, size, "lxc:%s", component);
	return true;
}

bool cgroup_name_is_unit(const char *component)
{
	const char *dot = strrchr(component, '.');

	return dot && (strcmp(dot, ".service") == 0 || strcmp(dot, ".scope") == 0 ||
	                  strcmp(dot, ".socket") == 0 || strcmp(dot, ".mount") == 0);
}

/* systemd writes a dash within a name as \x2d. Only printable characters are decoded. */
static void unescape(char *text)
{
	char *to = text;
	unsigned code;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] == 'x' && sscanf(from + 2, "%2x", &code) == 1 && code > ' ' &&
		    code < 0x7f && strspn(from + 2, "0123456789abcdef") >= 2) {
			*to = (char)code;
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* As cgroup_name, but as the path spells it. */
static bool find_name(char *buffer, size_t size, const char *path)
{
	char copy[4096]; /* as long as the kernel prints one */
	char *saved = NULL;
	const char *parent = "";
	int named = 0;

	snprintf(copy, sizeof copy, "%s", path);
	snprintf(buffer, size, "host");
	for (char *component = strtok_r(copy, "/", &saved); component;
	     component = strtok_r(NULL, "/", &saved)) {
		/* The innermost container, else the innermost unit, else the last directory. */
		if (shorten_container(buffer, size, component, parent))
			named = 2;
		else if (named < 2 && cgroup_name_is_unit(component)) {
			snprintf(buffer, size, "%s", component);
			named = 1;
		} else if (!named)
			snprintf(buffer, size, "%s", component);
		parent = component;
	}
	return named == 2;
}

bool cgroup_name(char *buffer, size_t size, const char *path)
{
	bool is_container = find_name(buffer, size, path);

	unescape(buffer);
	return is_container;
}

bool cgroup_unit(char *buffer, size_t size, const char *path)
{
	if (!find_name(buffer, size, path) && cgroup_name_is_unit(buffer))
		return true;
	*buffer = '\0';
	return false;
}

void cgroup_ids(const char *path, char id[CONTAINER_ID_SIZE], char uid[CONTAINER_ID_SIZE])
{
	*id = *uid = '\0';
	for (const char *digits = path; *digits; digits++) {
		size_t length = hex_length(digits);

		if (length == CONTAINER_ID_DIGITS)
			snprintf(id, CONTAINER_ID_SIZE, "%.*s", CONTAINER_ID_DIGITS, digits);
		digits += length;
		if (!*digits)
			break;
	}
	for (const char *pod = strstr(path, "pod"); pod; pod = strstr(pod + 1, "pod")) {
		char text[CONTAINER_ID_SIZE];

		snprintf(text, sizeof text, "%.*s", (int)strcspn(pod + 3, "./:"), pod + 3);
		/* as systemd spells a name's dash */
		for (char *c = text; (c = strchr(c, '_')) != NULL;)
			*c = '-';
		if (container_id_is_pod(text))
			snprintf(uid, CONTAINER_ID_SIZE, "%s", text);
	}
}

static bool is_text(const char *text, size_t length, const char *other)
{
	return strlen(other) == length && memcmp(text, other, length) == 0;
}

bool cgroup_name_is_kind(const char *text, size_t length)
{
	static const char *const named[] = { "lxc", "nspawn", "machine" };
	bool found = false;

	for (size_t i = 0; i < sizeof runtimes / sizeof runtimes[0]; i++)
		found |= is_text(text, length, runtimes[i].name);
	for (size_t i = 0; i < sizeof parents / sizeof parents[0]; i++)
		found |= is_text(text, length, parents[i].name);
	for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
		found |= is_text(text, length, named[i]);
	return found;
}
