/* ring.c - ring attention: queries stay, keys and values travel.
 *
 * Liu, Zaharia, Abbeel: Ring Attention with Blockwise Transformers (2023); layouts: zigzag
 * (Zhu, ring-flash-attention), striped (Brandon et al., Striped Attention, 2023).
 *
 *     step 0      step 1      step 2      step 3          member i works on the keys of
 *     0 1 2 3     3 0 1 2     2 3 0 1     1 2 3 0         member i - t, then passes them on
 *
 * Backward, two ways of the field. "rev" (TransformerEngine): the ring turns the other way,
 * starting from the keys that forward ended with, and the gradients of a block of keys
 * travel one step behind it, in the dtype of the model: they end where the keys live.
 * "home" (ring-flash-attention): the same way again; dK, dV travel in fp32 and make one
 * hop more, home. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "strategy/parts.h"
#include "util/memory.h"

enum { K, V, DK, DV, KV = 2, ALL = 4 };         /* planes of a travelling block */

/* A block of keys on the way, or a piece of it: planes K V and, in backward, dK dV. One
 * buffer and so one message if fused, else a buffer each. */
struct load { struct sp_block plane[ALL]; };

/* Where the partial results of one member are summed. */
struct sums {
    struct sp_block o, part, part_lse;          /* forward */
    struct sp_block dq, dq_part, dkv_part;      /* backward; dkv has planes dK, dV */
};

struct sp_ring {
    struct sp_plan *p;
    struct sp_site *site;                       /* n, a copy */
    int n, rows;                                /* members; keys in a piece of a block */
    struct sp_ring_style style;
    struct sums *sum;                           /* n */
    struct load *own;                           /* n x chunks: what each member starts with */
    struct load *slot; int slots;               /* n x slots x chunks, that receive in turn */
    struct load *back; int backs;               /* n x backs x chunks, in backward */
};

static int next(const struct sp_ring *g, int i) { return (i + 1) % g->n; }

static int before(const struct sp_ring *g, int i) { return (i + g->n - 1) % g->n; }

static int rank_of(const struct sp_ring *g, int i) { return g->p->buf[g->site[i].q.buf].rank; }

/* ---- what travels ---------------------------------------------------------------- */

/* Buffers for planes [first, first+n) of a piece, on member i: one of that name, or several. */
static struct load load_new(struct sp_ring *g, int i, const char *name, int first, int n,
                            enum sp_dtype dtype)
{
    static const enum sp_kind kinds[ALL] = { SP_K, SP_V, SP_DK, SP_DV };
    static const char *const apart[ALL] = { "k in", "v in", "dk in", "dv in" };
    struct load l = { 0 };
    int planes = g->style.fused ? n : 1;
    for (int at = 0; at < n; at += planes) {
        struct sp_buf shape = { .name = planes > 1 ? name : apart[first + at], .dtype = dtype,
                                .planes = planes, .rows = g->rows, .heads = g->site[i].k.heads };
        for (int j = 0; j < planes; j++)
            shape.kind[j] = kinds[first + at + j];
        struct sp_block b = sp_new(g->p, rank_of(g, i), shape);
        for (int j = 0; j < planes; j++)
            l.plane[first + at + j] = sp_planes(b, j, 1);
    }
    return l;
}

/* Pieces x buffers for all members. */
static struct load *loads_new(struct sp_ring *g, const char *name, int buffers, int first, int n,
                              enum sp_dtype dtype)
{
    int each = buffers * g->style.chunks;
    struct load *l = sp_alloc((size_t)(g->n * each) * sizeof *l);
    for (int i = 0; i < g->n; i++)
        for (int j = 0; j < each; j++)
            l[i * each + j] = load_new(g, i, name, first, n, dtype);
    return l;
}

static void pass_on(struct sp_ring *g, enum sp_lane lane, const struct load *to,
                    const struct load *from, int first, int n)
{
    int planes = g->style.fused ? n : 1;
    for (int j = first; j < first + n; j += planes) {
        struct sp_block x = to->plane[j], y = from->plane[j];
        x.planes = y.planes = (signed char)planes;
        sp_move(g->p, lane, x, y);
    }
}

