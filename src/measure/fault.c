/* fault.c - finding the worst, on this rank and among all of them. */
/* SPDX-License-Identifier: MIT */
#include "measure/fault.h"

#include <math.h>
#include <stdio.h>

enum { FIELDS = 6 };                    /* of a fault, besides its error */

struct sp_faults sp_faults_none(void)
{
    struct sp_faults f = { .most = { 0 } };
    for (int k = 0; k < SP_NKINDS; k++)
        for (int w = 0; w < SP_NWAYS; w++)
            f.worst[k][w].error = -1;
    return f;
}

void sp_fault_note(struct sp_faults *f, enum sp_kind kind, enum sp_way way, struct sp_fault x)
{
    if (isnan(x.error))
        x.error = INFINITY;
    if (x.error > f->worst[kind][way].error)
        f->worst[kind][way] = x;
}

static void reduce(struct sp_comm *c, double *x, int n, enum sp_reduce how)
{
    if (c)
        c->transport->reduce(c, x, n, how);
}

/* Of ranks that found errors this large, the first tells the others where. */
static void share_one(struct sp_comm *c, struct sp_fault *x, double largest)
{
    const double mine = c ? c->rank : 0;
    double teller = x->error == largest ? -mine : -INFINITY;
    reduce(c, &teller, 1, SP_MAX);
    double field[FIELDS] = { 0 };
    if (-teller == mine) {
        const double own[FIELDS] = { x->got, x->want, x->b, x->head, x->element, (double)x->pos };
        for (int i = 0; i < FIELDS; i++)
            field[i] = own[i];
    }
    reduce(c, field, FIELDS, SP_SUM);
    *x = (struct sp_fault){ largest, field[0], field[1], (int)field[2], (int)field[3],
                            (int)field[4], (long)field[5] };
}

void sp_faults_reduce(struct sp_comm *c, struct sp_faults *f)
{
    double error[SP_NKINDS][SP_NWAYS];
    for (int k = 0; k < SP_NKINDS; k++)
        for (int w = 0; w < SP_NWAYS; w++)
            error[k][w] = f->worst[k][w].error;
    reduce(c, error[0], SP_NKINDS * SP_NWAYS, SP_MAX);
    reduce(c, f->most, SP_NKINDS, SP_MAX);
    reduce(c, f->rows, SP_NKINDS, SP_SUM);
    for (int k = 0; k < SP_NKINDS; k++) {
        for (int w = 0; w < SP_NWAYS; w++)
            if (error[k][w] >= 0)
                share_one(c, &f->worst[k][w], error[k][w]);
        if (k != SP_LSE && f->most[k] > 0 && error[k][SP_WAY_ELEMENT] >= 0)
            f->worst[k][SP_WAY_ELEMENT].error /= f->most[k];
    }
}

static double tolerance(const struct sp_tolerance *t, int kind, int way)
{
    return way == SP_WAY_ELEMENT ? t->element[kind] : way == SP_WAY_ROW ? t->row[kind]
         : way == SP_WAY_TILE ? t->tile : 1;
}

double sp_faults_worst(const struct sp_faults *f, const struct sp_tolerance *t,
                       enum sp_kind *kind, enum sp_way *way)
{
    double worst = -1;
    for (int w = 0; w < SP_NWAYS; w++)
        for (int k = 0; k < SP_NKINDS; k++) {
            const double error = f->worst[k][w].error;
            const double ratio = error < 0 ? -1 : error / tolerance(t, k, w);
            if (ratio > worst) {
                worst = ratio;
                *kind = k;
                *way = w;
            }
        }
    return worst;
}

void sp_fault_say(const struct sp_faults *f, const struct sp_tolerance *t, enum sp_kind kind,
                  enum sp_way way, char *text, size_t room)
{
    const struct sp_fault *x = &f->worst[kind][way];
    const bool keys = kind == SP_DK || kind == SP_DV;
    const char *name = sp_kind_names[kind], *of = keys ? "KV head" : "head";
    const double allowed = tolerance(t, kind, way);
    if (way == SP_WAY_SUM)
        snprintf(text, room, "%s of KV head %d, batch %d: element %d summed over all rows is %.6g, "
                 "should be %.6g as that of do (off by %.3g tolerances)", name, x->head, x->b,
                 x->element, x->got, x->want, x->error);
    else if (way == SP_WAY_DOT)
        snprintf(text, room, "<q,dq> of KV head %d, batch %d is %.8g, should be %.8g as <k,dk> "
                 "(off by %.3g tolerances)", x->head, x->b, x->got, x->want, x->error);
    else if (way == SP_WAY_ROW)
        snprintf(text, room, "%s of %s %d at position %ld, batch %d: the row is off by %.2g of its "
                 "size, tolerance %.2g; its element %d is %.6g, should be %.6g", name, of, x->head,
                 x->pos, x->b, x->error, allowed, x->element, x->got, x->want);
    else if (way == SP_WAY_TILE)
        snprintf(text, room, "%s of %s %d at position %ld, batch %d: %.2g of what a tile of keys "
                 "from %d on gives should not be missing, or not be there again (tolerance %.2g)",
                 name, of, x->head, x->pos, x->b, x->error, x->element, allowed);
    else if (way == SP_WAY_NAN)
        snprintf(text, room, "%s of %s %d at position %ld, batch %d: element %d is %g, should be a "
                 "number", name, of, x->head, x->pos, x->b, x->element, x->got);
    else
        snprintf(text, room, "%s of %s %d at position %ld, batch %d: element %d is %.6g, should be "
                 "%.6g (error %.2g, tolerance %.2g)", name, of, x->head, x->pos, x->b, x->element,
                 x->got, x->want, x->error, allowed);
}
