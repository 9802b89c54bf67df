/* ulysses.c - DeepSpeed-Ulysses (Jacobs et al., 2023): an all-to-all gives each rank all
 * tokens of its share of the heads; another brings the results back.
 *
 *     tokens x heads       rank 0 1 2 3              rank 0  ####
 *     rank 0 1 2 3     a2a |  | | | |   attention         1  ####     a2a
 *       rows of heads  --> |  | | | |   of whole   -->    2  ####     -->  as it was
 *                          heads, all tokens              3  ####
 *
 * A KV head that several ranks' queries need goes to each of them; their dK, dV are summed.
 * With chunks > 1 the all-to-all of one group of heads runs under the attention of another:
 *
 *     COMM      in 0 | in 1   | out 0 in 2   | ...
 *     COMPUTE        | attn 0 | attn 1       | ...                                      */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "strategy/parts.h"
#include "util/memory.h"

enum { CHUNKS };

static const struct sp_knob knobs[] = {
    [CHUNKS] = { "chunks", "groups of heads, each with its own all-to-all", 1, 1, 1024, NULL },
    { NULL }
};

/* One group of heads: what each rank computes, and which heads these are. */
struct part {
    struct sp_site *site;               /* ranks; rows are all tokens */
    int *q_first, *kv_first;            /* ranks; the first head of each */
    int q_heads, kv_heads;              /* of each rank */
    bool first, last;                   /* of the parts that share their KV heads */
    struct sp_block *dkv_sum, *dkv_part;/* planes dK dV, fp32; only if parts share */
};

struct state {
    struct sp_plan *p;
    struct sp_site *home;
    struct part *part;
    int n, ranks, sharing;              /* parts; ranks; parts that share KV heads */
};

/* Member `at` of every site's struct, as an array. The caller frees it. */
static struct sp_block *every(const struct sp_site *s, int n, size_t at)
{
    struct sp_block *b = sp_alloc((size_t)n * sizeof *b);
    for (int i = 0; i < n; i++)
        b[i] = *(const struct sp_block *)((const char *)&s[i] + at);
    return b;
}

static void give_heads(struct state *t, struct part *a, size_t member, const int *first)
{
    struct sp_block *x = every(t->home, t->ranks, member), *y = every(a->site, t->ranks, member);
    sp_to_heads(t->p, t->ranks, x, y, first);
    free(x);
    free(y);
}

/* ---- forward: q k v come, o goes ---------------------------------------------------- */

static void part_site(struct state *t, struct part *a, int r)
{
    struct sp_site *s = &a->site[r];
    const struct sp_site *home = &t->home[r];
    s->q = sp_all_tokens(t->p, r, home->q, t->ranks, a->q_heads);
    s->o = sp_all_tokens(t->p, r, home->o, t->ranks, a->q_heads);
    if (a->first) {
        s->k = sp_all_tokens(t->p, r, home->k, t->ranks, a->kv_heads);
        s->v = sp_all_tokens(t->p, r, home->v, t->ranks, a->kv_heads);
    } else {
        s->k = a[-1].site[r].k;
        s->v = a[-1].site[r].v;
    }
    sp_site_stats(t->p, s);
}

static void forward_in(struct state *t, struct part *a)
{
    for (int r = 0; r < t->ranks; r++)
        part_site(t, a, r);
    give_heads(t, a, offsetof(struct sp_site, q), a->q_first);
    if (a->first) {
        give_heads(t, a, offsetof(struct sp_site, k), a->kv_first);
        give_heads(t, a, offsetof(struct sp_site, v), a->kv_first);
    }
}

/* Blocks that are on their way home, until they are put where they belong. */
struct way_home { struct sp_return r; struct sp_block *x, *y; };

static struct way_home give_back(struct state *t, struct part *a, size_t member, const int *first)
{
    struct way_home w = { .x = every(t->home, t->ranks, member),
                          .y = every(a->site, t->ranks, member) };
    w.r = sp_to_rows(t->p, t->ranks, w.x, w.y, first);
    return w;
}

