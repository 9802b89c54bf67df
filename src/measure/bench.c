/* bench.c - an executor for a plan, and samples of it. */
/* SPDX-License-Identifier: MIT */
#include "measure/bench.h"

#include <math.h>
#include <stdlib.h>

#include "measure/inputs.h"
#include "util/clock.h"
#include "util/memory.h"
#include "util/stats.h"

struct sp_bench {
    const struct sp_lab *l;
    struct sp_plan *p;
    struct sp_real *x;
    struct sp_span *span;
};

struct sp_bench *sp_bench_new(const struct sp_lab *l, struct sp_plan *p)
{
    struct sp_bench *b = sp_alloc(sizeof *b);
    *b = (struct sp_bench){
        .l = l,
        .p = p,
        .x = sp_real_new(p, l->c, l->kernels, l->threads),
        .span = sp_alloc((size_t)p->nsteps * sizeof *b->span),
    };
    sp_inputs_fill(p, l->c->rank, l->seed, sp_real_data(b->x));
    return b;
}

void sp_bench_free(struct sp_bench *b)
{
    sp_real_free(b->x);
    sp_plan_free(b->p);
    free(b->span);
    free(b);
}

double sp_bench_run(struct sp_bench *b, enum sp_pass pass, enum sp_mode mode)
{
    b->l->c->transport->barrier(b->l->c);
    double start = sp_now();
    sp_real_run(b->x, pass, mode, b->span);
    return sp_now() - start;
}

const struct sp_span *sp_bench_spans(const struct sp_bench *b) { return b->span; }

void sp_tally_add(struct sp_tally *t, double seconds)
{
    t->x = sp_grow(t->x, t->n, sizeof *t->x);
    t->x[t->n++] = seconds;
}

double sp_tally_end(struct sp_tally *t, struct sp_comm *c, double part)
{
    c->transport->reduce(c, t->x, t->n, SP_MAX);
    sp_sort(t->x, t->n);
    double at = t->n ? t->x[(int)(part * (t->n - 1) + 0.5)] : NAN;
    free(t->x);
    *t = (struct sp_tally){ 0 };
    return at;
}

double sp_lab_agree(const struct sp_lab *l, double x)
{
    l->c->transport->reduce(l->c, &x, 1, SP_MAX);
    return x;
}
