/* backward.c - gradients: packing, who does what, and the sums.
 *
 * A job is the blocks of keys of one KV head that fall to one part. dk and dv of a block
 * are finished by its job. dq is summed over blocks of keys: each part of a head has a
 * sum of its own, and they are joined in the end, always in the same order, so that
 * results don't depend on who was faster. A head has one part, unless there are too few
 * heads to keep the threads busy.
 *
 * Dao et al., 2022 (arXiv 2205.14135), algorithm 4. */
/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <omp.h>

#include "kernels/cpu/backward.h"
#include "kernels/cpu/pack.h"
#include "kernels/cpu/scratch.h"

enum {
    SMALL = 1 << 20,        /* products below which threads cost more than they give */
    MANY = 8,               /* heads a thread from which they share out evenly enough */
    FINE = 4,               /* blocks a part to choose from, if keys allow */
    MIN_KEYS = 48,          /* a block, if it is made small for that */
};

static long ceil_div(long a, long b) { return (a + b - 1) / b; }

static long round_up(long a, long b) { return ceil_div(a, b) * b; }

/* The fewest parts with which all threads get the same number of jobs. */
static int count_parts(long heads, int threads)
{
    if (heads >= (long)MANY * threads)
        return 1;
    long a = threads, b = heads;            /* their greatest common divisor */
    while (b) {
        const long rest = a % b;
        a = b;
        b = rest;
    }
    return (int)(threads / a);
}

/* Into blocks of SP_KEYS; or smaller ones, so that parts get much the same to do. */
static void cut_keys(struct sp_backward *g)
{
    const long keys = g->t->k.rows, most = ceil_div(keys, MIN_KEYS);
    g->parts = count_parts((long)g->t->k.batch * g->t->k.heads, g->threads);
    if (g->parts > most)
        g->parts = most ? (int)most : 1;

    long block = g->parts > 1 ? ceil_div(keys, (long)FINE * g->parts) : SP_KEYS;
    if (block < MIN_KEYS)
        block = MIN_KEYS;
    if (block > SP_KEYS)
        block = SP_KEYS;
    if (block > keys)
        block = keys;
    g->block = round_up(block, ROWS);
    g->kblocks = keys ? ceil_div(keys, g->block) : 0;
}

static void measure(struct sp_backward *g, const struct sp_tensors *t)
{
    const double products = (double)t->q.rows * t->k.rows * t->q.dim * t->q.heads;
    *g = (struct sp_backward){
        .t = t,
        .pairs = PAIRS && t->q.dtype == SP_BF16,
        .group = t->q.heads / t->k.heads,
        .threads = products * t->q.batch < SMALL ? 1 : omp_get_max_threads(),
        .panels = ceil_div(t->q.rows, TILE),
        .qblocks = ceil_div(t->q.rows, SP_QUERIES),
        .width = sp_width(t->q.dim),
    };
    g->depth = sp_depth(t->q.dim, g->pairs);
    cut_keys(g);
}

static struct sp_grad_desk lay_out_desk(const struct sp_backward *g, struct sp_scratch *s)
{
    return (struct sp_grad_desk){
        .k = sp_scratch_take(s, g->block * g->depth, sizeof(float)),
        .v = sp_scratch_take(s, g->block * g->depth, sizeof(float)),
        .dk = sp_scratch_take(s, g->block * g->width, sizeof(float)),
        .dv = sp_scratch_take(s, g->block * g->width, sizeof(float)),
        .s = sp_scratch_take(s, ROWS * TILE, sizeof(float)),
        .dp = sp_scratch_take(s, ROWS * TILE, sizeof(float)),
        .p = sp_scratch_take(s, ROWS * SP_QUERIES, sizeof(float)),
        .g = sp_scratch_take(s, ROWS * SP_QUERIES, sizeof(float)),
        .ds = sp_scratch_take(s, sp_words(g->pairs, g->block) * SP_QUERIES,
                              sizeof(float)),
    };
}

/* Queries of a head in whole strips: the rows of a sum of dq. */
static long dq_rows(const struct sp_backward *g)
{
    return round_up(g->t->q.rows, ROWS);
}

