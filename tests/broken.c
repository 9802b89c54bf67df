/* broken.c - the good set does the work; then some of it is undone. */
/* SPDX-License-Identifier: MIT */
#include "broken.h"

#include <math.h>
#include <stdlib.h>

#include "util/memory.h"

enum { TILE = 64, TRIES = 1000 };

const char *const flaw_names[NFLAWS] = {
    "sound", "sees more", "sees less", "tile attn", "tile grad", "tile both", "swap o", "swap dq",
    "no merge", "no add",
};

static struct sp_kernels set;
static const struct sp_kernels *good;
static enum flaw flaw;
static unsigned long dice;
static int spoiled;
static bool attn_done, grad_done;       /* a tile is left out once */

static long roll(long n)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return n > 0 ? (long)(dice >> 33) % n : 0;
}

/* ---- a tile ------------------------------------------------------------------------------ */

struct tile {
    int row, rows, key, keys, head, kv_head, batch;
    struct sp_run qrun[TILE], krun[TILE];
    struct sp_tensors t;                /* of the tile alone; what it writes is fp32 */
    void *scratch;
    float *out[5];                      /* o lse, or dq dk dv */
};

static long place(struct sp_where w, long i)
{
    int r = 0;
    while (i >= w.run[r].count)
        i -= w.run[r++].count;
    return w.run[r].start + i * w.run[r].stride;
}

static struct sp_where cut(struct sp_where w, int from, int n, struct sp_run *run)
{
    for (int i = 0; i < n; i++)
        run[i] = (struct sp_run){ place(w, from + i), 1, 1 };
    return (struct sp_where){ run, n };
}

static struct sp_view part(struct sp_view v, int batch, int head, int row, int rows)
{
    const long at = row * v.row_stride + batch * v.batch_stride + (long)head * v.dim;
    v.data = (char *)v.data + (size_t)at * sp_dtype_bytes(v.dtype);
    v.batch = v.heads = 1;
    v.rows = rows;
    return v;
}

static struct sp_view room(struct sp_view like, float **data)
{
    struct sp_view v = like;
    v.dtype = SP_F32;
    v.row_stride = v.batch_stride = v.dim;
    v.data = *data = sp_alloc((size_t)v.rows * (size_t)v.dim * sizeof(float));
    return v;
}

/* A tile of which every query sees every key. */
static bool find(const struct sp_tensors *t, struct tile *x)
{
    for (int i = 0; i < TRIES; i++) {
        x->row = (int)roll(t->q.rows / TILE) * TILE;
        x->key = (int)roll(t->k.rows / TILE) * TILE;
        x->rows = t->q.rows - x->row < TILE ? t->q.rows - x->row : TILE;
        x->keys = t->k.rows - x->key < TILE ? t->k.rows - x->key : TILE;
        x->head = (int)roll(t->q.heads);
        x->kv_head = x->head / (t->q.heads / t->k.heads);
        x->batch = (int)roll(t->q.batch);
        if (!t->causal || place(t->kpos, x->key + x->keys - 1) <= place(t->qpos, x->row))
            return true;
    }
    return false;
}

static void tile_tensors(const struct sp_tensors *t, struct tile *x)
{
    x->t = *t;
    x->t.q = part(t->q, x->batch, x->head, x->row, x->rows);
    x->t.k = part(t->k, x->batch, x->kv_head, x->key, x->keys);
    x->t.v = part(t->v, x->batch, x->kv_head, x->key, x->keys);
    x->t.lse = part(t->lse, x->batch, x->head, x->row, x->rows);
    x->t.qpos = cut(t->qpos, x->row, x->rows, x->qrun);
    x->t.kpos = cut(t->kpos, x->key, x->keys, x->krun);
    x->scratch = aligned_alloc(64, (good->scratch(&x->t) + 64) / 64 * 64);
}

static void tile_free(struct tile *x)
{
    for (int i = 0; i < 5; i++)
        free(x->out[i]);
    free(x->scratch);
}

/* Take the tile's part of o and lse out again. */
static void undo_attn(const struct sp_tensors *t)
{
    struct tile x = { .out = { NULL } };
    if (!find(t, &x))
        return;
    tile_tensors(t, &x);
    struct sp_view o = part(t->o, x.batch, x.head, x.row, x.rows), lse = x.t.lse;
    x.t.o = room(o, &x.out[0]);
    x.t.lse = room(lse, &x.out[1]);
    good->attn(&x.t, x.scratch);
    for (int i = 0; i < x.rows; i++) {
        const double all = sp_view_get(&lse, i * lse.row_stride), share = exp(x.out[1][i] - all);
        const double rest = share < 1 - 1e-6 ? 1 - share : 0;
        sp_view_set(&lse, i * lse.row_stride, rest > 0 ? all + log(rest) : -INFINITY);
        for (int d = 0; d < o.dim; d++) {
            const long at = i * o.row_stride + d;
            const double mine = share * x.out[0][i * o.dim + d];
            sp_view_set(&o, at, rest > 0 ? (sp_view_get(&o, at) - mine) / rest : 0);
        }
    }
    attn_done = true;
    spoiled++;
    tile_free(&x);
}

