/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of output, by the name that -o takes. */
#ifndef TCPTOP_RENDERERS_H
#define TCPTOP_RENDERERS_H

#include <stddef.h>

#include "output/renderer.h"

extern const struct renderer *const renderers[];
extern const size_t renderer_count;

/* What --textfile is; its run has .textfile set. */
extern const struct renderer renderer_textfile;

#endif
