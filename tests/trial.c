/* trial.c - random tensors, places under every mask, and how far results are apart. */
/* SPDX-License-Identifier: MIT */
#include "trial.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 3 };               /* elements between the batches of a view */

static const double FLOOR = 0.1;

static uint64_t seed;

/* Uniform in [-1.7, 1.7): variance 1. */
static float noise(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return ((float)(seed >> 40) / (1 << 23) - 1) * 1.7320508f;
}

long view_elements(const struct sp_view *v)
{
    return (long)v->rows * v->row_stride;
}

struct sp_view view_new(enum sp_dtype dtype, int rows, int batch, int heads,
                               int dim, float size)
{
    const int wide = heads * dim + GAP;
    struct sp_view v = {
        .dtype = dtype,
        .rows = rows,
        .batch = batch,
        .heads = heads,
        .dim = dim,
        .row_stride = batch * wide,
        .batch_stride = wide,
    };
    v.data = malloc((size_t)view_elements(&v) * sp_dtype_bytes(dtype) + 1);
    if (!v.data)
        abort();
    for (long i = 0; i < view_elements(&v); i++)
        sp_view_set(&v, i, size * noise());
    return v;
}

struct sp_view view_copy(const struct sp_view *from, enum sp_dtype dtype)
{
    const struct sp_view v =
        view_new(dtype, from->rows, from->batch, from->heads, from->dim, 0);
    for (long i = 0; i < view_elements(&v); i++)
        sp_view_set(&v, i, sp_view_get(from, i));
    return v;
}

static bool in_gap(const struct sp_view *v, long i)
{
    return i % v->batch_stride >= (long)v->heads * v->dim;
}

void view_spoil(const struct sp_view *v)
{
    for (long i = 0; i < view_elements(v); i++)
        if (!in_gap(v, i))
            sp_view_set(v, i, NAN);
}

double view_error(const struct sp_view *x, const struct sp_view *ref)
{
    double worst = 0, most = FLOOR;
    for (long i = 0; i < view_elements(x); i++) {
        const double a = sp_view_get(x, i), b = sp_view_get(ref, i);
        if (isnan(a) || ((in_gap(x, i) || isinf(b)) && a != b))
            return INFINITY;
        if (isinf(b) || in_gap(x, i))
            continue;
        worst = fmax(worst, fabs(a - b));
        most = fmax(most, fabs(b));
    }
    return worst / most;
}

/* `rows` places in chunks of which every other one is taken from the end, as ranks that
 * hold zigzag shards send them. */
static int gathered(struct sp_run *run, int rows)
{
    enum { CHUNK = 23 };
    int n = 0;
    for (int from = 0; from < rows; from += CHUNK, n++) {
        const int chunks = (rows + CHUNK - 1) / CHUNK, left = rows - from;
        const int c = n % 2 ? chunks - 1 - n / 2 : n / 2;
        run[n] = (struct sp_run){ c * CHUNK, 1, left < CHUNK ? left : CHUNK };
    }
    return n;
}

static void place(struct trial *x, const struct shape *s)
{
    const int half = s->keys / 2, rest = s->keys - half, front = s->rows / 2;
    int nq = 1, nk = 1;
    x->q[0] = (struct sp_run){ 0, 1, s->rows };
    x->k[0] = (struct sp_run){ 0, 1, s->keys };
    switch (s->mask) {
    case OFFSET:
        x->q[0].start = half;
        break;
    case ZIGZAG:
        x->q[0] = (struct sp_run){ half / 2, 1, front };
        x->q[1] = (struct sp_run){ 3L * s->keys - half, 1, s->rows - front };
        x->k[0] = (struct sp_run){ 0, 1, half };
        x->k[1] = (struct sp_run){ 2L * s->keys + s->rows, 1, rest };
        nq = nk = 2;
        break;
    case STRIPED:
        x->q[0] = (struct sp_run){ 1, 4, s->rows };
        x->k[0] = (struct sp_run){ 2, 4, s->keys };
        break;
    case GATHERED:
        nq = gathered(x->q, s->rows);
        nk = gathered(x->k, s->keys);
        break;
    case BLIND:
        x->k[0].start = front;
        break;
    default:
        break;
    }
    x->t.qpos = (struct sp_where){ x->q, nq };
    x->t.kpos = (struct sp_where){ x->k, nk };
    x->t.causal = s->mask != FULL;
}

void trial_new(struct trial *x, const struct shape *s)
{
    struct sp_tensors *t = &x->t;
    memset(x, 0, sizeof *x);
    t->scale = 1 / sqrtf((float)s->dim);
    t->q = view_new(s->in, s->rows, s->batch, s->heads, s->dim, s->size);
    t->k = view_new(s->in, s->keys, s->batch, s->kv_heads, s->dim, 1);
    t->v = view_new(s->in, s->keys, s->batch, s->kv_heads, s->dim, 1);
    t->dout = view_new(s->in, s->rows, s->batch, s->heads, s->dim, 1);
    t->o = view_new(s->o, s->rows, s->batch, s->heads, s->dim, 1);
    t->lse = view_new(SP_F32, s->rows, s->batch, s->heads, 1, 1);
    t->delta = view_new(SP_F32, s->rows, s->batch, s->heads, 1, 1);
    t->dq = view_new(s->dq, s->rows, s->batch, s->heads, s->dim, 1);
    t->dk = view_new(s->dkv, s->keys, s->batch, s->kv_heads, s->dim, 1);
    t->dv = view_new(s->dkv, s->keys, s->batch, s->kv_heads, s->dim, 1);
    place(x, s);

    x->ref = *t;
    x->ref.o = view_copy(&t->o, SP_F32);
    x->ref.lse = view_copy(&t->lse, SP_F32);
    x->ref.dq = view_copy(&t->dq, SP_F32);
    x->ref.dk = view_copy(&t->dk, SP_F32);
    x->ref.dv = view_copy(&t->dv, SP_F32);
}

void trial_free(struct trial *x)
{
    struct sp_tensors *t = &x->t, *r = &x->ref;
    void *data[] = {
        t->q.data, t->k.data, t->v.data, t->dout.data, t->o.data, t->lse.data,
        t->delta.data, t->dq.data, t->dk.data, t->dv.data,
        r->o.data, r->lse.data, r->dq.data, r->dk.data, r->dv.data,
    };
    for (size_t i = 0; i < sizeof data / sizeof *data; i++)
        free(data[i]);
}
