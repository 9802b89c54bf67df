/* forward.c - attention with an online softmax: scores never leave the L1 cache.
 *
 *                 keys ->   KEYS at a time, shared by all strips while in the L2
 *              +------------+------------+---
 *   queries    | strip of 6 |            |        A strip runs scores = q k^T, softmax
 *      |       +------------+            |        and o += p v over as many panels (TILE
 *      v       | strip of 6 |            |        keys) as it sees in a row, then the
 *    a block   +------------+            |        next strip does. What the mask hides
 *              | ...        |            |        is never touched.
 *
 * FlashAttention: Dao et al., 2022 (arXiv 2205.14135); the online softmax: Milakov and
 * Gimelshein, 2018 (arXiv 1805.02867). K and V are packed once and serve a whole group
 * of query heads. */
/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <omp.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/mask.h"
#include "kernels/cpu/pack.h"
#include "kernels/cpu/scratch.h"
#include "kernels/cpu/tile.h"

enum {
    BLOCK = 16 * ROWS,      /* query rows that share the keys in the L2, at most */
    KEYS = 512,             /* of those, a multiple of TILE */
    SMALL = 1 << 20,        /* products below which threads cost more than they give */
};

/* What one thread works on. */
struct desk {
    float *q;                   /* block x depth */
    float *o;                   /* block x width, not yet divided by sum */
    float *p;                   /* ROWS x KEYS: scores, then what exp makes of them */
    float *top;                 /* block: largest score so far, in log2 */
    float *sum;                 /* block x LANES: of exp, in parts */
};

struct forward {
    const struct sp_tensors *t;
    bool  pairs;
    int   group, threads;       /* query heads of a KV head */
    long  rows, panels;         /* query rows in whole strips, keys in whole panels */
    long  depth, width;         /* of q and k, in words; of v and o, in columns */
    long  block, blocks;        /* rows a block; blocks a head */
    float *k;                   /* batch x kv heads x panels x depth x TILE */
    float *v;                   /* batch x kv heads: panels of columns, key words deep */
    int   *qplace, *kplace;     /* of every row */
    struct sp_reach *strip, *panel;     /* of every ROWS queries, of every TILE keys */
    struct desk *desk;          /* threads */
};

static long ceil_div(long a, long b) { return (a + b - 1) / b; }

/* Blocks of nearly equal size, and enough of them to keep the threads busy. */
static void cut_blocks(struct forward *f)
{
    const long rows = f->t->q.rows, heads = (long)f->t->q.batch * f->t->q.heads;
    const long wanted = ceil_div(4 * f->threads, heads ? heads : 1);
    long blocks = ceil_div(rows, BLOCK);
    if (blocks < wanted && f->threads > 1)
        blocks = wanted;
    f->block = ceil_div(ceil_div(rows, blocks ? blocks : 1), ROWS) * ROWS;
    f->blocks = f->block ? ceil_div(rows, f->block) : 0;
}

static void measure(struct forward *f, const struct sp_tensors *t)
{
    const double products = (double)t->q.rows * t->k.rows * t->q.dim * t->q.heads;
    *f = (struct forward){
        .t = t,
        .pairs = PAIRS && t->q.dtype == SP_BF16,
        .group = t->q.heads / t->k.heads,
        .threads = products * t->q.batch < SMALL ? 1 : omp_get_max_threads(),
        .rows = ceil_div(t->q.rows, ROWS) * ROWS,
        .panels = ceil_div(t->k.rows, TILE),
        .width = sp_width(t->q.dim),
    };
    f->depth = sp_depth(t->q.dim, f->pairs);
    cut_blocks(f);
}

static long v_depth(const struct forward *f)
{
    return f->panels * (f->pairs ? TILE / 2 : TILE);
}

static void lay_out(struct forward *f, struct sp_scratch *s)
{
    const long heads = (long)f->t->k.batch * f->t->k.heads;
    f->k = sp_scratch_take(s, heads * f->panels * f->depth * TILE, sizeof(float));
    f->v = sp_scratch_take(s, heads * v_depth(f) * f->width, sizeof(float));
    f->qplace = sp_scratch_take(s, f->rows, sizeof(int));
    f->kplace = sp_scratch_take(s, f->panels * TILE, sizeof(int));
    f->strip = sp_scratch_take(s, f->rows / ROWS, sizeof *f->strip);
    f->panel = sp_scratch_take(s, f->panels, sizeof *f->panel);
    f->desk = sp_scratch_take(s, f->threads, sizeof *f->desk);
    for (int i = 0; i < f->threads; i++) {
        const struct desk d = {
            .q = sp_scratch_take(s, f->block * f->depth, sizeof(float)),
            .o = sp_scratch_take(s, f->block * f->width, sizeof(float)),
            .p = sp_scratch_take(s, ROWS * KEYS, sizeof(float)),
            .top = sp_scratch_take(s, f->block, sizeof(float)),
            .sum = sp_scratch_take(s, f->block * LANES, sizeof(float)),
        };
        if (f->desk)
            f->desk[i] = d;
    }
}

