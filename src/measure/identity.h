/* identity.h - what holds of all rows together, whatever the inputs are. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_IDENTITY_H
#define SP_IDENTITY_H

#include "measure/fault.h"
#include "measure/pieces.h"
#include "measure/tolerance.h"
#include "transport/transport.h"

/* The sum of dV over rows is that of dO, over the query heads too; <Q, dQ> is <K, dK>, for
 * each KV head; and no output of this rank is anything but a number. All ranks call it. */
void sp_identities(struct sp_comm *c, const struct sp_plan *p, const struct sp_piece *piece,
                   int n, unsigned long seed, const struct sp_tolerance *t, struct sp_faults *f);

#endif
