/* check_order.c - every step gets its turn.
 *
 * Waiting is monotone: a step that could start goes on being able to. So one run, of the
 * strictest executor there is (a move is done when both ends were reached, and a group, as
 * in NCCL, when all its moves are), decides for all orders: if it ends, all end. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "plan/check.h"
#include "util/memory.h"

struct lane { int *step, n, head, flying; };    /* head: first step not yet issued */

struct run {
    const struct sp_plan *p;
    struct lane *lane;                          /* ranks x lanes */
    int *slot;                                  /* the steps, lane by lane */
    char *issued, *done;                        /* done: with its whole group */
    int *left;                                  /* moves of a group not done; at its first step */
    int *first;                                 /* the first step of its group on its lane */
    int *todo, ntodo;                           /* ranks to look at */
    char *queued;
};

static struct lane *lane_of(const struct run *r, int step)
{
    return &r->lane[r->p->step[step].rank * SP_NLANES + r->p->step[step].lane];
}

static void deal(struct run *r)
{
    const struct sp_plan *p = r->p;
    int at = 0;
    for (int i = 0; i < p->nsteps; i++)
        lane_of(r, i)->n++;
    for (int i = 0; i < p->pb.ranks * SP_NLANES; i++) {
        r->lane[i].step = r->slot + at;
        at += r->lane[i].n;
        r->lane[i].n = 0;
    }
    for (int i = 0; i < p->nsteps; i++) {
        struct lane *l = lane_of(r, i);
        int before = l->n ? l->step[l->n - 1] : -1;
        bool joins = before >= 0 && p->step[i].group >= 0
                     && p->step[before].group == p->step[i].group;
        r->first[i] = joins ? r->first[before] : i;
        r->left[r->first[i]]++;
        l->step[l->n++] = i;
    }
}

/* Groups come in one piece, and waiting looks back: to before the whole group, for executors
 * that start steps strictly in plan order. */
static const char *fault(const struct run *r)
{
    static char why[200];
    const struct sp_plan *p = r->p;
    int ranks = p->pb.ranks * SP_NLANES;
    int *newest = sp_alloc((size_t)ranks * sizeof *newest);
    why[0] = 0;
    for (int i = 0; i < p->nsteps && !why[0]; i++) {
        const struct sp_step *s = &p->step[i];
        int *g = &newest[s->rank * SP_NLANES + s->lane];
        if (s->group >= 0 && r->first[i] == i) {
            if (s->group < *g)
                snprintf(why, sizeof why, "%s: group %d is torn: other steps of lane %s come "
                         "between its moves", sp_step_name(p, i), s->group, sp_lane_names[s->lane]);
            *g = s->group + 1;
        }
        for (int j = 0; j < s->needs && !why[0]; j++) {
            int on = p->need[s->need + j];
            if (on < 0 || on >= i)
                snprintf(why, sizeof why, "%s waits for step %d, which is not before it",
                         sp_step_name(p, i), on);
            else if (p->step[on].rank != s->rank)
                snprintf(why, sizeof why, "%s waits for %s, of another rank", sp_step_name(p, i),
                         sp_step_name(p, on));
            else if (r->first[on] == r->first[i])
                snprintf(why, sizeof why, "%s waits for %s of its own group %d",
                         sp_step_name(p, i), sp_step_name(p, on), s->group);
            else if (r->first[on] > r->first[i])
                snprintf(why, sizeof why, "%s waits for %s, but its group %d starts before that",
                         sp_step_name(p, i), sp_step_name(p, on), s->group);
        }
    }
    free(newest);
    return why[0] ? why : NULL;
}

static void look_at(struct run *r, int rank)
{
    if (!r->queued[rank])
        r->todo[r->ntodo++] = rank;
    r->queued[rank] = 1;
}

/* One end, or both, of a move was reached; or a step that is no move. */
static void finish(struct run *r, int step)
{
    struct lane *l = lane_of(r, step);
    int first = r->first[step];
    l->flying--;
    if (--r->left[first] == 0)
        for (int i = l->head - 1; i >= 0 && r->first[l->step[i]] == first; i--)
            r->done[l->step[i]] = 1;
    look_at(r, r->p->step[step].rank);
}

static void issue(struct run *r, int step)
{
    const struct sp_step *s = &r->p->step[step];
    r->issued[step] = 1;
    if (s->twin < 0) {
        finish(r, step);
    } else if (r->issued[s->twin]) {
        finish(r, step);
        finish(r, s->twin);
    }
}

static bool ready(const struct run *r, int step)
{
    const struct sp_step *s = &r->p->step[step];
    for (int i = 0; i < s->needs; i++)
        if (!r->done[r->p->need[s->need + i]])
            return false;
    return true;
}

/* Start the next group of a lane, if all of it may start. */
static bool advance(struct run *r, struct lane *l)
{
    if (l->flying || l->head == l->n)
        return false;
    int from = l->head, to = from;
    while (to < l->n && r->first[l->step[to]] == l->step[from])
        if (!ready(r, l->step[to++]))
            return false;
    l->head = to;
    l->flying = to - from;
    for (int i = from; i < to; i++)
        issue(r, l->step[i]);
    return true;
}

static const char *stuck(const struct run *r)
{
    static char why[240];
    for (int i = 0; i < r->p->nsteps; i++) {
        const struct sp_step *s = &r->p->step[i];
        bool met = r->issued[i] && s->twin >= 0 && r->issued[s->twin];
        if (!r->done[i] && !met) {      /* met: only others of its group are still out */
            snprintf(why, sizeof why, "deadlock: %s never %s", sp_step_name(r->p, i),
                     !r->issued[i] ? "starts" : s->twin >= 0 ? "meets its other end" : "ends");
            return why;
        }
    }
    return NULL;
}

const char *sp_check_order(const struct sp_plan *p)
{
    size_t steps = (size_t)p->nsteps, ranks = (size_t)p->pb.ranks;
    struct run r = {
        .p = p,
        .lane = sp_alloc(ranks * SP_NLANES * sizeof *r.lane),
        .slot = sp_alloc(steps * sizeof *r.slot),
        .issued = sp_alloc(steps),
        .done = sp_alloc(steps),
        .left = sp_alloc(steps * sizeof *r.left),
        .first = sp_alloc(steps * sizeof *r.first),
        .todo = sp_alloc(ranks * sizeof *r.todo),
        .queued = sp_alloc(ranks),
    };
    deal(&r);
    const char *why = fault(&r);
    for (int i = 0; i < p->pb.ranks && !why; i++)
        look_at(&r, i);
    while (r.ntodo) {
        int rank = r.todo[--r.ntodo];
        r.queued[rank] = 0;
        for (int i = 0; i < SP_NLANES; i++)
            while (advance(&r, &r.lane[rank * SP_NLANES + i]))
                ;
    }
    if (!why)
        why = stuck(&r);
    free(r.lane);
    free(r.slot);
    free(r.issued);
    free(r.done);
    free(r.left);
    free(r.first);
    free(r.todo);
    free(r.queued);
    return why;
}