size_t sp_forward_scratch(const struct sp_tensors *t)
{
    struct forward f;
    struct sp_scratch s = { 0 };
    measure(&f, t);
    lay_out(&f, &s);
    return s.used;
}

static const float *head_k(const struct forward *f, int b, int kv)
{
    return f->k + ((long)b * f->t->k.heads + kv) * f->panels * f->depth * TILE;
}

static const float *head_v(const struct forward *f, int b, int kv)
{
    return f->v + ((long)b * f->t->k.heads + kv) * v_depth(f) * f->width;
}

/* Panel number `item` of all the heads' keys and values. */
static void pack_keys(const struct forward *f, long item)
{
    const long panel = item % f->panels, head = item / f->panels;
    const int b = (int)(head / f->t->k.heads), kv = (int)(head % f->t->k.heads);
    struct sp_slice s = {
        .view = &f->t->k,
        .b = b,
        .h = kv,
        .from = panel * TILE,
        .rows = TILE,
        .pairs = f->pairs,
    };
    sp_pack_columns((float *)head_k(f, b, kv) + panel * f->depth * TILE, s);
    s.view = &f->t->v;
    sp_pack_panels((float *)head_v(f, b, kv), s, v_depth(f));
}

/* p = 2^(scale p - top), which is left as bf16 pairs where the product wants pairs: they
 * are written behind what is read. Returns the sum, in any LANES parts. */
static vec exp_row(float *p, int n, float scale, float top, bool pairs)
{
    const vec by = vec_splat(scale), less = vec_splat(-top);
    vec sum0 = vec_splat(0), sum1 = sum0;
    for (int j = 0; j < n; j += 2 * LANES) {
        const vec p0 = vec_exp2(vec_fma(vec_load(p + j), by, less));
        const vec p1 = vec_exp2(vec_fma(vec_load(p + j + LANES), by, less));
        sum0 += p0;
        sum1 += p1;
        if (PAIRS && pairs) {
            vec_store(p + j / 2, vec_pairs(p0, p1));
        } else {
            vec_store(p + j, p0);
            vec_store(p + j + LANES, p1);
        }
    }
    return sum0 + sum1;
}

/* Takes the scores of a strip's n keys, and of hidden ones that fill the last vectors,
 * into its running softmax. keep[i] is what o so far is to be multiplied with. A row that
 * has seen nothing yet has top = -inf. */
static void softmax(const struct forward *f, const struct desk *d, int row, int n,
                    const float *most, float *keep)
{
    const float scale = f->t->scale * (float)M_LOG2E;
    float base[ROWS];
    for (int i = 0; i < ROWS; i++) {
        float *top = d->top + row + i;
        const float here = scale * vec_top(vec_load(most + i * LANES));
        const float now = here > *top ? here : *top;
        base[i] = now == -INFINITY ? 0 : now;
        keep[i] = vec_exp2(vec_splat(*top - base[i]))[0];
        *top = now;
    }
    for (int i = 0; i < ROWS; i++) {
        float *sum = d->sum + (row + i) * LANES;
        const vec here = exp_row(d->p + i * KEYS, n, scale, base[i], f->pairs);
        vec_store(sum, vec_fma(vec_splat(keep[i]), vec_load(sum), here));
    }
}

/* o = keep o + p v, over `keys` keys from a panel on. */
static void add_values(const struct forward *f, const struct desk *d, const float *v,
                       int row, long panel, int keys, const float *keep)
{
    const long deep = f->pairs ? TILE / 2 : TILE;
    for (long left = 0; left < f->width; left += TILE) {
        const long wide = f->width - left < TILE ? f->width - left : TILE;
        const struct sp_tile t = {
            .a = d->p,
            .row = KEYS,
            .step = 1,
            .b = v + left * v_depth(f) + panel * deep * wide,
            .depth = f->pairs ? (keys + 1) / 2 : keys,
            .c = d->o + row * f->width + left,
            .pitch = f->width,
        };
        sp_tile_add(f->pairs, (int)(wide / LANES), &t, keep);
    }
}

/* How many of the keys of `count` panels a strip goes through until the last it sees. */
static int keys_seen(const struct forward *f, long strip, long first, int count)
{
    const int *kplace = f->kplace + first * TILE;
    int keys = count * TILE;
    while (keys > 1 && kplace[keys - 1] > f->strip[strip].high)
        keys--;
    return keys;
}