static void arrive(struct state *t, struct way_home *w)
{
    if (!w->x)
        return;
    sp_to_rows_end(t->p, &w->r);
    free(w->x);
    free(w->y);
    *w = (struct way_home){ .x = NULL };
}

static void forward(struct state *t)
{
    struct way_home late = { .x = NULL };
    forward_in(t, &t->part[0]);
    for (int i = 0; i < t->n; i++) {
        if (i + 1 < t->n)
            forward_in(t, &t->part[i + 1]);
        for (int r = 0; r < t->ranks; r++)
            sp_alone_forward(t->p, &t->part[i].site[r]);
        arrive(t, &late);
        late = give_back(t, &t->part[i], offsetof(struct sp_site, o), t->part[i].q_first);
    }
    arrive(t, &late);
}

/* ---- backward: do comes, dq dk dv go -------------------------------------------------- */

static void backward_in(struct state *t, struct part *a)
{
    for (int r = 0; r < t->ranks; r++) {
        struct sp_site *s = &a->site[r];
        s->dout = sp_all_tokens(t->p, r, t->home[r].dout, t->ranks, a->q_heads);
        s->dq = sp_all_tokens(t->p, r, t->home[r].dq, t->ranks, a->q_heads);
        if (a->first) {
            s->dk = sp_all_tokens(t->p, r, t->home[r].dk, t->ranks, a->kv_heads);
            s->dv = sp_all_tokens(t->p, r, t->home[r].dv, t->ranks, a->kv_heads);
        } else {
            s->dk = a[-1].site[r].dk;
            s->dv = a[-1].site[r].dv;
        }
    }
    give_heads(t, a, offsetof(struct sp_site, dout), a->q_first);
}

static void shared_buffers(struct state *t, struct part *a, int r)
{
    const struct sp_site *s = &a->site[r];
    struct sp_buf shape = { .name = "dkv sum", .kind = { SP_DK, SP_DV }, .planes = 2,
                            .rows = s->k.rows, .heads = s->k.heads };
    a->dkv_sum[r] = a->first ? sp_new(t->p, r, shape) : a[-1].dkv_sum[r];
    shape.name = "dkv part";
    if (!a->first)
        a->dkv_part[r] = a[-1].first ? sp_new(t->p, r, shape) : a[-1].dkv_part[r];
}

/* Parts that share KV heads add their dK, dV in fp32 before those are sent. */
static void shared_backward(struct state *t, struct part *a, int r)
{
    shared_buffers(t, a, r);
    const struct sp_site *s = &a->site[r];
    struct sp_block to = a->first ? a->dkv_sum[r] : a->dkv_part[r];
    struct sp_site here = *s;
    here.dk = sp_planes(to, 0, 1);
    here.dv = sp_planes(to, 1, 1);
    sp_alone_backward(t->p, &here);
    if (!a->first)
        sp_add(t->p, a->dkv_sum[r], a->dkv_part[r]);
    if (a->last) {
        sp_copy(t->p, SP_COMPUTE, s->dk, sp_planes(a->dkv_sum[r], 0, 1));
        sp_copy(t->p, SP_COMPUTE, s->dv, sp_planes(a->dkv_sum[r], 1, 1));
    }
}

static void backward(struct state *t)
{
    struct way_home late[3] = { { .x = NULL } };
    backward_in(t, &t->part[0]);
    for (int i = 0; i < t->n; i++) {
        struct part *a = &t->part[i];
        if (i + 1 < t->n)
            backward_in(t, &t->part[i + 1]);
        for (int r = 0; r < t->ranks; r++) {
            if (t->sharing > 1)
                shared_backward(t, a, r);
            else
                sp_alone_backward(t->p, &a->site[r]);
        }
        for (int j = 0; j < 3; j++)
            arrive(t, &late[j]);
        late[0] = give_back(t, a, offsetof(struct sp_site, dq), a->q_first);
        if (a->last) {
            late[1] = give_back(t, a, offsetof(struct sp_site, dk), a->kv_first);
            late[2] = give_back(t, a, offsetof(struct sp_site, dv), a->kv_first);
        }
    }
    for (int j = 0; j < 3; j++)
        arrive(t, &late[j]);
}

