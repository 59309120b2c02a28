/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON object of a finding of --diagnose. */
#ifndef TCPTOP_FOUND_H
#define TCPTOP_FOUND_H

#include "model/diagnosis.h"
#include "output/fields.h"

/* What is written of a finding: it begins with the session, by whose family addresses are printed. */
struct told {
	struct finding finding;
	const char *kind;
	const char *text;
	const char *limit;
};

extern const struct field_table told_fields; /* of struct told; nobody reads them */

#endif
