/* executor.h - whatever carries out steps: processors and wires, dice, or a clock. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_EXECUTOR_H
#define SP_EXECUTOR_H

#include "plan/plan.h"

enum { SP_ALL_RANKS = -1 };

struct sp_span { double start, end; };      /* seconds; one a step: any executor's timeline */

struct sp_executor {
    const char *name;
    bool plan_order;        /* give it the steps of a rank strictly in plan order ... */
    bool alone;             /* ... and a group only when nothing else of the rank runs */

    /* Start these steps of one lane together. The array stays until they are done. */
    void (*issue)(struct sp_executor *x, const int *step, int n);

    /* A step that has finished since; -1: nothing in flight ever will. */
    int (*wait)(struct sp_executor *x);

    double (*now)(struct sp_executor *x);

    /* Both issued in this order, will it hold `after` back by itself until `before` is done, as
     * a stream does? NULL: never. */
    bool (*ordered)(struct sp_executor *x, int before, int after);

    void (*free)(struct sp_executor *x);
};

/* The one loop that runs them all. Made once, before the clock runs: running allocates
 * nothing. Drives the steps of one rank, or of all in this process. */
struct sp_loop;
struct sp_loop *sp_loop_new(const struct sp_plan *p, int rank);
void sp_loop_free(struct sp_loop *l);

/* Run one pass. span[step] is set for the steps driven, if span is not NULL. NULL, or why it
 * could not be finished. */
const char *sp_loop_run(struct sp_loop *l, enum sp_pass pass, struct sp_executor *x,
                        struct sp_span *span);

#endif
