/* SPDX-License-Identifier: Apache-2.0 */
#include "names/names.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <unistd.h>

#include "base/format.h"
#include "base/util.h"
#include "model/snapshot.h"
#include "names/asker.h"
#include "names/cgroup_facts.h"
#include "names/cgroups.h"
#include "names/commands.h"
#include "names/learned.h"
#include "names/proc.h"
#include "names/resolver.h"
#include "names/services.h"
#include "names/users.h"

struct names {
	const char *root; /* a recording's services are called as this host's */
	bool live;
	bool ports_read;
	struct users *users;
	struct service *services; /* by port */
	size_t service_count;
	struct proc proc; /* known only if live */
	struct cgroups *cgroups;
	struct learned learned; /* from a recording; empty if live */
	struct resolver *hosts;
	struct commands *commands;
	struct asker *asker; /* NULL: threads of this process ask */
	bool over_is_told;
	bool waits_in_vain; /* the last time that users were waited for */
};

/* ---- what is asked ---- */

static void host_key(uint8_t key[RESOLVER_KEY_SIZE], uint8_t family, const uint8_t address[16])
{
	key[0] = family;
	memcpy(key + 1, address, 16);
}

static enum resolver_answer ask_host(const uint8_t key[RESOLVER_KEY_SIZE], char name[RESOLVER_NAME_SIZE])
{
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	const struct sockaddr *to = (const struct sockaddr *)&in4;
	socklen_t length = sizeof in4;

	if (key[0] == 4) {
		memcpy(&in4.sin_addr, key + 1, sizeof in4.sin_addr);
	} else {
		memcpy(&in6.sin6_addr, key + 1, sizeof in6.sin6_addr);
		to = (const struct sockaddr *)&in6;
		length = sizeof in6;
	}
	switch (getnameinfo(to, length, name, RESOLVER_NAME_SIZE, NULL, 0, NI_NAMEREQD)) {
	case 0:
		return ANSWER_NAME;
	case EAI_NONAME:
	case EAI_OVERFLOW:
	case EAI_FAMILY:
		return ANSWER_NONE;
	default:
		return ANSWER_LATER;
	}
}

struct names *names_open(const char *root, struct containers *containers)
{
	struct names *names = calloc(1, sizeof *names);

	if (!names)
		return NULL;
	names->root = root ? root : "";
	names->live = root;
	names->proc.fd = -1;
	if (root)
		proc_open(&names->proc, root);
	if (root && *root && !proc_is_known(&names->proc))
		proc_open(&names->proc, "");
	names->cgroups = cgroups_open(root, &names->proc, containers);
	names->hosts = resolver_open(ask_host);
	names->users = users_open(names->root);
	names->commands = commands_open(&names->proc);
	if (!names->cgroups || !names->hosts || !names->users || !names->commands) {
		names_close(names);
		return NULL;
	}
	return names;
}

void names_close(struct names *names)
{
	if (!names)
		return;
	asker_end(names->asker);
	resolver_close(names->hosts);
	users_close(names->users);
	cgroups_close(names->cgroups);
	learned_fini(&names->learned);
	commands_close(names->commands);
	proc_close(&names->proc);
	asker_drop(names->asker);
	free(names->services);
	free(names);
}

static enum resolver_answer ask_host_apart(
    void *asker, const uint8_t key[RESOLVER_KEY_SIZE], char name[RESOLVER_NAME_SIZE])
{
	return asker_ask(asker, ASKER_HOSTS, key, name);
}

static enum resolver_answer ask_user_apart(
    void *asker, const uint8_t key[RESOLVER_KEY_SIZE], char name[RESOLVER_NAME_SIZE])
{
	return asker_ask(asker, ASKER_USERS, key, name);
}

static void drop_share(void *asker)
{
	asker_drop(asker);
}

int names_ask_apart(struct names *names)
{
	static const struct asker_services services = {
		.ask = { [ASKER_HOSTS] = ask_host, [ASKER_USERS] = users_ask }
	};

	names->asker = asker_start(&services);
	if (!names->asker)
		return -ENOMEM;
	resolver_ask_through(
	    names->hosts, &(struct resolver_other){ ask_host_apart, drop_share, asker_share(names->asker) });
	users_ask_through(
	    names->users, &(struct resolver_other){ ask_user_apart, drop_share, asker_share(names->asker) });
	return 0;
}

pid_t names_process(const struct names *names)
{
	return names ? asker_process(names->asker) : 0;
}

bool names_are_over(struct names *names)
{
	if (!names || !names->asker || names->over_is_told || !asker_has_ended(names->asker))
		return false;
	names->over_is_told = true;
	return true;
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
	const char *name = names && names->live ? users_find(names->users, uid) : NULL;

	if (name) {
		copy_text(buffer, size, name, strlen(name));
	} else {
		char digits[FORMAT_DECIMAL_SIZE];

		copy_text(buffer, size, digits, format_decimal(digits, uid));
	}
	return buffer;
}

/* Reads all of them at the first question, so that later ones cost a search in memory. */
static void read_services(struct names *names)
{
	static const char *const paths[] = { "/etc/services", "/usr/etc/services" };

	names->ports_read = true;
	for (size_t i = 0; i < COUNT_OF(paths) && !names->services; i++) {
		char path[4096];

		snprintf(path, sizeof path, "%s%s", names->root, paths[i]);
		FILE *file = fopen(path, "re");

		if (!file)
			continue;
		names->services = services_read(file, &names->service_count);
		fclose(file);
	}
}

