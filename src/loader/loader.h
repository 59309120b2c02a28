/* SPDX-License-Identifier: Apache-2.0 */
/* The short-lived child that does everything that needs libbcc, LLVM or BTF, and hands a struct tracing over. */
#ifndef TCPTOP_LOADER_H
#define TCPTOP_LOADER_H

#include <stddef.h>
#include <sys/types.h>

struct error;
struct loader_request;
struct tracing;

struct loader {
	pid_t child;
	int socket; /* becomes readable when the child has something to say */
	int output; /* what libbcc and the verifier printed: a memory file, read from its beginning */
};

/* Forks the child. The caller must have no thread. 0 or -errno with *error. */
int loader_start(struct loader *loader, const struct loader_request *request, struct error *error);

/*
 * Takes the child's next message, blocking when there is none. Returns 1 when *tracing is filled (once),
 * 0 after a line of progress was written to note (size bytes), or -errno with *error.
 */
int loader_receive(
    struct loader *loader, struct tracing *tracing, char *note, size_t note_size, struct error *error);

/* Stops the child (SIGSTOP) while this process is stopped, and continues it. */
void loader_suspend(const struct loader *loader);
void loader_resume(const struct loader *loader);

/* Ends the child, if it still runs, and closes the descriptors. */
void loader_close(struct loader *loader);

#endif
