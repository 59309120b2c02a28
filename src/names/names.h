/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names for numbers: users, ports, containers, hosts. Nothing here waits for a network: users come from
 * /etc/passwd itself, not from a directory service; hosts are asked for by threads and arrive later.
 * All text that comes back is as untrusted as its source. One thread calls these functions.
 */
#ifndef TCPTOP_NAMES_H
#define TCPTOP_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct names;

/* live: the rows are this host's, so that its /proc and cgroups may be asked. NULL when out of memory. */
struct names *names_open(bool live);
void names_close(struct names *names);

/* The user's name, or the number; "-" when not known (UINT32_MAX). Written into buffer, which it returns. */
const char *names_user(struct names *names, uint32_t uid, char *buffer, size_t size);

/* The service's name, or NULL. Borrowed until names_close. */
const char *names_port(struct names *names, uint16_t port);

/*
 * A small number for the cgroup, stable until names_close; 0 for cgroup_id 0, and as long as it is not
 * known because too many are new. pid is a process that was in it: the first place to look for its path. May
 * read a few files for an id that is new.
 */
uint32_t names_container(struct names *names, uint64_t cgroup_id, uint32_t pid);

/* What names_container's number stands for: its short name, its path. "-" for 0. Borrowed likewise. */
const char *names_container_text(const struct names *names, uint32_t container);
const char *names_container_path(const struct names *names, uint32_t container);

/* The host's name, or NULL when it has none or is not known yet: then it is being asked for. Borrowed. */
const char *names_host(struct names *names, uint8_t family, const uint8_t address[16]);
/* Likewise, but never asks: for what looks at every row. */
const char *names_host_known(struct names *names, uint8_t family, const uint8_t address[16]);

/* Questions are under way; names_changed tells once when an answer has come. */
bool names_pending(struct names *names);
bool names_changed(struct names *names);

/* The command line of a process, arguments separated by blanks. Returns its length, 0 when there is none. */
size_t names_command(const struct names *names, uint32_t pid, char *buffer, size_t size);

bool names_live(const struct names *names);

#endif
