/* hybrid.c - all-to-all within groups of pu ranks, a ring across the groups (USP: Fang and
 * Zhao, 2024; LoongTrain: Gu et al., 2024).
 *
 *              ring shard r (pr of them)           a2a member u of a shard holds the u-th
 *            +------+------+------+------+         part of the shard's tokens
 *     u = 0  |  0   |  2   |  4   |  6   |
 *     u = 1  |  1   |  3   |  5   |  7   |         place=a2a: rank = r pu + u (drawn)
 *            +------+------+------+------+         place=ring: rank = u pr + r
 *      a2a: down a column     ring: along a row                                          */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "strategy/parts.h"
#include "util/memory.h"

enum { PU, PLACE, RING, CHUNKS = RING + SP_RING_CHUNKS };

static const char *const places[] = { "a2a", "ring", NULL };

static const struct sp_knob knobs[] = {
    [PU]    = { "pu", "ranks of an all-to-all; chosen if not given: the most below sp", SP_AUTO,
                1, 65536, NULL },
    [PLACE] = { "place", "which of the two has consecutive ranks", 0, 0, 1, places },
    [RING + SP_RING_BWD]     = { "bwd", "the ring's backward, as of ring", SP_RING_REVERSE,
                                 0, 1, sp_ring_ways },
    [RING + SP_RING_FUSED]   = { "fused", "K and V in one message of the ring (1) or two (0)", 1,
                                 0, 1, NULL },
    [RING + SP_RING_BUFFERS] = { "buffers", "KV blocks that can be received ahead", 2,
                                 2, 1024, NULL },
    [RING + SP_RING_CHUNKS]  = { "chunks", "pieces of a KV block of the ring", 1, 1, 4096, NULL },
    { NULL }
};

struct state {
    struct sp_plan *p;
    int pu, pr;
    struct sp_site *home, *site;        /* pr x pu, before and after the all-to-all */
    int *q_first, *kv_first;            /* pu */
    struct sp_ring **ring;              /* pu */
};

static int rank_at(const struct state *t, int r, int u)
{
    return t->p->pb.knob[PLACE] == 0 ? r * t->pu + u : u * t->pr + r;
}

/* Shard r of pr, cut in pu parts; part u. */
static struct sp_site home_of(struct state *t, int r, int u)
{
    return sp_site_home(t->p, rank_at(t, r, u), (struct sp_share){ r, t->pr, u, t->pu });
}

static void site_of(struct state *t, int i)
{
    const struct sp_site *home = &t->home[i];
    struct sp_site *s = &t->site[i];
    int rank = t->p->buf[home->q.buf].rank, heads = t->p->pb.heads / t->pu,
        kv_heads = sp_head_share(t->p->pb.kv_heads, t->pu);
    s->q = sp_all_tokens(t->p, rank, home->q, t->pu, heads);
    s->k = sp_all_tokens(t->p, rank, home->k, t->pu, kv_heads);
    s->v = sp_all_tokens(t->p, rank, home->v, t->pu, kv_heads);
    s->o = sp_all_tokens(t->p, rank, home->o, t->pu, heads);
    sp_site_stats(t->p, s);
    if (!t->p->pb.backward)
        return;
    s->dout = sp_all_tokens(t->p, rank, home->dout, t->pu, heads);
    s->dq = sp_all_tokens(t->p, rank, home->dq, t->pu, heads);
    s->dk = sp_all_tokens(t->p, rank, home->dk, t->pu, kv_heads);
    s->dv = sp_all_tokens(t->p, rank, home->dv, t->pu, kv_heads);
}

enum way { TO_HEADS, TO_ROWS };

/* The all-to-all of one tensor, in every shard. */
static void exchange(struct state *t, enum way way, size_t member, const int *first)
{
    struct sp_block *x = sp_alloc((size_t)t->pu * sizeof *x), *y = sp_alloc((size_t)t->pu * sizeof *y);
    for (int r = 0; r < t->pr; r++) {
        for (int u = 0; u < t->pu; u++) {
            int i = r * t->pu + u;
            x[u] = *(const struct sp_block *)((const char *)&t->home[i] + member);
            y[u] = *(const struct sp_block *)((const char *)&t->site[i] + member);
        }
        if (way == TO_HEADS) {
            sp_to_heads(t->p, t->pu, x, y, first);
        } else {
            struct sp_return back = sp_to_rows(t->p, t->pu, x, y, first);
            sp_to_rows_end(t->p, &back);
        }
    }
    free(x);
    free(y);
}

