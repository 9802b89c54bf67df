/* traffic.h - a plan as the clock sees it: what each rank does by itself, and who sends what
 * to whom. Numbers here are equal for what looks equal, whichever ranks it is about.
 *
 * An item is what a lane starts together: a step, or a group of moves. Items of a rank are
 * numbered in plan order; within an item order says nothing. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_TRAFFIC_H
#define SP_TRAFFIC_H

#include "sim/intern.h"
#include "sim/scene.h"

struct sp_pair {                /* ranks with messages from one to the other */
    int from, to;
    int shape;
    int messages;               /* counted if they are kept apart */
};

struct sp_traffic {
    const struct sp_plan *p;
    int *first, *step;          /* the steps of each rank: step[first[r]] ... */
    int *item;                  /* by step */
    int *number;                /* by step: of a message: its kind; of others: in their rank */
    int *pair_of;               /* by step: of a message; else -1 */
    int *local;                 /* by rank: number of what it does besides messages */
    struct sp_pair *pair; int npairs;           /* by rank of `from` */
    bool apart, whole;
    struct sp_intern locals, kinds;
    struct sp_intern shapes;    /* of pairs: kind and how many, kind and how many, ... */
};

/* s: sp_scene_steps(). apart: like messages of a pair are not taken together. whole: groups
 * end as a whole, so whoever waits for a message waits for its item. */
struct sp_traffic *sp_traffic_new(const struct sp_scene *s, bool apart, bool whole);
void sp_traffic_free(struct sp_traffic *t);

/* The place of a message's kind among those of its pair's shape. */
int sp_traffic_place(const struct sp_traffic *t, int step);

#endif
