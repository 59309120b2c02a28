/* SPDX-License-Identifier: Apache-2.0 */
/* Values of conditions, as users write them, looked up on this host: condition_kind.read of each kind. */
#ifndef TCPTOP_CONDITION_VALUE_H
#define TCPTOP_CONDITION_VALUE_H

struct condition;
struct conditions;
struct error;

typedef int condition_read(
    struct conditions *to, const struct condition *like, const char *text, struct error *error);

/* In condition_cgroup.c */
condition_read condition_read_cgroup;    /* a directory of the v2 hierarchy, also without its mount point */
condition_read condition_read_unit;      /* systemd's, ".service" can be left out */
condition_read condition_read_container; /* a name, as the column has it too, or the beginning of an id */
condition_read condition_read_pod;       /* [NAMESPACE/]NAME or a UID */

condition_read condition_read_uid;     /* a user's name or number */
condition_read condition_read_comm;    /* a process's name, of which the kernel keeps 15 bytes */
condition_read condition_read_ports;   /* 443 or 8000-8999 */
condition_read condition_read_network; /* an address, or a network as 10.0.0.0/8 */
condition_read condition_read_netns;   /* a PID, a path, or a name of `ip netns` */
condition_read condition_read_mntns;   /* a PID or a path */

/* Fills *error: "wrong --uid 'nobdy': this host knows no user of that name". -EINVAL. For those who read values. */
__attribute__((format(printf, 4, 5))) int condition_refuse(
    const struct condition *like, const char *text, struct error *error, const char *format, ...);

#endif