/* One strip, `row` of the block on, and the panels [first, first + count) of keys. */
static void visit(const struct forward *f, const struct desk *d, const float *k,
                  const float *v, long strip, int row, long first, int count)
{
    float most[ROWS * LANES], keep[ROWS];
    for (int i = 0; i < ROWS; i++)
        vec_store(most + i * LANES, vec_splat(-INFINITY));

    for (int j = 0; j < count; j++) {
        const struct sp_tile t = {
            .a = d->q + row * f->depth,
            .row = f->depth,
            .step = 1,
            .b = k + (first + j) * f->depth * TILE,
            .depth = f->depth,
            .c = d->p + j * TILE,
            .pitch = KEYS,
        };
        const bool all = sp_mask_sight(f->strip[strip], f->panel[first + j]) == SP_SEEN;
        sp_tile_score(f->pairs, &t, f->qplace + strip * ROWS,
                      all ? NULL : f->kplace + (first + j) * TILE, most);
    }

    const int keys = keys_seen(f, strip, first, count);
    softmax(f, d, row, keys, most, keep);
    add_values(f, d, v, row, first, keys, keep);
}

/* The panels from `first` on, before `end`, that a strip sees without a gap. Moves first
 * to where they start. */
static int run_of_panels(const struct forward *f, long strip, long *first, long end)
{
    const struct sp_reach q = f->strip[strip];
    while (*first < end && sp_mask_sight(q, f->panel[*first]) == SP_HIDDEN)
        ++*first;
    long past = *first;
    while (past < end && sp_mask_sight(q, f->panel[past]) != SP_HIDDEN)
        past++;
    return (int)(past - *first);
}

static void begin(const struct forward *f, const struct desk *d, struct sp_slice s)
{
    sp_pack_rows(d->q, s);
    for (long i = 0; i < s.rows * f->width; i += LANES)
        vec_store(d->o + i, vec_splat(0));
    for (int i = 0; i < s.rows; i++) {
        d->top[i] = -INFINITY;
        vec_store(d->sum + i * LANES, vec_splat(0));
    }
}

static void finish(const struct forward *f, const struct desk *d, struct sp_slice s)
{
    const struct sp_view *o = &f->t->o, *lse = &f->t->lse;
    for (int i = 0; i < s.rows && s.from + i < o->rows; i++) {
        const float sum = vec_sum(vec_load(d->sum + i * LANES));
        const long at = sp_row_at(o, s.from + i, s.b, s.h);
        const vec by = vec_splat(sum == 0 ? 0 : 1 / sum);
        for (int c = 0; c < o->dim; c += LANES)
            vec_put(o, at + c, o->dim - c, by * vec_load(d->o + i * f->width + c));
        sp_view_set(lse, sp_row_at(lse, s.from + i, s.b, s.h),
                    sum == 0 ? -INFINITY : d->top[i] * M_LN2 + logf(sum));
    }
}

/* Block number `item` of all the heads' queries. The last blocks of a head come first:
 * under a causal mask they usually have most to do. */
static void attend(const struct forward *f, const struct desk *d, long item)
{
    const long head = item / f->blocks, block = f->blocks - 1 - item % f->blocks;
    const long from = block * f->block;
    const int b = (int)(head / f->t->q.heads), h = (int)(head % f->t->q.heads);
    const struct sp_slice s = {
        .view = &f->t->q,
        .b = b,
        .h = h,
        .from = from,
        .rows = (int)(f->rows - from < f->block ? f->rows - from : f->block),
        .pairs = f->pairs,
    };
    const float *k = head_k(f, b, h / f->group), *v = head_v(f, b, h / f->group);

    begin(f, d, s);
    for (long at = 0; at < f->panels; at += KEYS / TILE) {
        const long end = at + KEYS / TILE < f->panels ? at + KEYS / TILE : f->panels;
        for (int row = 0; row < s.rows; row += ROWS) {
            const long strip = (from + row) / ROWS;
            long first = at;
            for (int n; (n = run_of_panels(f, strip, &first, end)) > 0; first += n)
                visit(f, d, k, v, strip, row, first, n);
        }
    }
    finish(f, d, s);
}

void sp_forward(const struct sp_tensors *t, void *scratch)
{
    assert(t->scale > 0);       /* the largest score is looked for before scaling */
    struct forward f;
    struct sp_scratch s = { .base = scratch };
    measure(&f, t);
    lay_out(&f, &s);
    sp_mask_queries(f.qplace, t, f.rows);
    sp_mask_keys(f.kplace, t, f.panels * TILE);
    sp_mask_reach(f.strip, f.qplace, f.rows, ROWS);
    sp_mask_reach(f.panel, f.kplace, f.panels * TILE, TILE);

    const long packs = (long)t->k.batch * t->k.heads * f.panels;
    const long items = (long)t->q.batch * t->q.heads * f.blocks;
    #pragma omp parallel num_threads(f.threads)
    {
        #pragma omp for schedule(static)
        for (long i = 0; i < packs; i++)
            pack_keys(&f, i);
        #pragma omp for schedule(dynamic, 1)
        for (long i = 0; i < items; i++)
            attend(&f, &f.desk[omp_get_thread_num()], i);
    }
}
