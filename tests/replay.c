/* replay.c - from steps back to calls of the builder. */
/* SPDX-License-Identifier: MIT */
#include "replay.h"

#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

static bool one_call(const struct sp_plan *p, int a, int b)
{
    return a == b || p->step[a].twin == b;
}

int replay_next(const struct sp_plan *p, int step)
{
    for (int i = step + 1; i < p->nsteps; i++)
        if (p->step[i].rank == p->step[step].rank && !one_call(p, i, step))
            return i;
    return -1;
}

static struct sp_plan *stage(const struct sp_plan *p)
{
    struct sp_plan *q = sp_plan_new(&p->pb);
    for (int i = 0; i < p->nbufs; i++)
        sp_buf_new(q, p->buf[i].rank, &p->buf[i]);
    for (int r = 0; r < p->pb.ranks; r++)
        sp_home(q, r, p->share[r]);
    for (int i = 0; i < p->nheld; i++)
        sp_hold(q, p->held[i].b, sp_places_at(&p->places, p->held[i].list), p->held[i].head);
    return q;
}

static struct sp_block changed(const struct edit *e, int step, int block, struct sp_block b)
{
    if (e->kind == EDIT_REDIRECT && e->step == step && e->block == block)
        return e->to;
    if (e->kind == EDIT_ONE_BUFFER && b.buf == e->buf)
        b.buf = e->to.buf;
    return b;
}

static void call(struct sp_plan *q, const struct sp_plan *p, int step, const struct edit *e)
{
    const struct sp_step *s = &p->step[step];
    const struct sp_block *from = sp_step_blocks(p, step);
    struct sp_block b[SP_MAX_BLOCKS];
    enum sp_lane lane = (enum sp_lane)(e->kind == EDIT_LANE && one_call(p, step, e->step)
                                       ? e->with : s->lane);
    q->group = e->kind == EDIT_JOIN && s->group == p->step[e->step].group ? e->with : s->group;
    for (int i = 0; i < sp_ops[s->op].nblocks; i++)
        b[i] = changed(e, step, i, from[i]);
    switch ((enum sp_op)s->op) {
    case SP_ATTN:  sp_attn(q, b[0], b[1], b[2], b[3], b[4]); break;
    case SP_GRAD:
        sp_grad(q, (struct sp_grad_blocks){ b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8] });
        break;
    case SP_DELTA: sp_delta(q, b[0], b[1], b[2]); break;
    case SP_MERGE: sp_merge(q, b[0], b[1], b[2], b[3]); break;
    case SP_ADD:   sp_add(q, b[0], b[1]); break;
    case SP_COPY:
        (s->group < 0 ? sp_copy : sp_move)(q, lane, b[0], b[1]);
        break;
    case SP_SEND:
        sp_move(q, lane, changed(e, s->twin, 0, sp_step_blocks(p, s->twin)[0]), b[0]);
        break;
    case SP_RECV: case SP_NOPS:         /* came with its send */
        break;
    }
}

/* A call is known by its first step: of a move, the send. */
static int call_of(const struct sp_plan *p, int step)
{
    return p->step[step].op == SP_RECV ? p->step[step].twin : step;
}

/* Fills in the order of calls; where in it the backward pass begins. */
static int reorder(const struct sp_plan *p, const struct edit *e, int *order)
{
    int a = call_of(p, e->step), b = call_of(p, e->with), barrier = p->backward_at;
    for (int i = 0; i < p->nsteps; i++)
        order[i] = i;
    if (e->kind == EDIT_SWAP) {
        order[a] = b;
        order[b] = a;
    } else if (e->kind == EDIT_LATE) {
        memmove(order + a, order + a + 1, (size_t)(b - a) * sizeof *order);
        order[b] = a;
        barrier -= a < barrier && barrier <= b;
    }
    return barrier;
}

struct sp_plan *replay(const struct sp_plan *p, struct edit e)
{
    struct sp_plan *q = stage(p);
    int *order = sp_alloc((size_t)p->nsteps * sizeof *order);
    int barrier = reorder(p, &e, order);
    for (int i = 0; i < p->nsteps; i++) {
        if (i == barrier)
            sp_backward(q);
        if (e.kind != EDIT_DROP || !one_call(p, order[i], e.step))
            call(q, p, order[i], &e);
    }
    free(order);
    return q;
}
