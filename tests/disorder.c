/* disorder.c - chaos, with inputs put in and outputs compared. */
/* SPDX-License-Identifier: MIT */
#include "disorder.h"

#include <math.h>

#include "definition.h"
#include "executor/arithmetic.h"
#include "executor/chaos.h"

extern const struct sp_kernels sp_kernels_reference;

double disorder_tolerance(const struct sp_problem *pb)
{
    return pb->dtype == SP_F32 ? 1e-5 : 2e-2;
}

/* The place in the sequence of row i of a list. */
static long place_of(const struct sp_plan *p, int list, long i)
{
    struct sp_where w = sp_places_at(&p->places, list);
    int r = 0;
    for (; i >= w.run[r].count; r++)
        i -= w.run[r].count;
    return w.run[r].start + i * w.run[r].stride;
}

static long element(const struct sp_view *v, int row, int batch, int head)
{
    return row * v->row_stride + batch * v->batch_stride + (long)head * v->dim;
}

static void fill(const struct sp_plan *p, void *const *data)
{
    for (int n = 0; n < p->nheld; n++) {
        const struct sp_held *held = &p->held[n];
        enum sp_kind kind = p->buf[held->b.buf].kind[held->b.plane];
        struct sp_view v = sp_block_view(p, held->b, 0, data);
        for (int i = 0; i < v.rows; i++)
            for (int b = 0; b < v.batch; b++)
                for (int h = 0; h < v.heads; h++)
                    for (int e = 0; e < v.dim; e++)
                        sp_view_set(&v, element(&v, i, b, h) + e,
                                    definition_input(&p->pb, kind, b, held->head + h,
                                                     place_of(p, held->list, i), e));
    }
}

/* The largest error in a box of an output; NaN is the worst. */
static double box_off(const struct sp_plan *p, const struct sp_box *x, const struct definition *d,
                      void *const *data)
{
    enum sp_kind kind = p->buf[x->b.buf].kind[0];
    struct sp_view v = sp_block_view(p, x->b, 0, data);
    double worst = 0;
    for (int i = 0; i < v.rows; i++) {
        long place = place_of(p, x->is.list, x->is.skip + i);
        for (int b = 0; b < v.batch; b++)
            for (int h = 0; h < v.heads; h++) {
                const double *right = definition_at(d, kind, b, x->is.head + h, place);
                for (int e = 0; e < v.dim; e++) {
                    double off = fabs(sp_view_get(&v, element(&v, i, b, h) + e) - right[e]);
                    worst = off <= worst ? worst : isnan(off) ? INFINITY : off;
                }
            }
    }
    return worst;
}

static struct off compare(const struct sp_plan *p, void *const *data)
{
    const struct definition *d = definition_of(&p->pb);
    struct off off = { 0, SP_Q, NULL };
    long rows[SP_NKINDS] = { 0 };
    for (int i = 0; i < p->nbufs; i++) {
        enum sp_kind kind = p->buf[i].kind[0];
        if (p->buf[i].role != SP_OUTPUT)
            continue;
        for (int j = 0; j < p->region[i].nboxes; j++) {
            const struct sp_box *x = &p->region[i].box[j];
            double by = box_off(p, x, d, data) / d->most[kind];
            rows[kind] += sp_block_area(x->b);
            if (by > off.by)
                off = (struct off){ by, kind, NULL };
        }
    }
    static const enum sp_kind outputs[] = { SP_O, SP_LSE, SP_DQ, SP_DK, SP_DV };
    for (int i = 0; i < (p->pb.backward ? 5 : 2); i++) {
        bool keys = outputs[i] == SP_DK || outputs[i] == SP_DV;
        if (rows[outputs[i]] != p->pb.seq * (keys ? p->pb.kv_heads : p->pb.heads))
            off = (struct off){ INFINITY, outputs[i], "some rows are nowhere, or twice" };
    }
    return off;
}

struct off disorder_run(const struct sp_plan *p, struct disorder d)
{
    struct sp_executor *x = sp_chaos_new(p, d.kernels ? d.kernels : &sp_kernels_reference,
                                         d.seed, d.streams);
    struct sp_loop *l = sp_loop_new(p, SP_ALL_RANKS);
    const char *why = NULL;
    fill(p, sp_chaos_data(x));
    for (int i = 0; i < d.times && !why; i++) {
        why = sp_loop_run(l, SP_FORWARD, x, NULL);
        if (!why && p->pb.backward)
            why = sp_loop_run(l, SP_BACKWARD, x, NULL);
    }
    for (int i = 0; i < d.backwards && !why; i++)
        why = sp_loop_run(l, SP_BACKWARD, x, NULL);
    struct off off = { INFINITY, SP_Q, why };
    if (!why)
        off = compare(p, sp_chaos_data(x));
    sp_loop_free(l);
    x->free(x);
    return off;
}
