/* reference.c - the definition of every op: plain loops, all arithmetic in fp64.
 *
 * Written to be read, and to be compared with. Stored numbers are widened on the way in
 * and rounded once, on the way out. One thread. */
/* SPDX-License-Identifier: MIT */
#include "kernels/kernels.h"

#include <math.h>

/* The scratch, dealt out. K, V and their gradients are those of one KV head. */
struct desk {
    double *k, *v, *dk, *dv;        /* keys x dim */
    double *q, *o, *dout, *dq;      /* dim: one query's */
    double *p;                      /* keys: one query's scores, then probabilities */
    long   *qpos, *kpos;            /* the place of each row */
};

static size_t scratch(const struct sp_tensors *t)
{
    const size_t rows = (size_t)t->q.rows, keys = (size_t)t->k.rows;
    const size_t dim = (size_t)t->q.dim;
    return (4 * keys * dim + 4 * dim + keys) * sizeof(double)
         + (rows + keys) * sizeof(long);
}

/* Writes down the places of the first `rows` rows. */
static void spell(long *place, struct sp_where where, int rows)
{
    int n = 0;
    for (int r = 0; r < where.nruns; r++)
        for (long j = 0; j < where.run[r].count && n < rows; j++)
            place[n++] = where.run[r].start + j * where.run[r].stride;
}

static struct desk lay_out(const struct sp_tensors *t, void *scratch)
{
    const long keys = t->k.rows, dim = t->q.dim;
    double *at = scratch;
    struct desk d;
    d.k = at;
    d.v = d.k + keys * dim;
    d.dk = d.v + keys * dim;
    d.dv = d.dk + keys * dim;
    d.q = d.dv + keys * dim;
    d.o = d.q + dim;
    d.dout = d.o + dim;
    d.dq = d.dout + dim;
    d.p = d.dq + dim;
    d.qpos = (long *)(d.p + keys);
    d.kpos = d.qpos + t->q.rows;
    if (t->causal) {
        spell(d.qpos, t->qpos, t->q.rows);
        spell(d.kpos, t->kpos, t->k.rows);
    }
    return d;
}

/* The number of element (i, b, h, 0). */
static long first(const struct sp_view *v, int i, int b, int h)
{
    return i * v->row_stride + b * v->batch_stride + (long)h * v->dim;
}

static void load_row(double *x, const struct sp_view *v, int i, int b, int h)
{
    const long at = first(v, i, b, h);
    for (int d = 0; d < v->dim; d++)
        x[d] = sp_view_get(v, at + d);
}

static void store_row(const struct sp_view *v, int i, int b, int h, const double *x)
{
    const long at = first(v, i, b, h);
    for (int d = 0; d < v->dim; d++)
        sp_view_set(v, at + d, x[d]);
}

static void load(double *x, const struct sp_view *v, int b, int h)
{
    for (int i = 0; i < v->rows; i++)
        load_row(x + (long)i * v->dim, v, i, b, h);
}

static void store(const struct sp_view *v, int b, int h, const double *x)
{
    for (int i = 0; i < v->rows; i++)
        store_row(v, i, b, h, x + (long)i * v->dim);
}

static void zero(double *x, long n)
{
    for (long i = 0; i < n; i++)
        x[i] = 0;
}

