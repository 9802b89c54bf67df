/* allgather.c - every rank gathers all keys and values, some KV heads at a time (Llama 3's
 * context parallelism; TransformerEngine's all_gather; ring-flash-attention's llama3).
 *
 * Forward gathers the next heads while attention works on these. Backward gathers again, and
 * sends each rank the gradients of its keys, which it sums: a reduce-scatter in the dtype of
 * the model, summed in fp32.                                                             */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "strategy/parts.h"
#include "util/memory.h"

enum { STRIDE, BUFFERS };

static const struct sp_knob knobs[] = {
    [STRIDE]  = { "stride", "KV heads gathered at a time; chosen if not given: all", SP_AUTO, 1,
                  65536, NULL },
    [BUFFERS] = { "buffers", "gathers that can be held at a time", 2, 1, 1024, NULL },
    { NULL }
};

/* What a rank holds of all keys, some heads of them: rows are in the order of the ranks. */
struct all { struct sp_block k, v, dk, dv; };

struct state {
    struct sp_plan *p;
    struct sp_site *site;               /* ranks */
    struct all *all;                    /* ranks x buffers */
    struct sp_block *got;               /* ranks x buffers; dK dV of own keys from the others */
    int ranks, rows, stride, buffers, turns;
};

static struct all *turn(const struct state *t, int rank, int i)
{
    return &t->all[rank * t->buffers + i % t->buffers];
}

static struct sp_block of_rank(const struct state *t, struct sp_block all, int rank)
{
    return sp_rows(all, rank * t->rows, t->rows);
}

static struct sp_block keys(struct state *t, int rank, const char *name, enum sp_kind kind,
                            enum sp_dtype dtype, int shares)
{
    return sp_new(t->p, rank, (struct sp_buf){ .name = name, .kind = { kind }, .dtype = dtype,
        .rows = t->rows * shares, .heads = t->stride });
}

static struct sp_block key_heads(const struct state *t, struct sp_block b, int i)
{
    return sp_heads(b, i * t->stride, t->stride);
}

static struct sp_block query_heads(const struct state *t, struct sp_block b, int i)
{
    int group = t->p->pb.heads / t->p->pb.kv_heads;
    return sp_heads(b, i * t->stride * group, t->stride * group);
}

/* A rank's own heads of turn i as one message: packed, unless they are all there are. */
static struct sp_block message(struct state *t, struct sp_block b, int i)
{
    if (t->turns == 1)
        return b;
    struct sp_block part = key_heads(t, b, i);
    struct sp_block packed = sp_like(t->p, part, "packed", t->p->buf[b.buf].dtype);
    sp_copy(t->p, SP_COMPUTE, packed, part);
    return packed;
}

static void gather(struct state *t, int i)
{
    struct sp_block *k = sp_alloc((size_t)t->ranks * sizeof *k),
                    *v = sp_alloc((size_t)t->ranks * sizeof *v);
    for (int r = 0; r < t->ranks; r++) {
        k[r] = message(t, t->site[r].k, i);
        v[r] = message(t, t->site[r].v, i);
        sp_copy(t->p, SP_COMPUTE, of_rank(t, turn(t, r, i)->k, r), k[r]);
        sp_copy(t->p, SP_COMPUTE, of_rank(t, turn(t, r, i)->v, r), v[r]);
    }
    sp_group(t->p);
    for (int r = 0; r < t->ranks; r++)
        for (int d = 1; d < t->ranks; d++) {
            int to = (r + d) % t->ranks;
            sp_move(t->p, SP_COMM, of_rank(t, turn(t, to, i)->k, r), k[r]);
            sp_move(t->p, SP_COMM, of_rank(t, turn(t, to, i)->v, r), v[r]);
        }
    free(k);
    free(v);
}

/* Turn i + ahead is gathered before turn i is used, as far as there are buffers. */
static void gather_ahead(struct state *t, int i)
{
    int ahead = t->buffers - 1;
    for (int j = i ? i + ahead : 0; j <= i + ahead && j < t->turns; j++)
        gather(t, j);
}

static void forward(struct state *t)
{
    for (int i = 0; i < t->turns; i++) {
        gather_ahead(t, i);
        for (int r = 0; r < t->ranks; r++) {
            const struct sp_site *s = &t->site[r];
            sp_attn(t->p, query_heads(t, s->o, i), query_heads(t, s->lse, i),
                    query_heads(t, s->q, i), turn(t, r, i)->k, turn(t, r, i)->v);
        }
    }
}

/* ---- backward ----------------------------------------------------------------------- */

static void gradients(struct state *t, int i)
{
    for (int r = 0; r < t->ranks; r++) {
        const struct sp_site *s = &t->site[r];
        const struct all *a = turn(t, r, i);
        sp_grad(t->p, (struct sp_grad_blocks){
            .dq = query_heads(t, s->dq, i), .dk = a->dk, .dv = a->dv,
            .q = query_heads(t, s->q, i), .k = a->k, .v = a->v,
            .dout = query_heads(t, s->dout, i), .lse = query_heads(t, s->lse, i),
            .delta = query_heads(t, s->delta, i) });
    }
}

/* Planes dK and dV of what others computed for rank's keys; rows in the order of the ranks. */
static struct sp_block received(const struct state *t, int rank, int i, int plane)
{
    return t->got[(rank * t->buffers + i % t->buffers) * 2 + plane];
}

