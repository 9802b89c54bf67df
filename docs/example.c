/* example.c - a whole strategy, for docs/ADDING.md: keys are gathered by everyone at once, and
 * their gradients come back to be summed. tests/test_example.c proves it right. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "strategy/parts.h"

enum { MAX_RANKS = 64 };

static const struct sp_knob knobs[] = { { NULL } };

static void choose(struct sp_problem *pb)
{
    if (pb->layout == SP_LAYOUT_AUTO)
        pb->layout = sp_shard_balanced(pb);
}

static const char *refuse(const struct sp_problem *pb)
{
    if (pb->ranks > MAX_RANKS)
        return "sp must be at most 64 for example";
    return sp_shard_refuse(pb, pb->ranks, 1);
}

/* A block for the keys (or their gradients) of all ranks, in the order of the ranks. */
static struct sp_block of_all(struct sp_plan *p, int rank, enum sp_kind kind, int rows)
{
    return sp_new(p, rank, (struct sp_buf){ .name = "all", .kind = { kind },
        .dtype = p->pb.dtype, .rows = rows * p->pb.ranks, .heads = p->pb.kv_heads });
}

/* Everyone has mine[r]; everyone gets all of them. */
static void gather(struct sp_plan *p, const struct sp_block *mine, const struct sp_block *all)
{
    int rows = mine[0].rows;
    sp_group(p);
    for (int r = 0; r < p->pb.ranks; r++)
        for (int to = 0; to < p->pb.ranks; to++)
            sp_move(p, SP_COMM, sp_rows(all[to], r * rows, rows), mine[r]);
}

/* Everyone has parts of all sums; everyone gets the parts of its own, and sums them. */
static void scatter(struct sp_plan *p, const struct sp_block *all, const struct sp_block *mine)
{
    int rows = mine[0].rows, n = p->pb.ranks;
    for (int r = 0; r < n; r++) {
        struct sp_block sum = sp_wide(p, mine[r], "sum");
        sp_copy(p, SP_COMPUTE, sum, sp_rows(all[r], r * rows, rows));
        for (int d = 1; d < n; d++) {
            struct sp_block in = sp_like(p, mine[r], "in", p->pb.dtype);
            sp_group(p);
            sp_move(p, SP_COMM, in, sp_rows(all[(r + d) % n], r * rows, rows));
            sp_add(p, sum, in);
        }
        sp_narrow(p, mine[r], sum);
    }
}

static void plan(struct sp_plan *p)
{
    struct sp_site *s = sp_sites_by_rank(p);    /* q k v o ... of each rank, at home */
    struct sp_block k[MAX_RANKS], v[MAX_RANKS], all_k[MAX_RANKS], all_v[MAX_RANKS];
    for (int r = 0; r < p->pb.ranks; r++) {
        sp_site_stats(p, &s[r]);
        k[r] = s[r].k, v[r] = s[r].v;
        all_k[r] = of_all(p, r, SP_K, k[r].rows), all_v[r] = of_all(p, r, SP_V, k[r].rows);
    }
    gather(p, k, all_k);
    gather(p, v, all_v);
    for (int r = 0; r < p->pb.ranks; r++)
        sp_attn(p, s[r].o, s[r].lse, s[r].q, all_k[r], all_v[r]);
    if (p->pb.backward) {
        struct sp_block dk[MAX_RANKS], dv[MAX_RANKS], all_dk[MAX_RANKS], all_dv[MAX_RANKS];
        sp_backward(p);
        for (int r = 0; r < p->pb.ranks; r++) {
            dk[r] = s[r].dk, dv[r] = s[r].dv;
            all_dk[r] = of_all(p, r, SP_DK, dk[r].rows), all_dv[r] = of_all(p, r, SP_DV, dk[r].rows);
            sp_delta(p, s[r].delta, s[r].o, s[r].dout);
            sp_grad(p, (struct sp_grad_blocks){ s[r].dq, all_dk[r], all_dv[r], s[r].q, all_k[r],
                                                all_v[r], s[r].dout, s[r].lse, s[r].delta });
        }
        scatter(p, all_dk, dk);
        scatter(p, all_dv, dv);
    }
    free(s);
}

const struct sp_strategy sp_example = {
    .name = "example",
    .help = "everyone gathers everything",
    .knobs = knobs,
    .choose = choose,
    .refuse = refuse,
    .plan = plan,
};
