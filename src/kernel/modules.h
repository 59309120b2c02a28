/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the kernel's modules can be there while tracing. */
#ifndef TCPTOP_MODULES_H
#define TCPTOP_MODULES_H

#include <stddef.h>

/*
 * Bit i is set when names[i] (as /sys/module spells it) is loaded, or installed below ROOT/lib/modules/RELEASE, so that
 * it may be loaded at any time. Where it cannot be told what is installed, in a container, say, that is every one. NULL
 * among the names is never there.
 */
unsigned modules_possible(const char *root, const char *release, const char *const *names, size_t count);

#endif
