/* parts.c - shards, sites and buffers that all strategies use. */
/* SPDX-License-Identifier: MIT */
#include "strategy/parts.h"

#include <stdio.h>
#include <string.h>

#include "util/memory.h"

const char *sp_shard_refuse(const struct sp_problem *pb, int n, int parts)
{
    static char why[160];
    bool halves = pb->layout == SP_ZIGZAG && parts % 2;
    long unit = (long)n * parts * (halves ? 2 : 1);
    if (pb->seq % unit == 0)
        return NULL;
    long below = pb->seq / unit * unit;
    char pieces[40] = "";
    if (parts > 1)
        snprintf(pieces, sizeof pieces, " cut in %d", parts);
    snprintf(why, sizeof why, "seq %ld must be a multiple of %ld for sp %d and layout %s%s; "
             "nearest: ", pb->seq, unit, pb->ranks, sp_layout_names[pb->layout], pieces);
    size_t at = strlen(why);
    if (below)
        at += (size_t)snprintf(why + at, sizeof why - at, "%ld, ", below);
    snprintf(why + at, sizeof why - at, "%ld", below + unit);
    return why;
}

enum sp_layout sp_shard_balanced(const struct sp_problem *pb)
{
    return pb->causal ? SP_ZIGZAG : SP_CONTIGUOUS;
}

struct sp_block sp_new(struct sp_plan *p, int rank, struct sp_buf shape)
{
    return sp_whole(p, sp_buf_new(p, rank, &shape));
}

struct sp_block sp_like(struct sp_plan *p, struct sp_block b, const char *name, enum sp_dtype t)
{
    struct sp_buf shape = { .name = name, .dtype = t, .planes = b.planes, .rows = b.rows,
                            .heads = b.heads };
    const struct sp_buf *like = &p->buf[b.buf];
    memcpy(shape.kind, like->kind + b.plane, (size_t)b.planes * sizeof *shape.kind);
    return sp_new(p, like->rank, shape);
}

struct sp_block sp_wide(struct sp_plan *p, struct sp_block b, const char *name)
{
    return p->buf[b.buf].dtype == SP_F32 ? b : sp_like(p, b, name, SP_F32);
}

void sp_narrow(struct sp_plan *p, struct sp_block to, struct sp_block wide)
{
    if (!sp_block_same(to, wide))
        sp_copy(p, SP_COMPUTE, to, wide);
}

static struct sp_block tensor(struct sp_plan *p, int rank, enum sp_kind kind, enum sp_role role,
                              long rows)
{
    bool keys = kind == SP_K || kind == SP_V || kind == SP_DK || kind == SP_DV;
    return sp_new(p, rank, (struct sp_buf){
        .name = sp_kind_names[kind], .kind = { kind }, .role = role, .dtype = p->pb.dtype,
        .rows = (int)rows, .heads = keys ? p->pb.kv_heads : p->pb.heads });
}

struct sp_site sp_site_home(struct sp_plan *p, int rank, struct sp_share share)
{
    sp_home(p, rank, share);
    struct sp_where at = sp_places_at(&p->places, p->home[rank]);
    long rows = sp_places_rows(&p->places, p->home[rank]);
    struct sp_site s = {
        .q = tensor(p, rank, SP_Q, SP_INPUT, rows),
        .k = tensor(p, rank, SP_K, SP_INPUT, rows),
        .v = tensor(p, rank, SP_V, SP_INPUT, rows),
        .o = tensor(p, rank, SP_O, SP_OUTPUT, rows),
    };
    sp_hold(p, s.q, at, 0);
    sp_hold(p, s.k, at, 0);
    sp_hold(p, s.v, at, 0);
    if (p->pb.backward) {
        s.dout = tensor(p, rank, SP_DO, SP_INPUT, rows);
        s.dq = tensor(p, rank, SP_DQ, SP_OUTPUT, rows);
        s.dk = tensor(p, rank, SP_DK, SP_OUTPUT, rows);
        s.dv = tensor(p, rank, SP_DV, SP_OUTPUT, rows);
        sp_hold(p, s.dout, at, 0);
    }
    return s;
}

struct sp_site *sp_sites_by_rank(struct sp_plan *p)
{
    int n = p->pb.ranks;
    struct sp_site *s = sp_alloc((size_t)n * sizeof *s);
    for (int r = 0; r < n; r++)
        s[r] = sp_site_home(p, r, (struct sp_share){ r, n, 0, 1 });
    return s;
}

void sp_site_stats(struct sp_plan *p, struct sp_site *s)
{
    int rank = p->buf[s->q.buf].rank;
    s->lse = sp_new(p, rank, (struct sp_buf){ .name = "lse", .kind = { SP_LSE },
        .role = SP_OUTPUT, .rows = s->q.rows, .heads = s->q.heads });
    if (p->pb.backward)
        s->delta = sp_new(p, rank, (struct sp_buf){ .name = "delta", .kind = { SP_DELTAS },
            .rows = s->q.rows, .heads = s->q.heads });
}

void sp_alone_forward(struct sp_plan *p, const struct sp_site *s)
{
    sp_attn(p, s->o, s->lse, s->q, s->k, s->v);
}

void sp_alone_backward(struct sp_plan *p, const struct sp_site *s)
{
    sp_delta(p, s->delta, s->o, s->dout);
    sp_grad(p, (struct sp_grad_blocks){ s->dq, s->dk, s->dv, s->q, s->k, s->v, s->dout, s->lse,
                                        s->delta });
}