static void subtract(struct sp_view x, const float *y)
{
    for (int i = 0; i < x.rows; i++)
        for (int d = 0; d < x.dim; d++) {
            const long at = i * x.row_stride + d;
            sp_view_set(&x, at, (double)sp_view_get(&x, at) - y[i * x.dim + d]);
        }
}

static void undo_grad(const struct sp_tensors *t)
{
    struct tile x = { .out = { NULL } };
    if (!find(t, &x))
        return;
    tile_tensors(t, &x);
    const struct sp_view dq = part(t->dq, x.batch, x.head, x.row, x.rows),
                         dk = part(t->dk, x.batch, x.kv_head, x.key, x.keys),
                         dv = part(t->dv, x.batch, x.kv_head, x.key, x.keys);
    x.t.dout = part(t->dout, x.batch, x.head, x.row, x.rows);
    x.t.delta = part(t->delta, x.batch, x.head, x.row, x.rows);
    x.t.dq = room(dq, &x.out[0]);
    x.t.dk = room(dk, &x.out[1]);
    x.t.dv = room(dv, &x.out[2]);
    good->grad(&x.t, x.scratch);
    subtract(dq, x.out[0]);
    subtract(dk, x.out[1]);
    subtract(dv, x.out[2]);
    grad_done = true;
    spoiled++;
    tile_free(&x);
}

/* ---- the others ----------------------------------------------------------------------------- */

static void swap_heads(struct sp_view v)
{
    if (v.heads < 2)
        return;
    spoiled++;
    for (int i = 0; i < v.rows; i++)
        for (int d = 0; d < v.dim; d++) {
            const long at = i * v.row_stride + d;
            const float x = sp_view_get(&v, at);
            sp_view_set(&v, at, sp_view_get(&v, at + v.dim));
            sp_view_set(&v, at + v.dim, x);
        }
}

/* The same places, one further on. run: as many as w has */
static struct sp_where later(struct sp_where w, struct sp_run *run)
{
    for (int i = 0; i < w.nruns; i++) {
        run[i] = w.run[i];
        run[i].start++;
    }
    spoiled++;
    return (struct sp_where){ run, w.nruns };
}

/* Tensors whose mask may be off by one. run: as many as qpos or kpos has */
static struct sp_tensors masked(const struct sp_tensors *t, struct sp_run *run)
{
    struct sp_tensors m = *t;
    if (flaw == SEES_MORE)
        m.qpos = later(t->qpos, run);
    if (flaw == SEES_LESS)
        m.kpos = later(t->kpos, run);
    return m;
}

static void attn(const struct sp_tensors *t, void *scratch)
{
    struct sp_run run[t->qpos.nruns + t->kpos.nruns];
    const struct sp_tensors m = masked(t, run);
    good->attn(&m, scratch);
    if ((flaw == TILE_ATTN || flaw == TILE_BOTH) && !attn_done)
        undo_attn(t);
    if (flaw == SWAP_O)
        swap_heads(t->o);
}

static void grad(const struct sp_tensors *t, void *scratch)
{
    struct sp_run run[t->qpos.nruns + t->kpos.nruns];
    const struct sp_tensors m = masked(t, run);
    good->grad(&m, scratch);
    if ((flaw == TILE_GRAD || flaw == TILE_BOTH) && !grad_done)
        undo_grad(t);
    if (flaw == SWAP_DQ)
        swap_heads(t->dq);
}

static void merge(struct sp_view o, struct sp_view lse, struct sp_view other,
                  struct sp_view other_lse)
{
    if (flaw == NO_MERGE)
        spoiled++;
    else
        good->merge(o, lse, other, other_lse);
}

static void add(struct sp_view x, struct sp_view y)
{
    if (flaw == NO_ADD)
        spoiled++;
    else
        good->add(x, y);
}

const struct sp_kernels *broken(enum flaw which, const struct sp_kernels *set_of,
                                unsigned long seed)
{
    good = set_of;
    flaw = which;
    dice = seed;
    spoiled = 0;
    attn_done = grad_done = false;
    set = *good;
    set.name = flaw_names[flaw];
    set.attn = attn;
    set.grad = grad;
    set.merge = merge;
    set.add = add;
    return &set;
}

int broken_count(void) { return spoiled; }