static double dot(const double *x, const double *y, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/* y += a x */
static void axpy(double *y, double a, const double *x, int n)
{
    for (int i = 0; i < n; i++)
        y[i] += a * x[i];
}

/* p = scale q k^T for query i, -inf where the mask hides the key. */
static void scores(const struct sp_tensors *t, const struct desk *d, int i)
{
    for (int j = 0; j < t->k.rows; j++) {
        const bool seen = !t->causal || d->kpos[j] <= d->qpos[i];
        const double *k = d->k + (long)j * t->k.dim;
        d->p[j] = seen ? t->scale * dot(d->q, k, t->k.dim) : -INFINITY;
    }
}

static void attn_row(const struct sp_tensors *t, const struct desk *d,
                     int i, int b, int h)
{
    const int keys = t->k.rows, dim = t->q.dim;
    load_row(d->q, &t->q, i, b, h);
    scores(t, d, i);

    double top = -INFINITY, sum = 0;
    for (int j = 0; j < keys; j++)
        top = fmax(top, d->p[j]);
    zero(d->o, dim);
    for (int j = 0; j < keys && top > -INFINITY; j++) {
        const double p = exp(d->p[j] - top);
        sum += p;
        axpy(d->o, p, d->v + (long)j * dim, dim);
    }
    for (int c = 0; c < dim && sum > 0; c++)
        d->o[c] /= sum;

    store_row(&t->o, i, b, h, d->o);
    const double lse = top + log(sum);          /* -inf where nothing was seen */
    store_row(&t->lse, i, b, h, &lse);
}

static void attn(const struct sp_tensors *t, void *scratch)
{
    const struct desk d = lay_out(t, scratch);
    const int group = t->q.heads / t->k.heads;

    for (int b = 0; b < t->q.batch; b++)
        for (int h = 0; h < t->q.heads; h++) {
            if (h % group == 0) {
                load(d.k, &t->k, b, h / group);
                load(d.v, &t->v, b, h / group);
            }
            for (int i = 0; i < t->q.rows; i++)
                attn_row(t, &d, i, b, h);
        }
}

static void grad_row(const struct sp_tensors *t, const struct desk *d,
                     int i, int b, int h)
{
    const int dim = t->q.dim;
    double lse, delta;
    load_row(d->q, &t->q, i, b, h);
    load_row(d->dout, &t->dout, i, b, h);
    load_row(&lse, &t->lse, i, b, h);
    load_row(&delta, &t->delta, i, b, h);
    scores(t, d, i);

    zero(d->dq, dim);
    for (int j = 0; j < t->k.rows && lse > -INFINITY; j++) {
        const long at = (long)j * dim;
        const double p = exp(d->p[j] - lse);
        const double ds = p * (dot(d->dout, d->v + at, dim) - delta);
        axpy(d->dv + at, p, d->dout, dim);
        axpy(d->dk + at, t->scale * ds, d->q, dim);
        axpy(d->dq, t->scale * ds, d->k + at, dim);
    }
    store_row(&t->dq, i, b, h, d->dq);
}

static void grad(const struct sp_tensors *t, void *scratch)
{
    const struct desk d = lay_out(t, scratch);
    const int group = t->q.heads / t->k.heads;

    for (int b = 0; b < t->k.batch; b++)
        for (int kv = 0; kv < t->k.heads; kv++) {
            load(d.k, &t->k, b, kv);
            load(d.v, &t->v, b, kv);
            zero(d.dk, (long)t->k.rows * t->k.dim);
            zero(d.dv, (long)t->k.rows * t->k.dim);
            for (int h = kv * group; h < (kv + 1) * group; h++)
                for (int i = 0; i < t->q.rows; i++)
                    grad_row(t, &d, i, b, h);
            store(&t->dk, b, kv, d.dk);
            store(&t->dv, b, kv, d.dv);
        }
}

static void delta(struct sp_view delta, struct sp_view o, struct sp_view dout)
{
    for (int i = 0; i < o.rows; i++)
        for (int b = 0; b < o.batch; b++)
            for (int h = 0; h < o.heads; h++) {
                const long x = first(&o, i, b, h), y = first(&dout, i, b, h);
                double sum = 0;
                for (int d = 0; d < o.dim; d++)
                    sum += (double)sp_view_get(&o, x + d) * sp_view_get(&dout, y + d);
                store_row(&delta, i, b, h, &sum);
            }
}

/* One row of a merge. An empty side has no say, whatever its o holds. */
static void merge_row(const struct sp_view *o, const struct sp_view *lse,
                      const struct sp_view *part, const struct sp_view *part_lse,
                      int i, int b, int h)
{
    double ours, theirs;
    load_row(&ours, lse, i, b, h);
    load_row(&theirs, part_lse, i, b, h);
    const double top = fmax(ours, theirs);
    if (top == -INFINITY)
        return;

    const double both = top + log(exp(ours - top) + exp(theirs - top));
    const double keep = exp(ours - both), take = exp(theirs - both);
    const long x = first(o, i, b, h), y = first(part, i, b, h);
    for (int d = 0; d < o->dim; d++) {
        const double mine = keep > 0 ? keep * sp_view_get(o, x + d) : 0;
        const double other = take > 0 ? take * sp_view_get(part, y + d) : 0;
        sp_view_set(o, x + d, mine + other);
    }
    store_row(lse, i, b, h, &both);
}

static void merge(struct sp_view o, struct sp_view lse,
                  struct sp_view part, struct sp_view part_lse)
{
    for (int i = 0; i < o.rows; i++)
        for (int b = 0; b < o.batch; b++)
            for (int h = 0; h < o.heads; h++)
                merge_row(&o, &lse, &part, &part_lse, i, b, h);
}

static void add(struct sp_view x, struct sp_view y)
{
    for (int i = 0; i < x.rows; i++)
        for (int b = 0; b < x.batch; b++)
            for (int d = 0; d < x.heads * x.dim; d++) {
                const long to = first(&x, i, b, 0) + d, from = first(&y, i, b, 0) + d;
                sp_view_set(&x, to, sp_view_get(&x, to) + sp_view_get(&y, from));
            }
}

static void copy(struct sp_view x, struct sp_view y)
{
    for (int i = 0; i < x.rows; i++)
        for (int b = 0; b < x.batch; b++)
            for (int d = 0; d < x.heads * x.dim; d++)
                sp_view_set(&x, first(&x, i, b, 0) + d,
                            sp_view_get(&y, first(&y, i, b, 0) + d));
}

const struct sp_kernels sp_kernels_reference = {
    .name = "reference",
    .help = "the definition: plain loops in fp64, one thread",
    .strip = 1,
    .panel = 1,
    .scratch = scratch,
    .attn = attn,
    .grad = grad,
    .delta = delta,
    .merge = merge,
    .add = add,
    .copy = copy,
};
