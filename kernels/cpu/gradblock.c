/* gradblock.c - one block of keys against all queries of a head: the five products.
 *
 *              queries ->   SP_QUERIES at a time
 *            +------------+------------+--
 *   keys     | strip of 6 |            |    With keys as rows, p = exp(scale k q^T - lse)
 *     |      +------------+            |    and ds = p (v dout^T - delta) are laid out as
 *     v      | strip of 6 |            |    dv += p dout and dk += ds q read them. They
 *   a block  +------------+            |    stay in the L1, but for ds: dq += ds^T k
 *            | ...        |            |    takes the ds of all strips, once a block. */
/* SPDX-License-Identifier: MIT */
#include "kernels/cpu/backward.h"
#include "kernels/cpu/pack.h"
#include "kernels/cpu/tile.h"

enum { PANELS = SP_QUERIES / TILE };        /* of queries, in a block */

/* One head and one block of queries, as the strips of a block of keys see it. */
struct queries {
    const float *q, *dout;                  /* panels of this block */
    const float *qrows, *doutrows;          /* of the head */
    const float *less, *delta;              /* of this block's queries */
    const int   *qplace;
    const struct sp_reach *panel;
    long from;                              /* the first query */
    int  panels;                            /* that hold queries, PANELS at most */
};

struct weight { vec p, ds; };

/* p = exp(scale s - lse) and ds = p (dp - delta), of LANES queries. */
static inline struct weight weigh(vec s, vec dp, vec scale, vec less, vec delta,
                                  const int *qplace, const int *kplace)
{
    struct weight w;
    w.p = vec_exp2(vec_fma(s, scale, less) * vec_splat((float)M_LOG2E));
    if (kplace)
        w.p = vec_if_ge(qplace, *kplace, w.p, vec_splat(0));
    w.ds = w.p * (dp - delta);
    return w;
}

/* From s and dp to p and ds, for the strip at `row` of the block of keys and columns
 * [at, at + TILE) of the block of queries. kplace is NULL where all keys are seen. */
static void weigh_panel(const struct sp_grad_desk *d, const struct queries *q,
                        float scale, long row, int at, const int *kplace)
{
    const vec by = vec_splat(scale);
    for (int j = 0; j < TILE; j += LANES) {
        const vec less = vec_load(q->less + at + j), delta = vec_load(q->delta + at + j);
        for (int i = 0; i < ROWS; i++) {
            const struct weight x =
                weigh(vec_load(d->s + i * TILE + j), vec_load(d->dp + i * TILE + j),
                      by, less, delta, q->qplace + at + j, kplace ? kplace + i : NULL);
            vec_store(d->p + i * SP_QUERIES + at + j, x.p);
            vec_store(d->ds + (row + i) * SP_QUERIES + at + j, x.ds);
        }
    }
}

/* The same in pairs. ds is wanted twice: paired along the queries for dk, and along the
 * keys for dq. */
static void weigh_pairs(const struct sp_grad_desk *d, const struct queries *q,
                        float scale, long row, int at, const int *kplace)
{
    const vec by = vec_splat(scale);
    for (int j = 0; j < TILE; j += 2 * LANES)
        for (int i = 0; i < ROWS; i += 2) {
            struct weight x[2][2];          /* two keys x two vectors of queries */
            for (int r = 0; r < 2; r++)
                for (int c = 0; c < 2; c++) {
                    const int n = j + c * LANES, from = (i + r) * TILE + n;
                    x[r][c] = weigh(vec_load(d->s + from), vec_load(d->dp + from), by,
                                    vec_load(q->less + at + n),
                                    vec_load(q->delta + at + n), q->qplace + at + n,
                                    kplace ? kplace + i + r : NULL);
                }
            for (int r = 0; r < 2; r++) {
                const int to = (i + r) * SP_QUERIES + (at + j) / 2;
                vec_store(d->p + to, vec_pairs(x[r][0].p, x[r][1].p));
                vec_store(d->g + to, vec_pairs(x[r][0].ds, x[r][1].ds));
            }
            for (int c = 0; c < 2; c++)
                vec_store(d->ds + (row + i) / 2 * SP_QUERIES + at + j + c * LANES,
                          vec_pair(x[0][c].ds, x[1][c].ds));
        }
}

/* s = k q^T, dp = v dout^T, p and ds of one strip and one panel of queries. */
static void visit_panel(const struct sp_backward *g, const struct sp_grad_desk *d,
                        const struct queries *q, long strip, long row, int panel)
{
    struct sp_tile t = {
        .a = d->k + row * g->depth,
        .row = g->depth,
        .step = 1,
        .b = q->q + panel * g->depth * TILE,
        .depth = g->depth,
        .c = d->s,
        .pitch = TILE,
    };
    sp_tile_set(g->pairs, &t);
    t.a = d->v + row * g->depth;
    t.b = q->dout + panel * g->depth * TILE;
    t.c = d->dp;
    sp_tile_set(g->pairs, &t);

    const bool all = sp_mask_sight(q->panel[panel], g->strip[strip]) == SP_SEEN;
    const int *kplace = all ? NULL : g->kplace + strip * ROWS;
    if (PAIRS && g->pairs)
        weigh_pairs(d, q, g->t->scale, row, panel * TILE, kplace);
    else
        weigh_panel(d, q, g->t->scale, row, panel * TILE, kplace);
}

/* The first query in columns [at, end) of the block that comes after a key of the strip;
 * even, since pairs start there. */
static int first_query(const struct sp_backward *g, const struct queries *q, long strip,
                       int at, int end)
{
    while (at < end && q->qplace[at] < g->strip[strip].low)
        at++;
    return at / 2 * 2;
}