static int compare_port(const void *key, const void *element)
{
	const uint16_t *port = key;
	const struct service *service = element;

	return COMPARE(*port, service->port);
}

const char *names_port(struct names *names, uint16_t port)
{
	const struct service *found = NULL;

	if (!names)
		return NULL;
	if (!names->ports_read)
		read_services(names);
	if (names->service_count)
		found = bsearch(
		    &port, names->services, names->service_count, sizeof *names->services, compare_port);
	return found ? found->name : NULL;
}

int names_learn(struct names *names, const struct snapshot *snapshot)
{
	cgroups_begin(names->cgroups);
	for (size_t i = 0; i < snapshot->cgroup_count; i++)
		cgroups_learn(names->cgroups, snapshot->cgroups[i].id, snapshot->cgroups[i].path.text);
	for (size_t i = 0; i < snapshot->told.count && !names->live; i++)
		if (learned_add(&names->learned, snapshot->told.items[i]) < 0)
			return -ENOMEM;
	return 0;
}

uint32_t names_container(struct names *names, uint64_t cgroup_id, uint32_t pid, int64_t seen_s)
{
	return names ? cgroups_find(names->cgroups, learned_key(&names->learned, cgroup_id, pid), pid, seen_s)
	             : 0;
}

/* What a recording says, or NULL. */
static const char *learned_text(const struct names *names, uint32_t container, enum cgroup_text text)
{
	if (!names->learned.slot_count)
		return NULL;
	const struct cgroup_told *facts =
	    learned_find(&names->learned, cgroups_key(names->cgroups, container));

	return facts ? facts->texts[text] : NULL;
}

const char *names_container_text(const struct names *names, uint32_t container)
{
	return !names ? "-"
	              : learned_text(names, container, CGROUP_NAME)
	                    ?: cgroups_text(names->cgroups, container);
}

const char *names_container_path(const struct names *names, uint32_t container)
{
	return !names ? "-"
	              : learned_text(names, container, CGROUP_PATH)
	                    ?: cgroups_path(names->cgroups, container);
}

bool names_container_describe(const struct names *names, uint32_t container, uint64_t cgroup_id, uint32_t pid,
    struct cgroup_description *description)
{
	uint64_t key = names ? cgroups_key(names->cgroups, container) : 0;
	const struct cgroup_told *learned = key ? learned_find(&names->learned, key) : NULL;

	if (learned) {
		description->facts = *learned;
		return true;
	}
	if (!key || !cgroups_describe(names->cgroups, container, description))
		return false;
	description->facts.id = cgroup_id;
	description->facts.pid = key == cgroup_id ? 0 : pid;
	return true;
}

const char *names_container_name(const struct names *names, uint32_t container)
{
	return names ? cgroups_name(names->cgroups, container) : "-";
}

bool names_are_many(const struct names *names)
{
	return names && cgroups_are_many(names->cgroups);
}

void names_keep(struct names *names, uint32_t container)
{
	cgroups_keep(names->cgroups, container);
}

void names_forget(struct names *names)
{
	cgroups_forget(names->cgroups);
}

static const char *find_host(struct names *names, uint8_t family, const uint8_t address[16], bool wanted)
{
	uint8_t key[RESOLVER_KEY_SIZE];

	if (!names)
		return NULL;
	host_key(key, family, address);
	return resolver_find(names->hosts, key, wanted);
}

const char *names_host(struct names *names, uint8_t family, const uint8_t address[16])
{
	return find_host(names, family, address, true);
}

const char *names_host_known(struct names *names, uint8_t family, const uint8_t address[16])
{
	return find_host(names, family, address, false);
}

bool names_pending(struct names *names)
{
	return names && (resolver_pending(names->hosts) || users_pending(names->users) ||
	                    commands_pending(names->commands) || cgroups_pending(names->cgroups));
}

bool names_changed(struct names *names)
{
	if (!names)
		return false;
	bool hosts = resolver_changed(names->hosts), users = users_changed(names->users);
	bool commands = commands_changed(names->commands), cgroups = cgroups_changed(names->cgroups);

	return hosts || users || commands || cgroups;
}

int names_has_process(const struct names *names, uint32_t pid)
{
	if (!names || !proc_is_known(&names->proc))
		return -1;
	if (proc_thread_group(&names->proc, pid) == pid)
		return 1;
	/* The first process is always there: where it is not shown, others are not either (hidepid of proc(5)). */
	return proc_thread_group(&names->proc, 1) == 1 ? 0 : -1;
}

const char *names_command(const struct names *names, uint32_t pid, int64_t seen_s, char *buffer, size_t size)
{
	int64_t unused_s;

	if (!size)
		return NULL;
	buffer[0] = '\0';
	return names && names->live ? commands_read(&names->proc, pid, seen_s, buffer, size, &unused_s)
	                            : NULL;
}

const char *names_command_known(struct names *names, uint32_t pid, int64_t seen_s)
{
	return names ? commands_find(names->commands, pid, seen_s) : "";
}

void names_want_all(struct names *names)
{
	commands_want_all(names->commands);
	cgroups_want_all(names->cgroups);
}

void names_wait(struct names *names)
{
	/* A server that is slower is not waited for: what it says counts from then on. */
	enum { TRIES = 2000, PAUSE_US = 1000 };

	/* Nor is one that was too slow the last time. */
	for (int i = 0; i < TRIES && !names->waits_in_vain && users_pending(names->users); i++) {
		usleep(PAUSE_US);
		users_changed(names->users);
	}
	names->waits_in_vain = users_pending(names->users);
}
