/* SPDX-License-Identifier: Apache-2.0 */
/* Names of TCP ports from the file of services, which takes no network and no time worth mentioning. */
#ifndef TCPTOP_SERVICES_H
#define TCPTOP_SERVICES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct service {
	uint16_t port;
	char name[22];
};

/* TCP's services of a file of the form of services(5), by port; the first name of a port counts. Caller frees. */
struct service *services_read(FILE *file, size_t *count);

#endif
