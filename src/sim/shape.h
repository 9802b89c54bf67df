/* shape.h - plans have millions of steps, of few shapes: each shape is costed once.
 *
 * Two attentions have one shape if the same pairs of rows and keys are left by the mask: what
 * counts of their places is how the runs lie to each other. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_SHAPE_H
#define SP_SHAPE_H

#include "sim/profile.h"

struct sp_cost {
    double seconds;             /* NaN: the profile doesn't know */
    float squeezed;             /* part of its speed while messages hold slots */
    float full;                 /* sp_work_full, if messages queue; else 0 */
};

struct sp_shapes;
struct sp_shapes *sp_shapes_new(const struct sp_plan *p, const struct sp_profile *f);
void sp_shapes_free(struct sp_shapes *x);

/* What a step that is no message costs. *inside is cleared as by sp_work_seconds. */
struct sp_cost sp_shapes_cost(struct sp_shapes *x, int step, bool *inside);

#endif
