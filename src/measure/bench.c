/* bench.c - an executor for a plan, and samples of it. */
/* SPDX-License-Identifier: MIT */
#include "measure/bench.h"

#include <math.h>
#include <stdlib.h>

#include "kernels/kernels.h"
#include "util/clock.h"
#include "util/memory.h"
#include "util/stats.h"

struct sp_bench {
    const struct sp_lab *l;
    struct sp_plan *p;
    struct sp_real *x;
    struct sp_span *span;
};

/* Numbers of variance 1 or so, in whatever is an input, be it a sum or an lse. */
static void fill(const struct sp_plan *p, int rank, unsigned long seed, void *const *data)
{
    unsigned x = (unsigned)seed * 2654435761u + 1;
    for (int i = 0; i < p->nbufs; i++) {
        if (p->buf[i].rank != rank || p->buf[i].role != SP_INPUT)
            continue;
        size_t n = sp_buf_bytes(p, i) / sp_dtype_bytes(p->buf[i].dtype);
        for (size_t j = 0; j < n; j++) {
            x = x * 1664525u + 1013904223u;
            float value = (float)(int)x * (1.7f / 2147483648.0f);
            if (p->buf[i].dtype == SP_F32)
                ((float *)data[i])[j] = value;
            else
                ((unsigned short *)data[i])[j] = sp_bf16_round(value);
        }
    }
}

struct sp_bench *sp_bench_new(const struct sp_lab *l, struct sp_plan *p)
{
    struct sp_bench *b = sp_alloc(sizeof *b);
    *b = (struct sp_bench){
        .l = l,
        .p = p,
        .x = sp_real_new(p, l->c, l->kernels, l->threads),
        .span = sp_alloc((size_t)p->nsteps * sizeof *b->span),
    };
    fill(p, l->c->rank, l->seed, sp_real_data(b->x));
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

/* Of the ranks, the one that counts; sorted. */
static void settle(struct sp_tally *t, struct sp_comm *c, enum sp_among who)
{
    double sign = who == SP_FASTEST ? -1 : 1;
    for (int i = 0; i < t->n; i++)
        t->x[i] *= sign;
    c->transport->reduce(c, t->x, t->n, SP_MAX);
    for (int i = 0; i < t->n; i++)
        t->x[i] *= sign;
    sp_sort(t->x, t->n);
}

static void clear(struct sp_tally *t)
{
    free(t->x);
    *t = (struct sp_tally){ 0 };
}

double sp_tally_typical(struct sp_tally *t, struct sp_comm *c, enum sp_among who)
{
    if (!t->n)
        return NAN;
    settle(t, c, who);
    double x = t->x[(t->n - 1) / 4];
    clear(t);
    return x;
}

double sp_tally_middle(struct sp_tally *t, struct sp_comm *c, enum sp_among who)
{
    double sum = 0;
    int first = t->n / 4, n = t->n - 2 * first;
    if (!t->n)
        return NAN;
    settle(t, c, who);
    for (int i = 0; i < n; i++)
        sum += t->x[first + i];
    clear(t);
    return sum / n;
}

double sp_lab_agree(const struct sp_lab *l, double x)
{
    l->c->transport->reduce(l->c, &x, 1, SP_MAX);
    return x;
}
