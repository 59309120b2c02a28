/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names for numbers: users, ports, containers, hosts. Nothing here waits for a network: threads, or a process (asker.h), ask for users and
 * hosts, whose names arrive later.
 * All text that comes back is as untrusted as its source. One thread calls these functions.
 */
#ifndef TCPTOP_NAMES_H
#define TCPTOP_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cgroup_description;
struct containers;
struct names;
struct snapshot;

/*
 * root: the rows are this host's, so its files below this directory may be read ("": its own root), and its /proc. NULL: they
 * are a recording's. containers: what they are called; NULL: they have their ids. Both are borrowed until names_close.
 * NULL when out of memory.
 */
struct names *names_open(const char *root, struct containers *containers);
void names_close(struct names *names);

/*
 * Has a process ask for users and hosts from now on, instead of this one's threads. To be called after root has been given up and before
 * anything is asked for and threads are started. 0 or -ENOMEM.
 */
int names_ask_apart(struct names *names);

#define NAMES_ARE_OVER "the process that asks for names has ended: what has none yet is shown as a number"

/* The process that asks; 0: there is none. */
pid_t names_process(const struct names *names);

/* True once, after that process has gone: names that are not known yet stay so. */
bool names_are_over(struct names *names);

/*
 * The user's name on this host, or the number where it has none or none yet; "-" when not known (UINT32_MAX). Written
 * into buffer, which it returns.
 */
const char *names_user(struct names *names, uint32_t uid, char *buffer, size_t size);

/* The service's name, or NULL. Borrowed until names_close. */
const char *names_port(struct names *names, uint16_t port);

/*
 * The interval is about to be shown: takes the paths of cgroups that were made in it, and what a recording says of cgroups. To be
 * called for each; once more does no harm. 0 or -ENOMEM.
 */
int names_learn(struct names *names, const struct snapshot *snapshot);

/*
 * A number for the cgroup, its own until names_forget; 0 for cgroup_id 0, and while it is not known whether it has a
 * name: ask again later. pid is a process that was in the cgroup at seen_s (wall clock), for hosts with v1 hierarchies.
 * What is not known is searched for by names_changed.
 */
uint32_t names_container(struct names *names, uint64_t cgroup_id, uint32_t pid, int64_t seen_s);

/* The short name and the path of names_container's number; "-" for 0. Borrowed until the next call of another function. */
const char *names_container_text(const struct names *names, uint32_t container);
const char *names_container_path(const struct names *names, uint32_t container);
/* The same by its path alone, as "docker:0123456789ab" also of what has a name: for a filter. */
const char *names_container_name(const struct names *names, uint32_t container);

/*
 * All that is known of names_container's number, asked for with this id and PID. Texts are borrowed until the next call of another
 * function. False: only the id is.
 */
bool names_container_describe(const struct names *names, uint32_t container, uint64_t cgroup_id, uint32_t pid,
    struct cgroup_description *description);

/*
 * So that what is kept is bounded however many containers come and go: when they are many, names_keep is to be called with
 * each number that is still in use. Then names_forget forgets those that have gone and were neither kept nor asked for
 * by names_container since the last time. Their numbers are not given again.
 */
bool names_are_many(const struct names *names);
void names_keep(struct names *names, uint32_t container);
void names_forget(struct names *names);

/* The host's name; NULL when it has none, or is not known yet and gets resolved. Borrowed until names_changed. */
const char *names_host(struct names *names, uint8_t family, const uint8_t address[16]);
/* The same without resolving it: for a filter, which looks at every row. */
const char *names_host_known(struct names *names, uint8_t family, const uint8_t address[16]);

/*
 * Users, hosts or containers are being asked for; names_changed is true once after one has been. To be called often: then what
 * could not be had is asked for again, and what nobody looked for in a while makes room.
 */
bool names_pending(struct names *names);
bool names_changed(struct names *names);

/*
 * Whether a process (not a thread) has the PID now: 1 or 0; -1 when that cannot be known, as /proc hides processes or shows
 * another namespace's, or the rows are a recording's.
 */
int names_has_process(const struct names *names, uint32_t pid);

/*
 * The command line of the process that had the PID at seen_s (wall clock), arguments separated by blanks; "" when it
 * has none, as kernel threads, or the rows are a recording's. Returns NULL, or why it cannot be known, a clause.
 */
const char *names_command(const struct names *names, uint32_t pid, int64_t seen_s, char *buffer, size_t size);

/* The same from what is kept, for a filter, which looks at every row; "" also when it is not known, or not yet: names_changed. Borrowed until the next call. */
const char *names_command_known(struct names *names, uint32_t pid, int64_t seen_s);

/* For output that is printed only once: command lines and containers are from now on read when they are asked for, however many. */
void names_want_all(struct names *names);
/* Waits until the users that were asked for are known, two seconds at most. */
void names_wait(struct names *names);

#endif
