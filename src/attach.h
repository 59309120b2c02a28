/* SPDX-License-Identifier: Apache-2.0 */
/* Loading one program and attaching it, by any of the probe kinds: descriptors in, descriptors out. */
#ifndef TCPTOP_ATTACH_H
#define TCPTOP_ATTACH_H

#include <stddef.h>

struct bpf_insn;
struct error;
struct kernel;
struct probe;

/*
 * Loads the instructions as a program for the probe. Returns its descriptor (the caller's) or -errno;
 * the verifier's words go to stderr when it refuses.
 */
int attach_load(const struct probe *probe, const struct kernel *kernel, const struct bpf_insn *instructions,
    size_t count);

/* Attaches it. Returns the attachment's descriptor (the caller's; closing it detaches) or -errno. */
int attach_program(const struct probe *probe, const struct kernel *kernel, int program_fd);

/* Runs a program of PROBE_KIND_ITERATOR to its end. 0 or -errno. */
int attach_run_iterator(int program_fd);

/* Does this kind of probe work here? Loads and attaches a two-instruction program; 0 or -errno. */
int attach_try(const struct probe *probe, const struct kernel *kernel);

#endif
