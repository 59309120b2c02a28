/* SPDX-License-Identifier: Apache-2.0 */
/* The members of the JSON object of a service. Nobody reads them: they follow from sessions and connections. */
#ifndef TCPTOP_SERVED_H
#define TCPTOP_SERVED_H

#include "output/fields.h"

extern const struct field_table service_fields; /* of struct service */

#endif
