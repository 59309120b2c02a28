/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters by value: what an option names is looked up on this host once, as root, and becomes a comparison in the
 * program text. Which kinds there are: condition_kinds.h.
 *
 * Values of one kind are or: one of them has to hold. Kinds are and. A value with "!" before it must not hold, whatever
 * the others are.
 */
#ifndef TCPTOP_CONDITION_H
#define TCPTOP_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct condition;
struct conditions;
struct containers;
struct error;
struct range;

/* What conditions are about: bits, for conditions_print. */
enum condition_subject {
	CONDITION_OF_TASK = 1 << 0,   /* who makes the call, or has the socket */
	CONDITION_OF_SOCKET = 1 << 1, /* its ends and its network namespace */
};

struct condition_kind {
	const char *option; /* without dashes: "lport" */

	/*
	 * Adds what a value, without its "!", is here: conditions like the one that is given, which has kind and excludes. 0, or
	 * -errno with *error: EXIT_CODE_USAGE for what is no such value, or can match nothing here.
	 */
	int (*read)(
	    struct conditions *to, const struct condition *like, const char *text, struct error *error);

	bool list; /* values may stand with commas between them: where no value has one in itself */
	enum condition_subject subject; /* what it is about */
	const char *facts; /* in account(): declares what the tests look at; "" when they need nothing */
	void (*print_test)(FILE *out, const struct condition *condition); /* as an expression */

	/* What it holds for, of which it fills the range, and at which of the enum place: bits 1 << place. */
	unsigned (*cover)(const struct condition *condition, struct range *range);
};

enum { CONDITION_COMM_SIZE = 16 };

struct condition {
	const struct condition_kind *kind;
	const char *text; /* as it stands on the command line, without its "!"; borrowed from conditions */
	bool excludes;
	union {
		struct {
			uint64_t id;    /* in the v2 hierarchy; 0: the container is known by mntns alone */
			unsigned level; /* of its directory: 0 is the root */
			uint32_t mntns; /* inode of its mount namespace, where there is no id */
			const char
			    *path; /* of its directory below the hierarchy's; borrowed from conditions */
		} cgroup;
		uint32_t number;                /* a user, or a namespace's inode */
		char comm[CONDITION_COMM_SIZE]; /* as the kernel keeps it: cut, and with a 0 at its end */
		struct {
			uint16_t first, last;
		} ports;
		struct {
			int family;                    /* AF_INET or AF_INET6 */
			uint8_t address[16], mask[16]; /* the address without what is not in the prefix */
			uint32_t ifindex; /* of the link that a link-local address is on; 0: any */
		} network;
	};
};

struct conditions {
	struct condition *items;
	size_t count;
	char **texts; /* that the items borrow; owned */
	size_t text_count;
	const char *root;              /* directory that has this host's files; NULL: its own root */
	struct containers *containers; /* what they are called; NULL: by their ids alone */
};

/* Adds a copy. 0 or -ENOMEM with *error. For those who read values. */
int conditions_append(struct conditions *conditions, const struct condition *condition, struct error *error);

/* A copy that lives as long as they do. NULL: no memory, with *error filled. For those who read values. */
const char *conditions_keep(struct conditions *conditions, const char *text, struct error *error);

void conditions_fini(struct conditions *conditions);

/* Prints the tests for account(): they return when the task or the socket does not pass. */
void conditions_print(const struct conditions *conditions, unsigned subjects, FILE *out);

#endif