static void scatter(struct state *t, int i)
{
    sp_group(t->p);
    for (int r = 0; r < t->ranks; r++)
        for (int d = 1; d < t->ranks; d++) {
            int to = (r + d) % t->ranks;
            const struct all *a = turn(t, r, i);
            sp_move(t->p, SP_COMM, of_rank(t, received(t, to, i, 0), r), of_rank(t, a->dk, to));
            sp_move(t->p, SP_COMM, of_rank(t, received(t, to, i, 1), r), of_rank(t, a->dv, to));
        }
}

static void sum(struct state *t, int rank, struct sp_block to, struct sp_block own,
                struct sp_block others)
{
    struct sp_block wide = sp_wide(t->p, to, "sum");
    sp_copy(t->p, SP_COMPUTE, wide, own);
    for (int d = 1; d < t->ranks; d++)
        sp_add(t->p, wide, of_rank(t, others, (rank + t->ranks - d) % t->ranks));
    sp_narrow(t->p, to, wide);
}

static void reduce(struct state *t, int i)
{
    for (int r = 0; r < t->ranks; r++) {
        const struct all *a = turn(t, r, i);
        sum(t, r, key_heads(t, t->site[r].dk, i), of_rank(t, a->dk, r), received(t, r, i, 0));
        sum(t, r, key_heads(t, t->site[r].dv, i), of_rank(t, a->dv, r), received(t, r, i, 1));
    }
}

/* The sums of a turn are written after the gradients of the next, under which they travel;
 * with a single buffer, before the next overwrites them. */
static void backward(struct state *t)
{
    for (int r = 0; r < t->ranks; r++)
        sp_delta(t->p, t->site[r].delta, t->site[r].o, t->site[r].dout);
    for (int i = 0; i < t->turns; i++) {
        gather_ahead(t, i);
        gradients(t, i);
        if (t->buffers > 1 && i > 0)
            reduce(t, i - 1);
        scatter(t, i);
        if (t->buffers == 1)
            reduce(t, i);
    }
    if (t->buffers > 1)
        reduce(t, t->turns - 1);
}

/* ---- the strategy ----------------------------------------------------------------------- */

static void buffers(struct state *t)
{
    enum sp_dtype dtype = t->p->pb.dtype;
    for (int r = 0; r < t->ranks; r++) {
        sp_site_stats(t->p, &t->site[r]);
        for (int i = 0; i < t->buffers; i++) {
            struct all *a = turn(t, r, i);
            a->k = keys(t, r, "all k", SP_K, dtype, t->ranks);
            a->v = keys(t, r, "all v", SP_V, dtype, t->ranks);
            if (!t->p->pb.backward)
                continue;
            a->dk = keys(t, r, "all dk", SP_DK, dtype, t->ranks);
            a->dv = keys(t, r, "all dv", SP_DV, dtype, t->ranks);
            for (int plane = 0; plane < 2 && t->ranks > 1; plane++)
                t->got[(r * t->buffers + i) * 2 + plane] =
                    keys(t, r, plane ? "dv in" : "dk in", plane ? SP_DV : SP_DK, dtype, t->ranks);
        }
    }
}

static void plan(struct sp_plan *p)
{
    int turns = p->pb.kv_heads / p->pb.knob[STRIDE], most = p->pb.knob[BUFFERS];
    struct state t = {
        .p = p, .ranks = p->pb.ranks, .rows = (int)(p->pb.seq / p->pb.ranks),
        .stride = p->pb.knob[STRIDE], .turns = turns, .buffers = most < turns ? most : turns,
        .site = sp_sites_by_rank(p),
    };
    t.all = sp_alloc((size_t)(t.ranks * t.buffers) * sizeof *t.all);
    t.got = sp_alloc((size_t)(t.ranks * t.buffers) * 2 * sizeof *t.got);
    buffers(&t);
    forward(&t);
    if (p->pb.backward) {
        sp_backward(p);
        backward(&t);
    }
    free(t.site);
    free(t.all);
    free(t.got);
}

static void choose(struct sp_problem *pb)
{
    if (pb->layout == SP_LAYOUT_AUTO)
        pb->layout = sp_shard_balanced(pb);
    if (pb->knob[STRIDE] == SP_AUTO)
        pb->knob[STRIDE] = pb->kv_heads;
}

static const char *refuse(const struct sp_problem *pb)
{
    static char why[160];
    int stride = pb->knob[STRIDE], below = stride, above = stride;
    if (pb->kv_heads % stride == 0)
        return sp_shard_refuse(pb, pb->ranks, 1);
    while (below > pb->kv_heads || pb->kv_heads % below)
        below--;
    while (above < pb->kv_heads && pb->kv_heads % above)
        above++;
    int n = snprintf(why, sizeof why, "allgather.stride %d must divide kv-heads %d; nearest: %d",
                     stride, pb->kv_heads, below);
    if (above > below && above <= pb->kv_heads)
        snprintf(why + n, sizeof why - (size_t)n, ", %d", above);
    return why;
}

const struct sp_strategy sp_allgather = {
    .name = "allgather",
    .help = "every rank gathers all keys and values",
    .knobs = knobs,
    .choose = choose,
    .refuse = refuse,
    .plan = plan,
};