static void lay_out(struct sp_backward *g, struct sp_scratch *s)
{
    const long heads = (long)g->t->q.batch * g->t->q.heads;
    const long kv_heads = (long)g->t->k.batch * g->t->k.heads;
    const long queries = g->panels * TILE, keys = g->kblocks * g->block;
    const long columns = heads * queries * g->depth;
    const long rows = heads * sp_words(g->pairs, queries) * g->width;
    g->q = sp_scratch_take(s, columns, sizeof(float));
    g->dout = sp_scratch_take(s, columns, sizeof(float));
    g->qrows = sp_scratch_take(s, rows, sizeof(float));
    g->doutrows = sp_scratch_take(s, rows, sizeof(float));
    g->krows = sp_scratch_take(s, kv_heads * sp_words(g->pairs, keys) * g->width,
                               sizeof(float));
    g->less = sp_scratch_take(s, heads * queries, sizeof(float));
    g->delta = sp_scratch_take(s, heads * queries, sizeof(float));
    g->dq = sp_scratch_take(s, heads * g->parts * dq_rows(g) * g->width, sizeof(float));
    g->qplace = sp_scratch_take(s, g->qblocks * SP_QUERIES, sizeof(int));
    g->kplace = sp_scratch_take(s, keys, sizeof(int));
    g->panel = sp_scratch_take(s, g->qblocks * SP_QUERIES / TILE, sizeof *g->panel);
    g->strip = sp_scratch_take(s, keys / ROWS, sizeof *g->strip);
    g->qstrip = sp_scratch_take(s, g->qblocks * SP_QUERIES / ROWS, sizeof *g->qstrip);
    g->qblock = sp_scratch_take(s, g->qblocks, sizeof *g->qblock);
    g->kblock = sp_scratch_take(s, g->kblocks, sizeof *g->kblock);
    g->part = sp_scratch_take(s, g->kblocks, sizeof(int));
    g->load = sp_scratch_take(s, g->parts, sizeof(long));
    g->desk = sp_scratch_take(s, g->threads, sizeof *g->desk);
    for (int i = 0; i < g->threads; i++) {
        const struct sp_grad_desk desk = lay_out_desk(g, s);
        if (g->desk)
            g->desk[i] = desk;
    }
}

size_t sp_backward_scratch(const struct sp_tensors *t)
{
    struct sp_backward g;
    struct sp_scratch s = { 0 };
    measure(&g, t);
    lay_out(&g, &s);
    return s.used;
}

static void find_places(const struct sp_backward *g)
{
    const long queries = g->qblocks * SP_QUERIES, keys = g->kblocks * g->block;
    sp_mask_queries(g->qplace, g->t, queries);
    sp_mask_keys(g->kplace, g->t, keys);
    sp_mask_reach(g->panel, g->qplace, queries, TILE);
    sp_mask_reach(g->qstrip, g->qplace, queries, ROWS);
    sp_mask_reach(g->qblock, g->qplace, queries, SP_QUERIES);
    sp_mask_reach(g->strip, g->kplace, keys, ROWS);
    sp_mask_reach(g->kblock, g->kplace, keys, (int)g->block);
}

/* Deals the blocks of keys to the parts: each to the part with least to do so far,
 * counted in panels of queries that see the block. */
static void deal_parts(const struct sp_backward *g)
{
    for (int i = 0; i < g->parts; i++)
        g->load[i] = 0;
    for (long n = 0; n < g->kblocks; n++) {
        int least = 0;
        for (int i = 1; i < g->parts; i++)
            least = g->load[i] < g->load[least] ? i : least;
        for (long j = 0; j < g->panels; j++)
            g->load[least] += sp_mask_sight(g->panel[j], g->kblock[n]) != SP_HIDDEN;
        g->part[n] = least;
    }
}

/* Panel number `item` of all the heads' queries. */
static void pack_queries(const struct sp_backward *g, long item)
{
    const struct sp_tensors *t = g->t;
    const long head = item / g->panels, from = item % g->panels * TILE;
    const long queries = g->panels * TILE, deep = sp_words(g->pairs, queries);
    const int b = (int)(head / t->q.heads), h = (int)(head % t->q.heads);
    struct sp_slice s = {
        .view = &t->q,
        .b = b,
        .h = h,
        .from = from,
        .rows = TILE,
        .pairs = g->pairs,
    };
    sp_pack_columns(g->q + (head * queries + from) * g->depth, s);
    sp_pack_panels(g->qrows + head * deep * g->width, s, deep);
    s.view = &t->dout;
    sp_pack_columns(g->dout + (head * queries + from) * g->depth, s);
    sp_pack_panels(g->doutrows + head * deep * g->width, s, deep);

    for (long i = from; i < from + TILE; i++) {
        float lse = -INFINITY, delta = 0;
        if (i < t->q.rows) {
            lse = sp_view_get(&t->lse, sp_row_at(&t->lse, i, b, h));
            delta = sp_view_get(&t->delta, sp_row_at(&t->delta, i, b, h));
        }
        g->less[head * queries + i] = lse == -INFINITY ? -INFINITY : -lse;
        g->delta[head * queries + i] = delta;
    }
}

