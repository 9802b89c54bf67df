/* strategy.h - a communication strategy: a name, its knobs, and a function that writes the
 * plan. docs/ADDING.md shows how to add one. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_STRATEGY_H
#define SP_STRATEGY_H

#include "plan/plan.h"

enum { SP_AUTO = -1 };          /* a knob that the strategy chooses */

struct sp_knob {
    const char *name, *help;
    int fallback, min, max;             /* fallback may be SP_AUTO */
    const char *const *choice;          /* names of 0, 1, ...; NULL: a number */
};

struct sp_strategy {
    const char *name, *help;
    const struct sp_knob *knobs;        /* ends with a NULL name; at most SP_MAX_KNOBS */

    /* Fill in what is left open: pb->layout and knobs. */
    void (*choose)(struct sp_problem *pb);

    /* NULL, or why this can't be done and which values could. The text is static. */
    const char *(*refuse)(const struct sp_problem *pb);

    /* The whole plan, forward and, if pb.backward, backward. */
    void (*plan)(struct sp_plan *p);
};

extern const struct sp_strategy *const sp_strategies[];         /* ends with NULL */

const struct sp_strategy *sp_strategy_find(const char *name);   /* NULL: no such */

/* Knobs to their fallbacks, layout left open: what a problem starts from. */
void sp_strategy_reset(const struct sp_strategy *s, struct sp_problem *pb);

/* Set one knob from its text. NULL, or why not. */
const char *sp_strategy_set(const struct sp_strategy *s, struct sp_problem *pb,
                            const char *knob, const char *value);

/* "buffers=2 chunks=1": every knob, as it is set; if brief, only those that are not at their
 * fallbacks. */
void sp_strategy_knobs(const struct sp_strategy *s, const struct sp_problem *pb, bool brief,
                       char *text, size_t room);

/* Choose, then refuse: by the problem itself, then by the strategy. */
const char *sp_strategy_settle(const struct sp_strategy *s, struct sp_problem *pb);

/* The plan of a settled problem. Whoever calls frees it. */
struct sp_plan *sp_strategy_plan(const struct sp_strategy *s, const struct sp_problem *pb);

#endif
