/* order.c - a read waits for the writer, a write for the writer and the readers before it,
 * as MSCCL derives it. What the order of a lane already says is left out. */
/* SPDX-License-Identifier: MIT */
#include "plan/order.h"

#include "util/memory.h"

/* Steps a, b of one rank: does the order of their lane put a before b? */
static bool lane_orders(const struct sp_plan *p, int a, int b)
{
    const struct sp_step *x = &p->step[a], *y = &p->step[b];
    return a < b && x->lane == y->lane && (x->group < 0 || x->group != y->group);
}

void sp_order_need(struct sp_plan *p, int on)
{
    int id = p->nsteps - 1;
    struct sp_step *s = &p->step[id];
    if (on < 0 || on == id || lane_orders(p, on, id))
        return;
    for (int i = 0; i < s->needs; i++) {
        int *have = &p->need[s->need + i];
        if (*have == on || lane_orders(p, on, *have))
            return;
        if (lane_orders(p, *have, on)) {
            *have = on;
            return;
        }
    }
    p->need = sp_grow(p->need, p->nneeds, sizeof *p->need);
    p->need[p->nneeds++] = on;
    s->needs++;
}

/* Readers that the lane of a later reader implies are forgotten, so lists stay short. */
static void note_reader(struct sp_plan *p, struct sp_box *x, int step)
{
    int n = 0;
    for (int i = 0; i < x->nreaders; i++)
        if (!lane_orders(p, x->reader[i], step) && x->reader[i] != step)
            x->reader[n++] = x->reader[i];
    x->nreaders = n;
    sp_box_read(x, step);
}

void sp_order_read(struct sp_plan *p, struct sp_block b)
{
    struct sp_box *x;
    sp_region_cut(&p->region[b.buf], b);
    for (int i = 0; (x = sp_region_next(&p->region[b.buf], b, &i));) {
        sp_order_need(p, x->writer);
        note_reader(p, x, p->nsteps - 1);
    }
}

void sp_order_write(struct sp_plan *p, struct sp_block b)
{
    struct sp_box *x;
    for (int i = 0; (x = sp_region_next(&p->region[b.buf], b, &i));) {
        sp_order_need(p, x->writer);
        sp_order_after_readers(p, x);
    }
}
