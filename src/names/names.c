/* SPDX-License-Identifier: Apache-2.0 */
#include "names/names.h"

#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <unistd.h>

#include "base/format.h"
#include "names/cgroups.h"
#include "names/proc.h"
#include "names/resolver.h"

struct user {
	uint32_t uid;
	char name[33]; /* "" when it has none */
};

struct port {
	uint16_t port;
	char name[22];
};

struct names {
	bool live;
	bool ports_read;
	struct user *users; /* ascending */
	size_t user_count;
	struct port *ports; /* ascending */
	size_t port_count;
	struct proc proc; /* known only if live */
	struct cgroups *cgroups;
	struct resolver *resolver;
};

struct names *names_open(bool live)
{
	struct names *names = calloc(1, sizeof *names);

	if (!names)
		return NULL;
	names->live = live;
	names->proc.fd = -1;
	if (live)
		proc_open(&names->proc, "");
	names->cgroups = cgroups_open(live ? &names->proc : NULL);
	names->resolver = resolver_open();
	if (!names->cgroups || !names->resolver) {
		names_close(names);
		return NULL;
	}
	return names;
}

void names_close(struct names *names)
{
	if (!names)
		return;
	resolver_close(names->resolver);
	cgroups_close(names->cgroups);
	proc_close(&names->proc);
	free(names->users);
	free(names->ports);
	free(names);
}

/* Reads the file, as getpwuid may ask a directory server and wait for it. */
static void read_user(struct user *user)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *entry;

	if (!file)
		return;
	while ((entry = fgetpwent(file)) != NULL) {
		if (entry->pw_uid == user->uid) {
			snprintf(user->name, sizeof user->name, "%s", entry->pw_name);
			break;
		}
	}
	fclose(file);
}

static struct user *find_user(struct names *names, uint32_t uid)
{
	size_t low = 0, high = names->user_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (names->users[middle].uid == uid)
			return &names->users[middle];
		if (names->users[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	struct user *users = reallocarray(names->users, names->user_count + 1, sizeof *users);

	if (!users)
		return NULL;
	names->users = users;
	memmove(&users[low + 1], &users[low], (names->user_count - low) * sizeof *users);
	names->user_count++;
	users[low] = (struct user){ .uid = uid };
	if (names->live)
		read_user(&users[low]);
	return &users[low];
}

/* Without snprintf: a filter asks for every row at every key. */
static void copy_text(char *buffer, size_t size, const char *text, size_t length)
{
	if (length > size - 1)
		length = size - 1;
	memcpy(buffer, text, length);
	buffer[length] = '\0';
}

const char *names_user(struct names *names, uint32_t uid, char *buffer, size_t size)
{
	if (uid == UINT32_MAX) {
		snprintf(buffer, size, "-");
		return buffer;
	}
	const struct user *user = names ? find_user(names, uid) : NULL;

	if (user && user->name[0]) {
		copy_text(buffer, size, user->name, strlen(user->name));
	} else {
		char digits[FORMAT_DECIMAL_SIZE];

		copy_text(buffer, size, digits, format_decimal(digits, uid));
	}
	return buffer;
}

static int compare_ports(const void *a, const void *b)
{
	const struct port *left = a, *right = b;

	return (left->port > right->port) - (left->port < right->port);
}

/* Reads all of them at the first question, so that later ones cost a search in memory. */
static void read_ports(struct names *names)
{
	const struct servent *entry;
	size_t capacity = 0;

	names->ports_read = true;
	setservent(1);
	while ((entry = getservent()) != NULL) {
		if (strcmp(entry->s_proto, "tcp") != 0)
			continue;
		if (names->port_count == capacity) {
			capacity = capacity ? capacity * 2 : 256;
			struct port *ports = reallocarray(names->ports, capacity, sizeof *ports);

			if (!ports)
				break;
			names->ports = ports;
		}
		struct port *port = &names->ports[names->port_count++];

		port->port = ntohs((uint16_t)entry->s_port);
		snprintf(port->name, sizeof port->name, "%s", entry->s_name);
	}
	endservent();
	if (names->port_count)
		qsort(names->ports, names->port_count, sizeof *names->ports, compare_ports);
}

const char *names_port(struct names *names, uint16_t port)
{
	struct port key = { .port = port };
	const struct port *found = NULL;

	if (!names)
		return NULL;
	if (!names->ports_read)
		read_ports(names);
	if (names->port_count)
		found = bsearch(&key, names->ports, names->port_count, sizeof key, compare_ports);
	return found ? found->name : NULL;
}

uint32_t names_container(struct names *names, uint64_t cgroup_id, uint32_t pid, int64_t seen_s)
{
	return names ? cgroups_find(names->cgroups, cgroup_id, pid, seen_s) : 0;
}

const char *names_container_text(const struct names *names, uint32_t container)
{
	return names ? cgroups_text(names->cgroups, container) : "-";
}

const char *names_container_path(const struct names *names, uint32_t container)
{
	return names ? cgroups_path(names->cgroups, container) : "-";
}

const char *names_host(struct names *names, uint8_t family, const uint8_t address[16])
{
	return names ? resolver_find(names->resolver, family, address, true) : NULL;
}

const char *names_host_known(struct names *names, uint8_t family, const uint8_t address[16])
{
	return names ? resolver_find(names->resolver, family, address, false) : NULL;
}

bool names_pending(struct names *names)
{
	return names && resolver_pending(names->resolver);
}

bool names_changed(struct names *names)
{
	return names && resolver_changed(names->resolver);
}

const char *names_command(const struct names *names, uint32_t pid, int64_t seen_s, char *buffer, size_t size)
{
	const char *why = NULL;

	if (!size)
		return NULL;
	buffer[0] = '\0';
	if (!names || !names->live)
		return NULL;
	FILE *file = proc_file(&names->proc, pid, seen_s, "cmdline", &why);

	if (!file)
		return why;
	size_t length = fread(buffer, 1, size - 1, file);

	fclose(file);
	while (length && buffer[length - 1] == '\0')
		length--;
	for (size_t i = 0; i < length; i++)
		if (buffer[i] == '\0')
			buffer[i] = ' ';
	buffer[length] = '\0';
	return NULL;
}