/* dv += p dout and dk += ds q for a strip and `queries` columns of the block. */
static void add_keys(const struct sp_backward *g, const struct sp_grad_desk *d,
                     const struct queries *q, long row, int column, int queries)
{
    const long deep = sp_words(g->pairs, g->panels * TILE);
    const long at = sp_words(g->pairs, column);
    const float *ds = g->pairs ? d->g : d->ds + row * SP_QUERIES;
    for (long left = 0; left < g->width; left += TILE) {
        const long wide = g->width - left < TILE ? g->width - left : TILE;
        const long b = left * deep + (sp_words(g->pairs, q->from) + at) * wide;
        struct sp_tile t = {
            .a = d->p + at,
            .row = SP_QUERIES,
            .step = 1,
            .b = q->doutrows + b,
            .depth = sp_words(g->pairs, queries),
            .c = d->dv + row * g->width + left,
            .pitch = g->width,
        };
        sp_tile_add(g->pairs, (int)(wide / LANES), &t, NULL);
        t.a = ds + at;
        t.b = q->qrows + b;
        t.c = d->dk + row * g->width + left;
        sp_tile_add(g->pairs, (int)(wide / LANES), &t, NULL);
    }
}

/* `count` panels in a row that the strip sees, then what they add to dv and dk. */
static void visit(const struct sp_backward *g, const struct sp_grad_desk *d,
                  const struct queries *q, long strip, long row, int first, int count)
{
    for (int j = first; j < first + count; j++)
        visit_panel(g, d, q, strip, row, j);

    const int end = (first + count) * TILE;
    const int at = first_query(g, q, strip, first * TILE, end);
    add_keys(g, d, q, row, at, end - at);
}

static bool seen(const struct queries *q, struct sp_reach keys, int panel)
{
    return panel < q->panels && sp_mask_sight(q->panel[panel], keys) != SP_HIDDEN;
}

/* All of a strip's panels: runs that it sees are computed, the others' ds are zero. */
static void visit_strip(const struct sp_backward *g, const struct sp_grad_desk *d,
                        const struct queries *q, long strip, long row)
{
    const struct sp_reach keys = g->strip[strip];
    const long words = sp_words(g->pairs, ROWS);
    float *ds = d->ds + sp_words(g->pairs, row) * SP_QUERIES;

    for (int first = 0, past; first < PANELS; first = past) {
        past = first + 1;
        if (!seen(q, keys, first)) {
            for (long i = 0; i < words; i++)
                for (int j = 0; j < TILE; j += LANES)
                    vec_store(ds + i * SP_QUERIES + first * TILE + j, vec_splat(0));
            continue;
        }
        while (past < PANELS && seen(q, keys, past))
            past++;
        visit(g, d, q, strip, row, first, past - first);
    }
}

/* dq += ds^T k, for ROWS queries at a time and no more keys than they may see: the
 * block's strips are [strip, strip + strips). */
static void add_dq(const struct sp_backward *g, const struct sp_grad_desk *d, int b,
                   int kv, long from, long strip, long strips, float *dq)
{
    const long deep = sp_words(g->pairs, g->kblocks * g->block);
    const long step = sp_words(g->pairs, ROWS);
    const float *k = g->krows + ((long)b * g->t->k.heads + kv) * deep * g->width;

    for (long i = 0; i < SP_QUERIES && from + i < g->t->q.rows; i += ROWS) {
        const struct sp_reach q = g->qstrip[(from + i) / ROWS];
        long low = 0, high = strips;
        while (low < high && sp_mask_sight(q, g->strip[strip + low]) == SP_HIDDEN)
            low++;
        while (low < high && sp_mask_sight(q, g->strip[strip + high - 1]) == SP_HIDDEN)
            high--;
        for (long left = 0; left < g->width && low < high; left += TILE) {
            const long wide = g->width - left < TILE ? g->width - left : TILE;
            const struct sp_tile t = {
                .a = d->ds + low * step * SP_QUERIES + i,
                .row = 1,
                .step = SP_QUERIES,
                .b = k + left * deep + (strip + low) * step * wide,
                .depth = (high - low) * step,
                .c = dq + (from + i) * g->width + left,
                .pitch = g->width,
            };
            sp_tile_add(g->pairs, (int)(wide / LANES), &t, NULL);
        }
    }
}

/* Block number `qblock` of head h. */
static struct queries queries_of(const struct sp_backward *g, int b, int h, long qblock)
{
    const long head = (long)b * g->t->q.heads + h, queries = g->panels * TILE;
    const long from = qblock * SP_QUERIES, left = g->panels - qblock * PANELS;
    const long deep = sp_words(g->pairs, queries);
    return (struct queries){
        .q = g->q + (head * queries + from) * g->depth,
        .dout = g->dout + (head * queries + from) * g->depth,
        .qrows = g->qrows + head * deep * g->width,
        .doutrows = g->doutrows + head * deep * g->width,
        .less = g->less + head * queries + from,
        .delta = g->delta + head * queries + from,
        .qplace = g->qplace + from,
        .panel = g->panel + qblock * PANELS,
        .from = from,
        .panels = left < PANELS ? (int)left : PANELS,
    };
}

void sp_grad_block(const struct sp_backward *g, const struct sp_grad_desk *d,
                   int b, int h, long kblock, float *dq)
{
    const long strips = g->block / ROWS, strip = kblock * strips;
    for (long n = 0; n < g->qblocks; n++) {
        if (sp_mask_sight(g->qblock[n], g->kblock[kblock]) == SP_HIDDEN)
            continue;
        const struct queries q = queries_of(g, b, h, n);
        for (long s = 0; s < strips; s++)
            visit_strip(g, d, &q, strip + s, s * ROWS);
        add_dq(g, d, b, h / g->group, q.from, strip, strips, dq);
    }
}