/* Block number `item` of all the heads' keys. */
static void pack_keys(const struct sp_backward *g, long item)
{
    const long head = item / g->kblocks;
    const long deep = sp_words(g->pairs, g->kblocks * g->block);
    const struct sp_slice s = {
        .view = &g->t->k,
        .b = (int)(head / g->t->k.heads),
        .h = (int)(head % g->t->k.heads),
        .from = item % g->kblocks * g->block,
        .rows = (int)g->block,
        .pairs = g->pairs,
    };
    sp_pack_panels(g->krows + head * deep * g->width, s, deep);
}

static void zero(float *x, long n)
{
    for (long i = 0; i < n; i++)
        x[i] = 0;
}

static void store_block(const struct sp_view *to, const float *from, long pitch,
                        const struct sp_slice *s, float scale)
{
    const vec by = vec_splat(scale);
    for (long i = 0; i < s->rows && s->from + i < to->rows; i++) {
        const long at = sp_row_at(to, s->from + i, s->b, s->h);
        for (int c = 0; c < to->dim; c += LANES)
            vec_put(to, at + c, to->dim - c, by * vec_load(from + i * pitch + c));
    }
}

static void do_block(const struct sp_backward *g, const struct sp_grad_desk *d,
                     int b, int kv, long kblock, float *dq)
{
    struct sp_slice s = {
        .view = &g->t->k,
        .b = b,
        .h = kv,
        .from = kblock * g->block,
        .rows = (int)g->block,
        .pairs = g->pairs,
    };
    sp_pack_rows(d->k, s);
    s.view = &g->t->v;
    sp_pack_rows(d->v, s);
    zero(d->dk, g->block * g->width);
    zero(d->dv, g->block * g->width);

    for (int i = 0; i < g->group; i++)
        sp_grad_block(g, d, b, kv * g->group + i, kblock, dq + i * dq_rows(g) * g->width);

    store_block(&g->t->dk, d->dk, g->width, &s, g->t->scale);
    store_block(&g->t->dv, d->dv, g->width, &s, 1);
}

static void do_job(const struct sp_backward *g, const struct sp_grad_desk *d, long job)
{
    const long head = job / g->parts, part = job % g->parts;
    const int b = (int)(head / g->t->k.heads), kv = (int)(head % g->t->k.heads);
    const long sum = g->group * dq_rows(g) * g->width;
    float *dq = g->dq + job * sum;

    zero(dq, sum);
    for (long n = 0; n < g->kblocks; n++)
        if (g->part[n] == part)
            do_block(g, d, b, kv, n, dq);
}

/* Row `item` of all the heads' queries: the parts' sums become dq. */
static void join_parts(const struct sp_backward *g, long item)
{
    const struct sp_view *to = &g->t->dq;
    const long head = item / to->rows, i = item % to->rows;
    const int b = (int)(head / to->heads), h = (int)(head % to->heads);
    const long each = dq_rows(g) * g->width, sum = g->group * each;
    const long first = ((long)b * g->t->k.heads + h / g->group) * g->parts;
    const float *row = g->dq + first * sum + h % g->group * each + i * g->width;
    const vec by = vec_splat(g->t->scale);

    for (int c = 0; c < to->dim; c += LANES) {
        vec x = vec_load(row + c);
        for (int part = 1; part < g->parts; part++)
            x += vec_load(row + part * sum + c);
        vec_put(to, sp_row_at(to, i, b, h) + c, to->dim - c, by * x);
    }
}

void sp_backward(const struct sp_tensors *t, void *scratch)
{
    struct sp_backward g;
    struct sp_scratch s = { .base = scratch };
    measure(&g, t);
    lay_out(&g, &s);
    find_places(&g);
    deal_parts(&g);

    const long heads = (long)t->q.batch * t->q.heads;
    const long kv_heads = (long)t->k.batch * t->k.heads;
    #pragma omp parallel num_threads(g.threads)
    {
        #pragma omp for schedule(static) nowait
        for (long i = 0; i < heads * g.panels; i++)
            pack_queries(&g, i);
        #pragma omp for schedule(static)
        for (long i = 0; i < kv_heads * g.kblocks; i++)
            pack_keys(&g, i);
        #pragma omp for schedule(dynamic, 1)
        for (long i = 0; i < kv_heads * g.parts; i++)
            do_job(&g, &g.desk[omp_get_thread_num()], i);
        #pragma omp for schedule(static)
        for (long i = 0; i < heads * t->q.rows; i++)
            join_parts(&g, i);
    }
}
