/* tolerance.h - how far off a right result may be, by the roundings on its way. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_TOLERANCE_H
#define SP_TOLERANCE_H

#include "plan/plan.h"

struct sp_tolerance {
    double element[SP_NKINDS];  /* max|err| / max|ref|; of lse: max|err| */
    double row[SP_NKINDS];      /* root mean square of a row's error / size of its elements */
    double unit[SP_NKINDS];     /* of the sum of many rows' errors, each this times its row */
};

/* Zeros for kinds that the plan has no output of. */
struct sp_tolerance sp_tolerance_of(const struct sp_plan *p);

#endif
