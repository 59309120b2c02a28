/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the kernel's modules can be there while tracing. */
#ifndef TCPTOP_MODULES_H
#define TCPTOP_MODULES_H

#include <stdbool.h>
#include <stddef.h>

/* Is the module of this name (as /sys/module spells it) loaded, or built in, below ROOT? */
bool modules_is_loaded(const char *root, const char *name);

/*
 * Bit i is set when names[i] (as /sys/module spells it) is loaded, or installed below ROOT/lib/modules/RELEASE, so that
 * it may be loaded at any time. Where it cannot be told what is installed, in a container, say, that is every one. NULL
 * among the names is never there.
 */
unsigned modules_possible(const char *root, const char *release, const char *const *names, size_t count);

#endif