/* Piece c of the block that member i holds at step t of forward. */
static struct load *held(const struct sp_ring *g, int i, int t, int c)
{
    int at = t ? i * g->slots + (t - 1) % g->slots : i;
    return &(t ? g->slot : g->own)[at * g->style.chunks + c];
}

/* Of what it holds in turn t >= 1 of backward. */
static struct load *back(const struct sp_ring *g, int i, int t, int c)
{
    return &g->back[(i * g->backs + (t - 1) % g->backs) * g->style.chunks + c];
}

static int fewer(int a, int b) { return a < b ? a : b; }

/* A member's own keys, cut in pieces; fused messages need K next to V, so they are copied. */
static void start_with_own(struct sp_ring *g)
{
    if (g->style.fused)
        g->own = loads_new(g, "kv own", 1, K, KV, g->p->pb.dtype);
    else
        g->own = sp_alloc((size_t)(g->n * g->style.chunks) * sizeof *g->own);
    for (int i = 0; i < g->n; i++)
        for (int c = 0; c < g->style.chunks; c++) {
            struct load *l = held(g, i, 0, c);
            struct sp_block k = sp_rows(g->site[i].k, c * g->rows, g->rows),
                            v = sp_rows(g->site[i].v, c * g->rows, g->rows);
            if (g->style.fused) {
                sp_copy(g->p, SP_COMPUTE, l->plane[K], k);
                sp_copy(g->p, SP_COMPUTE, l->plane[V], v);
            } else {
                l->plane[K] = k;
                l->plane[V] = v;
            }
        }
}

/* ---- forward ----------------------------------------------------------------------- */

/* Attention of member i over a piece; merged into what came before. */
static void attend(struct sp_ring *g, int i, const struct load *kv, bool first)
{
    const struct sp_site *s = &g->site[i];
    const struct sums *m = &g->sum[i];
    if (first) {
        sp_attn(g->p, m->o, s->lse, s->q, kv->plane[K], kv->plane[V]);
    } else if (sp_block_sees(g->p, s->q, kv->plane[K])) {
        sp_attn(g->p, m->part, m->part_lse, s->q, kv->plane[K], kv->plane[V]);
        sp_merge(g->p, m->o, s->lse, m->part, m->part_lse);
    }
}

/* Everyone hands the keys of step t on, for step t + 1. */
static void pass_keys(struct sp_ring *g, int t)
{
    for (int c = 0; c < g->style.chunks && t + 1 < g->n; c++) {
        sp_group(g->p);
        for (int i = 0; i < g->n; i++)
            pass_on(g, g->style.kv_lane, held(g, next(g, i), t + 1, c), held(g, i, t, c), K, KV);
    }
}

static void forward_step(struct sp_ring *g, int t)
{
    pass_keys(g, t);
    for (int i = 0; i < g->n; i++)
        for (int c = 0; c < g->style.chunks; c++)
            attend(g, i, held(g, i, t, c), t == 0 && c == 0);
}

struct sp_ring *sp_ring_forward(struct sp_plan *p, const struct sp_site *s, int n,
                                struct sp_ring_style style)
{
    struct sp_ring *g = sp_alloc(sizeof *g);
    *g = (struct sp_ring){ .p = p, .n = n, .style = style };
    g->site = sp_alloc((size_t)n * sizeof *g->site);
    memcpy(g->site, s, (size_t)n * sizeof *g->site);
    if (n == 1) {
        sp_alone_forward(p, s);
        return g;
    }
    g->rows = s->k.rows / style.chunks;
    g->sum = sp_alloc((size_t)n * sizeof *g->sum);
    for (int i = 0; i < n; i++) {
        g->sum[i].o = sp_wide(p, s[i].o, "o sum");
        g->sum[i].part = sp_like(p, s[i].o, "o part", SP_F32);
        g->sum[i].part_lse = sp_like(p, s[i].lse, "lse part", SP_F32);
    }
    start_with_own(g);
    g->slots = fewer(style.buffers, n - 1);
    g->slot = loads_new(g, "kv in", g->slots, K, KV, p->pb.dtype);
    for (int t = 0; t < n; t++)
        forward_step(g, t);
    for (int i = 0; i < n; i++)
        sp_narrow(p, s[i].o, g->sum[i].o);
    return g;
}

