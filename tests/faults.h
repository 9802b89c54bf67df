/* faults.h - ways for a plan to be wrong: each plants one fault in a copy of a good plan. */
/* SPDX-License-Identifier: MIT */
#ifndef FAULTS_H
#define FAULTS_H

#include "plan/plan.h"

enum { FAULT_ANY = -1 };

struct fault {
    const char *name;
    int op, pass;                       /* of the steps where it can be planted */
    /* A new plan, or NULL where this step gives no occasion. */
    struct sp_plan *(*plant)(const struct sp_plan *p, int step);
    const char *words;                  /* "a|b": a refusal says one of these */
    const char *where;                  /* strategies that must have refused it */
};

extern const struct fault faults[];     /* ends with a NULL name */

#endif
