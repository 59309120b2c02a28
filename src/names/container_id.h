/* SPDX-License-Identifier: Apache-2.0 */
/* What ids of containers and UIDs of pods look like. What is none would be found in every path. */
#ifndef TCPTOP_CONTAINER_ID_H
#define TCPTOP_CONTAINER_ID_H

#include <stdbool.h>

/* 64 hexadecimal digits, or a pod's UID: 36 with dashes, 32 of a pod that a file describes. */
enum { CONTAINER_ID_DIGITS = 64, CONTAINER_ID_SIZE = CONTAINER_ID_DIGITS + 1 };

bool container_id_is(const char *text);
bool container_id_is_pod(const char *text);

#endif
