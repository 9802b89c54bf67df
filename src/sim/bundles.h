/* bundles.h - ways that are alike, counted; and the proof that classes are what they claim. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_BUNDLES_H
#define SP_BUNDLES_H

#include "sim/refine.h"

/* Fills in c's bundles from its classes of units and links. False: the classes are not
 * equitable, and c is of no use. No hash decides here. */
bool sp_bundles(struct sp_classes *c, const struct sp_ways *x, const struct sp_look *look);

/* By host: a number for the classes of units that are on it. free() it. */
int *sp_crowds(const struct sp_classes *c, int units, const struct sp_look *look);

#endif
