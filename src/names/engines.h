/* SPDX-License-Identifier: Apache-2.0 */
/* Engines of containers that know names: Docker's, and Podman's. */
#ifndef TCPTOP_ENGINES_H
#define TCPTOP_ENGINES_H

struct containers;

/*
 * Asks those that are there for their containers, if they have not been asked: Docker's engine and Podman's service by their
 * sockets, which together may be silent for half a second; root's Podman by its list. Only root may. A container that
 * starts later keeps its id.
 */
void engines_ask(struct containers *containers);

#endif
