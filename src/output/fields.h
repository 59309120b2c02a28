/* SPDX-License-Identifier: Apache-2.0 */
/* The members of JSON objects: json writes these rows in their order, recording reads them. A new member is a new row. */
#ifndef TCPTOP_FIELDS_H
#define TCPTOP_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <jansson.h>

#include "model/snapshot.h"

enum field_type {
	FIELD_FAMILY, /* uint8_t, 4 or 6; its row precedes those of addresses */
	FIELD_BOOL,   /* written as 1 or 0 */
	FIELD_ANSWER, /* uint8_t, enum answer: written as 1 or 0; FIELD_ANSWER_UNKNOWN is absent */
	FIELD_STATE,  /* uint8_t, enum socket_state_number: written as its name */
	FIELD_CAUSE,  /* uint8_t, enum cause: likewise */
	FIELD_END,    /* uint8_t, enum connection_end: likewise */
	FIELD_OWNER,  /* uint8_t, enum life_owner: likewise */
	FIELD_U8,
	FIELD_U16,
	FIELD_U32,
	FIELD_U64,     /* read up to INT64_MAX, jansson's largest */
	FIELD_ADDRESS, /* uint8_t[16] of struct session or ending, whose family says how many bytes count */
	FIELD_TEXT, /* const char *, NULL is absent; KEY_hex follows as after a name. Read, it is the caller's to copy */
	FIELD_NAME,   /* FIELD_NAME_SIZE bytes; NAME_hex follows when they are not valid UTF-8 */
	FIELD_REASON, /* the same with CONNECTION_REASON_SIZE bytes */
};

enum field_presence {
	FIELD_REQUIRED, /* always written; an object without it is refused */
	FIELD_ALWAYS,   /* always written; older recordings lack it */
	FIELD_KNOWN,    /* left out when it has the absent value, or is an empty name */
	FIELD_JOINED,   /* written exactly when the row before is */
};

enum {
	FIELD_KEY_MAX = 24, /* the longest key */
	FIELD_NAME_SIZE = SESSION_NAME_SIZE,
};

#define FIELD_ANSWER_UNKNOWN ((uint64_t)ANSWER_UNKNOWN - ANSWER_NO)

struct field {
	const char *key;
	enum field_type type;
	enum field_presence presence;
	size_t offset;   /* in the table's struct */
	uint64_t absent; /* what a number is when the object lacks it */
};

struct field_table {
	const struct field *rows;
	size_t count;
};

extern const struct field_table session_fields;    /* of struct session */
extern const struct field_table ending_fields;     /* of struct ending */
extern const struct field_table other_fields;      /* of struct session_other, in an interval's object */
extern const struct field_table connection_fields; /* of struct connection */
extern const struct field_table link_fields;       /* of struct link */
extern const struct field_table cgroup_fields;     /* of struct cgroup_told */
extern const struct field_table origin_fields;     /* of struct origin */
extern const struct field_table interval_fields;   /* of struct snapshot: the end of an interval's object */

/* How long a FIELD_NAME or FIELD_REASON can be, with its NUL. */
static inline size_t field_name_size(const struct field *field)
{
	return field->type == FIELD_REASON ? (size_t)CONNECTION_REASON_SIZE : (size_t)FIELD_NAME_SIZE;
}

/* Is it to be written? For all but FIELD_JOINED, which the row before decides. */
bool field_is_known(const struct field *field, const void *record);

/* The value of a field that is a number (a family is one); record: the struct of the field's table. */
uint64_t field_number(const struct field *field, const void *record);

/* The name of a field's number that is written as one; NULL: it is not. */
const char *field_word(const struct field *field, const void *record);

/* Stores a number, which is at most field_max's. */
void field_set_number(const struct field *field, void *record, uint64_t number);

uint64_t field_max(const struct field *field);

/*
 * Reads one member into its struct. A FIELD_TEXT is borrowed from the object, which is changed where the text has a hexadecimal
 * form. NULL, or what is wrong, in words that continue the key.
 */
const char *field_read(const struct field *field, json_t *object, void *record);

/* The member "time", "2026-11-22T10:42:17.123Z". 0, or -1: missing or wrong. */
int field_read_time(const json_t *object, struct timespec *time);

#endif
