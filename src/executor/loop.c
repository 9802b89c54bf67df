/* loop.c - the one loop. Each lane does its steps in plan order, a group at a time; a step
 * starts when what it needs is done, or when the executor promises to keep that order itself.
 * Executors made of streams are given the steps of a rank strictly in plan order, so that the
 * order of operations over several communicators is the same on all ranks. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "executor/executor.h"
#include "util/memory.h"

enum state { WAITING, ISSUED, DONE };

struct lane { int *step, n, head, flying; };    /* head: the first not yet issued */

struct sp_loop {
    const struct sp_plan *p;
    int first, ranks;                           /* ranks driven: first, first+1, ... */
    struct lane *lanes[SP_NPASSES];             /* ranks x SP_NLANES */
    int *slot;
    int left[SP_NPASSES];
    char *state;
};

static bool driven(const struct sp_loop *l, int step)
{
    int rank = l->p->step[step].rank;
    return rank >= l->first && rank < l->first + l->ranks;
}

static struct lane *lane_of(const struct sp_loop *l, enum sp_pass pass, int step)
{
    const struct sp_step *s = &l->p->step[step];
    return &l->lanes[pass][(s->rank - l->first) * SP_NLANES + s->lane];
}

struct sp_loop *sp_loop_new(const struct sp_plan *p, int rank)
{
    struct sp_loop *l = sp_alloc(sizeof *l);
    l->p = p;
    l->first = rank == SP_ALL_RANKS ? 0 : rank;
    l->ranks = rank == SP_ALL_RANKS ? p->pb.ranks : 1;
    l->slot = sp_alloc((size_t)p->nsteps * sizeof *l->slot);
    l->state = sp_alloc((size_t)p->nsteps);
    int lanes = l->ranks * SP_NLANES, at = 0;
    for (enum sp_pass pass = 0; pass < SP_NPASSES; pass++)
        l->lanes[pass] = sp_alloc((size_t)lanes * sizeof **l->lanes);
    for (int i = 0; i < p->nsteps; i++)
        if (driven(l, i))
            lane_of(l, sp_step_pass(p, i), i)->n++;
    for (enum sp_pass pass = 0; pass < SP_NPASSES; pass++)
        for (int i = 0; i < lanes; i++) {
            struct lane *x = &l->lanes[pass][i];
            x->step = l->slot + at;
            at += x->n;
            l->left[pass] += x->n;
            x->n = 0;
        }
    for (int i = 0; i < p->nsteps; i++)
        if (driven(l, i)) {
            struct lane *x = lane_of(l, sp_step_pass(p, i), i);
            x->step[x->n++] = i;
        }
    return l;
}

void sp_loop_free(struct sp_loop *l)
{
    if (!l)
        return;
    for (enum sp_pass pass = 0; pass < SP_NPASSES; pass++)
        free(l->lanes[pass]);
    free(l->slot);
    free(l->state);
    free(l);
}

static bool met(const struct sp_loop *l, struct sp_executor *x, int before, int after)
{
    return l->state[before] == DONE
           || (l->state[before] == ISSUED && x->ordered && x->ordered(x, before, after));
}

/* Where the group at the head of a lane ends. */
static int group_end(const struct sp_plan *p, const struct lane *a)
{
    int end = a->head + 1, group = p->step[a->step[a->head]].group;
    while (group >= 0 && end < a->n && p->step[a->step[end]].group == group)
        end++;
    return end;
}

static bool startable(const struct sp_loop *l, struct sp_executor *x, const struct lane *a, int end)
{
    for (int i = a->head; i < end; i++) {
        const struct sp_step *s = &l->p->step[a->step[i]];
        for (int j = 0; j < s->needs; j++)
            if (!met(l, x, l->p->need[s->need + j], a->step[i]))
                return false;
        for (int j = a->head - a->flying; j < a->head; j++)
            if (!met(l, x, a->step[j], a->step[i]))
                return false;
    }
    return true;
}

static void issue(struct sp_loop *l, struct sp_executor *x, struct lane *a, int end,
                  struct sp_span *span)
{
    int from = a->head;
    for (int i = from; i < end; i++) {
        l->state[a->step[i]] = ISSUED;
        if (span)
            span[a->step[i]].start = x->now(x);
    }
    a->flying += end - from;
    a->head = end;
    x->issue(x, a->step + from, end - from);
}

/* The lane whose next step is the earliest of the plan; NULL: all are through. */
static struct lane *earliest(struct lane *lane)
{
    struct lane *best = NULL;
    for (int i = 0; i < SP_NLANES; i++)
        if (lane[i].head < lane[i].n
            && (!best || lane[i].step[lane[i].head] < best->step[best->head]))
            best = &lane[i];
    return best;
}

static bool busy(const struct lane *lane)
{
    for (int i = 0; i < SP_NLANES; i++)
        if (lane[i].flying)
            return true;
    return false;
}

/* Issue all that one rank can. Transfers first: they take no time from those who compute. */
static void issue_rank(struct sp_loop *l, struct sp_executor *x, struct lane *lane,
                       struct sp_span *span)
{
    struct lane *a;
    int end;
    while (x->plan_order && (a = earliest(lane))) {
        if ((x->alone && busy(lane)) || !startable(l, x, a, end = group_end(l->p, a)))
            return;
        issue(l, x, a, end, span);
    }
    for (bool any = !x->plan_order; any;) {
        any = false;
        for (int i = SP_NLANES - 1; i >= 0; i--) {
            a = &lane[i];
            if (a->head == a->n || !startable(l, x, a, end = group_end(l->p, a)))
                continue;
            issue(l, x, a, end, span);
            any = true;
        }
    }
}

/* What a pass did before is forgotten; what the pass before it did is not. */
static void begin(struct sp_loop *l, enum sp_pass pass)
{
    for (int i = 0; i < l->ranks * SP_NLANES; i++) {
        struct lane *a = &l->lanes[pass][i];
        a->head = a->flying = 0;
        for (int j = 0; j < a->n; j++)
            l->state[a->step[j]] = WAITING;
    }
}

const char *sp_loop_run(struct sp_loop *l, enum sp_pass pass, struct sp_executor *x,
                        struct sp_span *span)
{
    static char why[120];
    int left = l->left[pass];
    begin(l, pass);
    for (int r = 0; r < l->ranks; r++)
        issue_rank(l, x, l->lanes[pass] + r * SP_NLANES, span);
    for (; left; left--) {
        int s = x->wait(x);
        if (s < 0) {
            snprintf(why, sizeof why, "%s: %d steps can never start", x->name, left);
            return why;
        }
        struct lane *a = lane_of(l, pass, s);
        l->state[s] = DONE;
        if (span)
            span[s].end = x->now(x);
        while (a->flying && l->state[a->step[a->head - a->flying]] == DONE)
            a->flying--;
        issue_rank(l, x, a - l->p->step[s].lane, span);
    }
    return NULL;
}
