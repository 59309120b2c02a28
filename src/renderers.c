/* SPDX-License-Identifier: Apache-2.0 */
#include "renderers.h"

#include "base/util.h"

const struct renderer *const renderers[] = { &renderer_screen, &renderer_text, &renderer_json, &renderer_csv,
	&renderer_openmetrics };
const size_t renderer_count = COUNT_OF(renderers);