/* ---- backward ------------------------------------------------------------------------ */

/* Gradients of member i's queries over a piece of keys. dQ stays and is summed; dK, dV go
 * into `grads`, on top of what arrived there, or first. */
static void gradients(struct sp_ring *g, int i, const struct load *kv, const struct load *grads,
                      bool first_dq, bool first_dkv)
{
    const struct sp_site *s = &g->site[i];
    const struct sums *m = &g->sum[i];
    if (!first_dq && !first_dkv && !sp_block_sees(g->p, s->q, kv->plane[K]))
        return;
    sp_grad(g->p, (struct sp_grad_blocks){
        .dq = first_dq ? m->dq : m->dq_part,
        .dk = first_dkv ? grads->plane[DK] : sp_planes(m->dkv_part, 0, 1),
        .dv = first_dkv ? grads->plane[DV] : sp_planes(m->dkv_part, 1, 1),
        .q = s->q, .k = kv->plane[K], .v = kv->plane[V],
        .dout = s->dout, .lse = s->lse, .delta = s->delta });
    if (!first_dq)
        sp_add(g->p, m->dq, m->dq_part);
    if (!first_dkv) {
        sp_add(g->p, grads->plane[DK], sp_planes(m->dkv_part, 0, 1));
        sp_add(g->p, grads->plane[DV], sp_planes(m->dkv_part, 1, 1));
    }
}

/* Member i works on the keys of member i + 1 + t, its own last. What it holds of them has
 * come into the planes K V of turn t, their gradients into dK dV of turn t + 1:
 *
 *     turn t      K V of i+1+t    dK dV of i+t, done here, on to i-1 in one message
 *     turn t+1    K V of i+2+t    dK dV of i+1+t, from i+1; step t is added             */
static struct load *reverse_held(const struct sp_ring *g, int i, int t, int c)
{
    return t ? back(g, i, t, c) : held(g, i, g->n - 1, c);
}

static void reverse_move(struct sp_ring *g, int t, int first, int n)
{
    for (int c = 0; c < g->style.chunks; c++) {
        sp_group(g->p);
        for (int i = 0; i < g->n; i++)
            pass_on(g, g->style.kv_lane, back(g, before(g, i), t + 1, c),
                    reverse_held(g, i, t, c), first, n);
    }
}

static void reverse_step(struct sp_ring *g, int t)
{
    bool keys = t < g->n - 1, grads = t > 0;
    if (keys && grads && g->style.fused) {
        reverse_move(g, t, K, ALL);
    } else {
        if (keys)
            reverse_move(g, t, K, KV);
        if (grads)
            reverse_move(g, t, DK, KV);
    }
    for (int i = 0; i < g->n; i++)
        for (int c = 0; c < g->style.chunks; c++)
            gradients(g, i, reverse_held(g, i, t, c), back(g, i, t + 1, c),
                      t == 0 && c == 0, t == 0);
}

/* Member i works on the keys of member i - t, its own first, as in forward; their gradients
 * follow each step, and once more to arrive at home. */
static void home_step(struct sp_ring *g, int t)
{
    pass_keys(g, t);
    for (int i = 0; i < g->n; i++)
        for (int c = 0; c < g->style.chunks; c++)
            gradients(g, i, held(g, i, t, c), back(g, i, t + 1, c),
                      t == 0 && c == 0, t == 0);
    for (int c = 0; c < g->style.chunks; c++) {
        sp_group(g->p);
        for (int i = 0; i < g->n; i++)
            pass_on(g, g->style.grad_lane, back(g, next(g, i), t + 2, c),
                    back(g, i, t + 1, c), DK, KV);
    }
}

static void backward_sums(struct sp_ring *g)
{
    struct sp_plan *p = g->p;
    for (int i = 0; i < g->n; i++) {
        const struct sp_site *s = &g->site[i];
        sp_delta(p, s->delta, s->o, s->dout);
        g->sum[i].dq = sp_wide(p, s->dq, "dq sum");
        g->sum[i].dq_part = sp_like(p, s->dq, "dq part", SP_F32);
        g->sum[i].dkv_part = sp_new(p, rank_of(g, i), (struct sp_buf){
            .name = "dkv part", .kind = { SP_DK, SP_DV }, .planes = 2, .rows = g->rows,
            .heads = s->k.heads });
    }
}

