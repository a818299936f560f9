/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an attached iterator prints: each reading of it walks anew.
 */
#ifndef SKEP_KERN_ITER_H
#define SKEP_KERN_ITER_H

struct kern_link;
struct skep_diag;

/* A descriptor to read(2) until its end, which the caller closes. */
int kern_iter_open(const struct kern_link *link, struct skep_diag *diag);

#endif