static void forward(struct state *t)
{
    struct sp_ring_style style = sp_ring_style_of(t->p->pb.knob + RING, SP_COMM2, SP_COMM2);
    exchange(t, TO_HEADS, offsetof(struct sp_site, q), t->q_first);
    exchange(t, TO_HEADS, offsetof(struct sp_site, k), t->kv_first);
    exchange(t, TO_HEADS, offsetof(struct sp_site, v), t->kv_first);
    struct sp_site *row = sp_alloc((size_t)t->pr * sizeof *row);
    for (int u = 0; u < t->pu; u++) {
        for (int r = 0; r < t->pr; r++)
            row[r] = t->site[r * t->pu + u];
        t->ring[u] = sp_ring_forward(t->p, row, t->pr, style);
    }
    free(row);
    exchange(t, TO_ROWS, offsetof(struct sp_site, o), t->q_first);
}

static void backward(struct state *t)
{
    sp_backward(t->p);
    exchange(t, TO_HEADS, offsetof(struct sp_site, dout), t->q_first);
    for (int u = 0; u < t->pu; u++)
        sp_ring_backward(t->ring[u]);
    exchange(t, TO_ROWS, offsetof(struct sp_site, dq), t->q_first);
    exchange(t, TO_ROWS, offsetof(struct sp_site, dk), t->kv_first);
    exchange(t, TO_ROWS, offsetof(struct sp_site, dv), t->kv_first);
}

static void plan(struct sp_plan *p)
{
    size_t ranks = (size_t)p->pb.ranks;
    struct state t = { .p = p, .pu = p->pb.knob[PU], .pr = p->pb.ranks / p->pb.knob[PU] };
    t.home = sp_alloc(ranks * sizeof *t.home);
    t.site = sp_alloc(ranks * sizeof *t.site);
    t.q_first = sp_alloc((size_t)t.pu * sizeof *t.q_first);
    t.kv_first = sp_alloc((size_t)t.pu * sizeof *t.kv_first);
    t.ring = sp_alloc((size_t)t.pu * sizeof *t.ring);
    sp_head_shares(p->pb.heads, t.pu, t.q_first);
    sp_head_shares(p->pb.kv_heads, t.pu, t.kv_first);
    for (int i = 0; i < p->pb.ranks; i++) {
        t.home[i] = home_of(&t, i / t.pu, i % t.pu);
        site_of(&t, i);
    }
    forward(&t);
    if (p->pb.backward)
        backward(&t);
    for (int u = 0; u < t.pu; u++)
        sp_ring_free(t.ring[u]);
    free(t.home);
    free(t.site);
    free(t.q_first);
    free(t.kv_first);
    free(t.ring);
}

/* ---- the strategy --------------------------------------------------------------------- */

static void choose(struct sp_problem *pb)
{
    if (pb->layout == SP_LAYOUT_AUTO)
        pb->layout = sp_shard_balanced(pb);
    if (pb->knob[PU] != SP_AUTO)
        return;
    pb->knob[PU] = 1;
    for (int pu = 2; pu <= pb->ranks; pu++)
        if (pb->ranks % pu == 0 && !sp_heads_refuse(pb, "", pu)
            && (pu < pb->ranks || pb->knob[PU] == 1))
            pb->knob[PU] = pu;
}

static bool pu_fits(const struct sp_problem *pb, int pu)
{
    return pb->ranks % pu == 0 && !sp_heads_refuse(pb, "", pu);
}

/* The least number that both divide. */
static int common_multiple(int a, int b)
{
    int x = a, y = b;
    while (y) {
        int rest = x % y;
        x = y;
        y = rest;
    }
    return a / x * b;
}

static const char *refuse(const struct sp_problem *pb)
{
    static char why[200];
    int pu = pb->knob[PU], below = pu, above = pu;
    if (pu_fits(pb, pu))    /* a shard is cut in pu parts on entry, and in chunks on the ring */
        return sp_shard_refuse(pb, pb->ranks / pu, common_multiple(pu, pb->knob[CHUNKS]));
    while (!pu_fits(pb, below))
        below--;
    while (above <= pb->ranks && !pu_fits(pb, above))
        above++;
    int n = snprintf(why, sizeof why, "hybrid.pu %d must divide sp %d and heads %d, and divide "
                     "kv-heads %d or be a multiple of it; nearest: %d", pu, pb->ranks, pb->heads,
                     pb->kv_heads, below);
    if (above <= pb->ranks)
        snprintf(why + n, sizeof why - (size_t)n, ", %d", above);
    return why;
}

const struct sp_strategy sp_hybrid = {
    .name = "hybrid",
    .help = "all-to-all in groups of pu ranks, a ring across them",
    .knobs = knobs,
    .choose = choose,
    .refuse = refuse,
    .plan = plan,
};
