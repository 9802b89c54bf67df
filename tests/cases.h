/* cases.h - the problems that tests go through: tables of lists, and a walk over all that
 * the lists combine to. */
/* SPDX-License-Identifier: MIT */
#ifndef CASES_H
#define CASES_H

#include "strategy/strategy.h"

enum { CASE_LISTS = 12 };

/* Each list is a name and its values, "ranks 1 2 3". Names are ranks, rows (of a rank, so seq
 * is rows x ranks), heads (8:2 is 8 query and 2 KV heads), dim, layout, mask, dtype, batch,
 * pass (fwd or both) or a knob of the strategy. What is left out has one value:
 * rows 6, heads 8:8, dim 4, layout auto, mask causal, dtype fp32, batch 1, pass both. */
struct case_set { const char *strategy, *list[CASE_LISTS]; };

extern const struct case_set
    cases_to_prove[],                   /* many */
    cases_to_run[],                     /* tiny ones, for arithmetic */
    cases_to_break[];                   /* few, one of each kind */

/* Start with { .set = table }. */
struct case_walk {
    const struct case_set *set;
    int at[CASE_LISTS];
    bool inside;
    const struct sp_strategy *strategy;
    struct sp_problem pb;
    const char *refused;                /* why the strategy refuses it; NULL: it does not */
    char name[240];                     /* "ring ranks=4 heads=8:2" */
};

/* The next case of the table; false at its end. */
bool case_next(struct case_walk *w);

/* The next one that is not refused. */
bool case_next_plan(struct case_walk *w);

/* A case of its own, "ranks=4 heads=8:2 bwd=home", settled. NULL, or why it is refused. */
const char *case_problem(const char *strategy, const char *settings, struct sp_problem *pb);

/* Its plan; it must not be refused. Whoever calls frees it. */
struct sp_plan *case_plan(const char *strategy, const char *settings);

#endif
