/* points.h - the points of a sweep: all combinations of what the options list. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_POINTS_H
#define SP_POINTS_H

#include "cli/options.h"
#include "strategy/strategy.h"

enum { SP_WHY_ROOM = 240 };

struct sp_point {
    const struct sp_strategy *strategy;
    struct sp_problem pb;               /* settled, if not refused */
    char why[SP_WHY_ROOM];              /* why the strategy refuses it; "" */
    bool baseline;                      /* not asked for: what the others are compared with */
};

/* The points, problem by problem; if `baseline`, `local` comes first for each, in the layout
 * that suits it. Ends the program when a name or a knob makes no sense (exit 2). free() it. */
struct sp_point *sp_points(const struct sp_options *o, bool baseline, int *n);

/* Whether two points have the same attention to compute, however it is done. */
bool sp_points_same_problem(const struct sp_problem *a, const struct sp_problem *b);

#endif
