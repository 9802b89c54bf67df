/* definition.h - attention of a whole sequence as the textbook has it, in fp64: inputs,
 * results and gradients of any problem, without plans, layouts or kernels. */
/* SPDX-License-Identifier: MIT */
#ifndef DEFINITION_H
#define DEFINITION_H

#include "plan/plan.h"

/* An element of q, k, v or do, rounded as the problem stores it. */
double definition_input(const struct sp_problem *pb, enum sp_kind kind, int batch, int head,
                        long place, int element);

struct definition {
    struct sp_problem pb;
    double *of[SP_NKINDS];              /* batch x heads x seq x dim; lse, delta: dim 1 */
    double  most[SP_NKINDS];            /* the largest magnitude of each */
};

/* Kept until definition_forget, since many plans compute the same. */
const struct definition *definition_of(const struct sp_problem *pb);
void definition_forget(void);

/* Elements (kind, batch, head, place, 0...) */
const double *definition_at(const struct definition *d, enum sp_kind kind, int batch, int head,
                            long place);

#endif
