/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a path that is not counted could matter on this host now, as far as anybody may know it. */
#ifndef TCPTOP_IN_USE_H
#define TCPTOP_IN_USE_H

#include <stddef.h>

/*
 * A sentence about the first of the blind spots (ids, see kernel/method.h) that is in use below ROOT ("" is the running
 * system), or NULL: none is, or it cannot be known. Needs no privilege: reads /sys/module, which lists modules, and
 * /proc/net/protocols, which counts the sockets of this network namespace. Static.
 */
const char *in_use_say(const char *root, const char *const *ids, size_t count);

#endif
