/* tolerance.h - how far off a right result may be, by the roundings on its way. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_TOLERANCE_H
#define SP_TOLERANCE_H

#include "plan/plan.h"

struct sp_tolerance {
    double element[SP_NKINDS];  /* max|err| / max|ref|; of lse: max|err| */
    double row[SP_NKINDS];      /* root mean square of a row's error / sp_row_scale */
    double many[SP_NKINDS];     /* part of that which is allowed to a row of many terms */
    double tile;                /* part of a tile that may seem to be missing from a row */
    double unit[SP_NKINDS];     /* of the sum of many rows' errors, each this times its row */
};

/* What a row's error is measured by: the size of its elements, less when many terms share it,
 * whose roundings have many signs. peak: the size of the largest term alone. */
double sp_row_scale(const struct sp_tolerance *t, enum sp_kind kind, double size, double peak);

/* Zeros for kinds that the plan has no output of. */
struct sp_tolerance sp_tolerance_of(const struct sp_plan *p);

#endif