/* ---- the strategy ------------------------------------------------------------------------ */

/* The n parts: rank u's query heads are cut in n, its KV heads in as many as there are. */
static void cut_in_parts(struct state *t)
{
    const struct sp_problem *pb = &t->p->pb;
    int share = sp_head_share(pb->kv_heads, t->ranks), kv_parts = share < t->n ? share : t->n;
    size_t ranks = (size_t)t->ranks;
    t->sharing = t->n / kv_parts;
    t->part = sp_alloc((size_t)t->n * sizeof *t->part);
    for (int i = 0; i < t->n; i++) {
        struct part *a = &t->part[i];
        a->site = sp_alloc(ranks * sizeof *a->site);
        a->q_first = sp_alloc(ranks * sizeof *a->q_first);
        a->kv_first = sp_alloc(ranks * sizeof *a->kv_first);
        a->dkv_sum = sp_alloc(ranks * sizeof *a->dkv_sum);
        a->dkv_part = sp_alloc(ranks * sizeof *a->dkv_part);
        a->q_heads = pb->heads / t->ranks / t->n;
        a->kv_heads = share / kv_parts;
        a->first = i % t->sharing == 0;
        a->last = (i + 1) % t->sharing == 0;
        sp_head_shares(pb->heads, t->ranks, a->q_first);
        sp_head_shares(pb->kv_heads, t->ranks, a->kv_first);
        for (int r = 0; r < t->ranks; r++) {
            a->q_first[r] += i * a->q_heads;
            a->kv_first[r] += i / t->sharing * a->kv_heads;
        }
    }
}

static void part_free(struct part *a)
{
    free(a->site);
    free(a->q_first);
    free(a->kv_first);
    free(a->dkv_sum);
    free(a->dkv_part);
}

static void plan(struct sp_plan *p)
{
    struct state t = { .p = p, .home = sp_sites_by_rank(p), .n = p->pb.knob[CHUNKS],
                       .ranks = p->pb.ranks };
    cut_in_parts(&t);
    forward(&t);
    if (p->pb.backward) {
        sp_backward(p);
        backward(&t);
    }
    for (int i = 0; i < t.n; i++)
        part_free(&t.part[i]);
    free(t.part);
    free(t.home);
}

static void choose(struct sp_problem *pb)
{
    if (pb->layout == SP_LAYOUT_AUTO)
        pb->layout = SP_CONTIGUOUS;
}

static bool chunks_fit(const struct sp_problem *pb, int chunks)
{
    int share = sp_head_share(pb->kv_heads, pb->ranks);
    return pb->heads / pb->ranks % chunks == 0 && (share % chunks == 0 || chunks % share == 0);
}

static const char *refuse(const struct sp_problem *pb)
{
    static char why[200];
    const char *no = sp_heads_refuse(pb, "sp", pb->ranks);
    if (no || (no = sp_shard_refuse(pb, pb->ranks, 1)))
        return no;
    int chunks = pb->knob[CHUNKS], below = chunks, above = chunks, each = pb->heads / pb->ranks;
    if (chunks_fit(pb, chunks))
        return NULL;
    while (!chunks_fit(pb, below))
        below = below > each ? each : below - 1;
    while (above < each && !chunks_fit(pb, above))
        above++;
    int n = snprintf(why, sizeof why, "ulysses.chunks %d must cut the %d query heads and %d KV "
                     "heads of a rank evenly; nearest: %d", chunks, each,
                     sp_head_share(pb->kv_heads, pb->ranks), below);
    if (above > chunks && above <= each)
        snprintf(why + n, sizeof why - (size_t)n, ", %d", above);
    return why;
}

const struct sp_strategy sp_ulysses = {
    .name = "ulysses",
    .help = "all-to-all from tokens to heads and back",
    .knobs = knobs,
    .choose = choose,
    .refuse = refuse,
    .plan = plan,
};
