/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who: the columns of processes, users and containers. What column_table points to; see struct column. Where a group
 * has several of what a column names, the column says how many: "3 processes".
 */
#ifndef TCPTOP_WHO_H
#define TCPTOP_WHO_H

#include <stdint.h>

#include "table/column.h"

struct session;

uint64_t who_rank_pid(const struct column_context *context, const struct row *row);
void who_cell_pid(const struct column_context *context, const struct row *row, struct cell *cell);

uint64_t who_rank_name(const struct column_context *context, const struct row *row);
int who_compare_name(const struct column_context *context, const struct row *a, const struct row *b);
void who_cell_name(const struct column_context *context, const struct row *row, struct cell *cell);

uint64_t who_rank_user(const struct column_context *context, const struct row *row);
int who_compare_user(const struct column_context *context, const struct row *a, const struct row *b);
void who_cell_user(const struct column_context *context, const struct row *row, struct cell *cell);

uint64_t who_rank_container(const struct column_context *context, const struct row *row);
int who_compare_container(const struct column_context *context, const struct row *a, const struct row *b);
void who_cell_container(const struct column_context *context, const struct row *row, struct cell *cell);

enum { WHO_SERVICE_SIZE = 64 };

/* ":443", or ":https" with names of ports; "outgoing", "not known". Untrusted. Written into buffer, which is returned. */
const char *who_service(const struct column_context *context, const struct session *session, char *buffer);

uint64_t who_rank_service(const struct column_context *context, const struct row *row);
void who_cell_service(const struct column_context *context, const struct row *row, struct cell *cell);

/* The process at the other end on this host: "nginx (812)"; "-" of what is on another one, which comes last. */
uint64_t who_rank_peer(const struct column_context *context, const struct row *row);
int who_compare_peer(const struct column_context *context, const struct row *a, const struct row *b);
void who_cell_peer(const struct column_context *context, const struct row *row, struct cell *cell);

/* The command line: from what is kept and read, as names_command_known says. */
uint64_t who_rank_command(const struct column_context *context, const struct row *row);
int who_compare_command(const struct column_context *context, const struct row *a, const struct row *b);
void who_cell_command(const struct column_context *context, const struct row *row, struct cell *cell);

uint64_t who_rank_processes(const struct column_context *context, const struct row *row);
void who_cell_processes(const struct column_context *context, const struct row *row, struct cell *cell);

#endif