void sp_ring_backward(struct sp_ring *g)
{
    if (g->n == 1) {
        sp_alone_backward(g->p, g->site);
        return;
    }
    bool home = g->style.back == SP_RING_HOME;
    backward_sums(g);
    g->backs = fewer(g->style.buffers, g->n);
    g->back = home ? loads_new(g, "dkv home", g->backs, DK, KV, SP_F32)
                   : loads_new(g, "kv dkv in", g->backs, K, ALL, g->p->pb.dtype);
    for (int t = 0; t < g->n; t++)
        (home ? home_step : reverse_step)(g, t);
    for (int i = 0; i < g->n; i++) {
        const struct sp_site *s = &g->site[i];
        sp_narrow(g->p, s->dq, g->sum[i].dq);
        for (int c = 0; c < g->style.chunks; c++) {
            struct load *l = back(g, i, home ? g->n + 1 : g->n, c);
            sp_copy(g->p, SP_COMPUTE, sp_rows(s->dk, c * g->rows, g->rows), l->plane[DK]);
            sp_copy(g->p, SP_COMPUTE, sp_rows(s->dv, c * g->rows, g->rows), l->plane[DV]);
        }
    }
}

void sp_ring_free(struct sp_ring *g)
{
    free(g->site);
    free(g->sum);
    free(g->own);
    free(g->slot);
    free(g->back);
    free(g);
}

/* ---- the strategy ----------------------------------------------------------------------- */

const char *const sp_ring_ways[] = { "rev", "home", NULL };

static const struct sp_knob knobs[] = {
    [SP_RING_BWD]     = { "bwd", "backward: reversed ring in wire precision, or homing fp32 dK dV",
                          SP_RING_REVERSE, 0, 1, sp_ring_ways },
    [SP_RING_FUSED]   = { "fused", "K and V in one message (1) or two (0)", 1, 0, 1, NULL },
    [SP_RING_BUFFERS] = { "buffers", "KV blocks that can be received ahead", 2, 2, 1024, NULL },
    [SP_RING_CHUNKS]  = { "chunks", "pieces of a KV block, each sent and used by itself", 1,
                          1, 4096, NULL },
    { NULL }
};

struct sp_ring_style sp_ring_style_of(const int *knob, enum sp_lane kv, enum sp_lane grad)
{
    return (struct sp_ring_style){
        .back = knob[SP_RING_BWD] ? SP_RING_HOME : SP_RING_REVERSE,
        .fused = knob[SP_RING_FUSED],
        .buffers = knob[SP_RING_BUFFERS],
        .chunks = knob[SP_RING_CHUNKS],
        .kv_lane = kv,
        .grad_lane = grad,
    };
}

static void choose(struct sp_problem *pb)
{
    if (pb->layout == SP_LAYOUT_AUTO)
        pb->layout = sp_shard_balanced(pb);
}

static const char *refuse(const struct sp_problem *pb)
{
    return sp_shard_refuse(pb, pb->ranks, pb->knob[SP_RING_CHUNKS]);
}

static void plan(struct sp_plan *p)
{
    struct sp_site *s = sp_sites_by_rank(p);
    struct sp_ring_style style = sp_ring_style_of(p->pb.knob, SP_COMM, SP_COMM2);
    for (int r = 0; r < p->pb.ranks; r++)
        sp_site_stats(p, &s[r]);
    struct sp_ring *g = sp_ring_forward(p, s, p->pb.ranks, style);
    if (p->pb.backward) {
        sp_backward(p);
        sp_ring_backward(g);
    }
    sp_ring_free(g);
    free(s);
}

const struct sp_strategy sp_ring = {
    .name = "ring",
    .help = "keys and values travel round a ring",
    .knobs = knobs,
    .choose = choose,
    .refuse = refuse,
    .plan = plan,
};
