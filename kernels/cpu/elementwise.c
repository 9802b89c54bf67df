/* elementwise.c - the ops that pass over memory once: delta, merge, add, copy. */
/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/pack.h"

enum { SMALL = 1 << 15 };   /* elements below which threads cost more than they give */

/* Lines of a view: for each row and batch, heads x dim elements without a gap. */
static long lines(const struct sp_view *v)
{
    return (long)v->rows * v->batch;
}

static bool large(const struct sp_view *v)
{
    return lines(v) * v->heads * v->dim >= SMALL;
}

static float row_dot(const struct sp_view *x, long at, const struct sp_view *y, long to)
{
    vec sum = vec_splat(0);
    for (int d = 0; d < x->dim; d += LANES) {
        const int n = x->dim - d;
        sum = vec_fma(vec_get(x, at + d, n), vec_get(y, to + d, n), sum);
    }
    return vec_sum(sum);
}

void sp_delta(struct sp_view delta, struct sp_view o, struct sp_view dout)
{
    #pragma omp parallel for schedule(static) if (large(&o))
    for (long n = 0; n < lines(&o); n++) {
        const long i = n / o.batch;
        const int b = (int)(n % o.batch);
        for (int h = 0; h < o.heads; h++)
            sp_view_set(&delta, sp_row_at(&delta, i, b, h),
                        row_dot(&o, sp_row_at(&o, i, b, h),
                                &dout, sp_row_at(&dout, i, b, h)));
    }
}

/* x = keep x + take y. A side of no weight isn't even read: it may hold anything. */
static void blend(const struct sp_view *x, long at, float keep,
                  const struct sp_view *y, long from, float take)
{
    const vec ours = vec_splat(keep), theirs = vec_splat(take);
    for (int d = 0; d < x->dim; d += LANES) {
        const int n = x->dim - d;
        vec sum = vec_splat(0);
        if (keep > 0)
            sum = ours * vec_get(x, at + d, n);
        if (take > 0)
            sum = vec_fma(theirs, vec_get(y, from + d, n), sum);
        vec_put(x, at + d, n, sum);
    }
}

void sp_merge(struct sp_view o, struct sp_view lse,
              struct sp_view part, struct sp_view part_lse)
{
    #pragma omp parallel for schedule(static) if (large(&o))
    for (long n = 0; n < lines(&o); n++) {
        const long i = n / o.batch;
        const int b = (int)(n % o.batch);
        for (int h = 0; h < o.heads; h++) {
            const long at = sp_row_at(&lse, i, b, h);
            const float ours = sp_view_get(&lse, at);
            const float theirs = sp_view_get(&part_lse, sp_row_at(&part_lse, i, b, h));
            const float top = ours > theirs ? ours : theirs;
            if (top == -INFINITY)
                continue;
            const float keep = expf(ours - top), take = expf(theirs - top);
            const float sum = keep + take;
            blend(&o, sp_row_at(&o, i, b, h), keep / sum,
                  &part, sp_row_at(&part, i, b, h), take / sum);
            sp_view_set(&lse, at, (double)top + logf(sum));
        }
    }
}

void sp_add(struct sp_view x, struct sp_view y)
{
    const int length = x.heads * x.dim;
    #pragma omp parallel for schedule(static) if (large(&x))
    for (long n = 0; n < lines(&x); n++) {
        const long to = sp_row_at(&x, n / x.batch, (int)(n % x.batch), 0);
        const long from = sp_row_at(&y, n / x.batch, (int)(n % x.batch), 0);
        for (int d = 0; d < length; d += LANES)
            vec_put(&x, to + d, length - d,
                    vec_get(&x, to + d, length - d) + vec_get(&y, from + d, length - d));
    }
}

static void copy_line(const struct sp_view *x, long to,
                      const struct sp_view *y, long from)
{
    const int length = x->heads * x->dim;
    if (x->dtype == y->dtype) {
        const size_t size = sp_dtype_bytes(x->dtype);
        memcpy((char *)x->data + to * (long)size,
               (const char *)y->data + from * (long)size, (size_t)length * size);
        return;
    }
    for (int d = 0; d < length; d += LANES)
        vec_put(x, to + d, length - d, vec_get(y, from + d, length - d));
}

void sp_copy(struct sp_view x, struct sp_view y)
{
    #pragma omp parallel for schedule(static) if (large(&x))
    for (long n = 0; n < lines(&x); n++)
        copy_line(&x, sp_row_at(&x, n / x.batch, (int)(n % x.batch), 0),
                  &y, sp_row_at(&y, n / x.batch, (int)(n % x.batch), 0));
}
