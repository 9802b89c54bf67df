/* sim_run.c - the cases, rank by rank. */
/* SPDX-License-Identifier: MIT */
#include "tests/bench/sim_cases.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "util/memory.h"

const struct sp_case sp_cases[] = {
    { "ring_compbound", SP_CASE_RING, 1, 33554432, 1.0e-3, false, false },
    { "ring_commbound", SP_CASE_RING, 1, 33554432, 0.2e-3, false, false },
    { "ring_jitter", SP_CASE_RING, 1, 33554432, 0.6e-3, true, false },
    { "a2a_oneshot_nb", SP_CASE_ONESHOT, 1, 67108864, 0, false, false },
    { "a2a_oneshot_2to1", SP_CASE_ONESHOT, 2, 67108864, 0, false, false },
    { "a2a_vary20_2to1", SP_CASE_ONESHOT, 2, 67108864, 0, false, true },
    { "pair_xor_nb", SP_CASE_XOR, 1, 67108864, 0, false, false },
    { "pair_xor_2to1", SP_CASE_XOR, 2, 67108864, 0, false, false },
    { "shift_nb", SP_CASE_SHIFT, 1, 67108864, 0, false, false },
    { NULL, 0, 0, 0, 0, false, false }
};

double sp_case_compute(const struct sp_case *c, int rank)
{
    return c->compute * (c->jitter ? 1 + 0.3 * ((long)rank * 7919 % 97) / 96 : 1);
}

double sp_case_bytes(const struct sp_case *c, int ranks, int from, int to)
{
    if (c->pattern == SP_CASE_RING)
        return floor(c->bytes);
    if (!c->vary)
        return floor(c->bytes / ranks);
    uint32_t x = (uint32_t)from * 2654435761u ^ ((uint32_t)to * 40503u + 0x9e3779b9u);
    x ^= x >> 15;
    x *= 2246822519u;
    x ^= x >> 13;
    return floor(c->bytes / ranks * (0.8 + 0.4 * (x % 1000) / 999));
}

/* ---- the fabric -------------------------------------------------------------------- */

const double sp_case_latency[SP_CASE_TIERS] = { 1e-6, 5e-6, 5e-6 };

int sp_case_link_of(enum sp_case_link kind, int at, int ranks, int leaves)
{
    return kind < SP_CASE_LEAFUP ? (int)kind * ranks + at
                                 : 4 * ranks + ((int)kind - SP_CASE_LEAFUP) * leaves + at;
}

double *sp_case_rates(const struct sp_case *c, int ranks, int leaves)
{
    double *rate = sp_alloc((size_t)(4 * ranks + 2 * leaves) * sizeof *rate);
    for (int i = 0; i < 4 * ranks; i++)
        rate[i] = i < SP_CASE_NICUP * ranks ? 450e9 : 50e9;
    for (int i = 0; i < 2 * leaves; i++)
        rate[4 * ranks + i] = SP_CASE_LEAF * 50e9 / c->oversub;
    return rate;
}

enum sp_case_tier sp_case_tier_of(int from, int to)
{
    return from / SP_CASE_NODE == to / SP_CASE_NODE   ? SP_CASE_SAME_NODE
           : from / SP_CASE_LEAF == to / SP_CASE_LEAF ? SP_CASE_SAME_LEAF
                                                      : SP_CASE_OTHER_LEAF;
}

static int leaves_of(int ranks) { return (ranks + SP_CASE_LEAF - 1) / SP_CASE_LEAF; }

static int path_new(struct sp_net *net, int ranks, int from, int to)
{
    static const enum sp_case_link links[SP_CASE_TIERS][4] = {
        [SP_CASE_SAME_NODE] = { SP_CASE_NVUP, SP_CASE_NVDOWN },
        [SP_CASE_SAME_LEAF] = { SP_CASE_NICUP, SP_CASE_NICDOWN },
        [SP_CASE_OTHER_LEAF] = { SP_CASE_NICUP, SP_CASE_LEAFUP, SP_CASE_LEAFDOWN,
                                 SP_CASE_NICDOWN },
    };
    const enum sp_case_tier tier = sp_case_tier_of(from, to);
    const int n = tier == SP_CASE_OTHER_LEAF ? 4 : 2;
    struct sp_hop hop[4];
    for (int i = 0; i < n; i++) {
        const int rank = 2 * i < n ? from : to;
        const enum sp_case_link kind = links[tier][i];
        const int at = kind < SP_CASE_LEAFUP ? rank : rank / SP_CASE_LEAF;
        hop[i].link = sp_case_link_of(kind, at, ranks, leaves_of(ranks));
        hop[i].share = 1;
    }
    return sp_net_path(net, hop, n);
}

/* ---- ring -------------------------------------------------------------------------- */

struct progress { int step, open; };    /* of send, receive, computation: not done */

/* The flow from `from` goes when both ends are in its step. */
static void meet(struct sp_net *net, const struct sp_case_ring *r,
                 const struct progress *at, int from)
{
    if (at[from].step == at[r->next[from]].step)
        sp_net_start(net, r->n + from, r->path[from], r->latency[from], r->bytes,
                     INFINITY);
}

static void enter(struct sp_net *net, const struct sp_case_ring *r, struct progress *at,
                  int i)
{
    at[i].open = 3;
    sp_net_start(net, i, -1, 0, r->compute[i], 1);
    if (at[i].step == r->steps)
        return;
    meet(net, r, at, i);
    if (r->previous[i] != i)
        meet(net, r, at, r->previous[i]);
}

/* Ids: computations, then flows. */
double sp_case_ring(struct sp_net *net, const struct sp_case_ring *r)
{
    struct progress *at = sp_alloc((size_t)r->n * sizeof *at);
    for (int i = 0; i < r->n; i++)
        at[i].step = -1;
    for (int i = 0; i < r->n; i++) {
        at[i].step = 0;
        enter(net, r, at, i);
    }
    for (int id; (id = sp_net_wait(net)) >= 0;) {
        const int i = id < r->n ? id : id - r->n;
        const int ends[2] = { i, r->next[i] };
        for (int e = 0; e < (id < r->n ? 1 : 2); e++) {
            struct progress *p = &at[ends[e]];
            if (--p->open || p->step == r->steps)
                continue;
            p->step++;
            enter(net, r, at, ends[e]);
        }
    }
    free(at);
    return sp_net_now(net);
}

static double run_ring(const struct sp_case *c, int ranks, struct sp_net *net)
{
    const size_t n = (size_t)ranks;
    int *next = sp_alloc(3 * n * sizeof *next);
    int *previous = next + n, *path = previous + n;
    double *latency = sp_alloc(2 * n * sizeof *latency), *compute = latency + n;
    for (int i = 0; i < ranks; i++) {
        next[i] = (i + 1) % ranks;
        previous[i] = (i + ranks - 1) % ranks;
        path[i] = path_new(net, ranks, i, next[i]);
        latency[i] = sp_case_latency[sp_case_tier_of(i, next[i])];
        compute[i] = sp_case_compute(c, i);
    }
    const struct sp_case_ring ring = { ranks, ranks - 1, next, previous, path, latency,
                                       compute, sp_case_bytes(c, ranks, 0, 1) };
    const double seconds = sp_case_ring(net, &ring);
    free(next);
    free(latency);
    return seconds;
}

/* ---- all to all -------------------------------------------------------------------- */

static int peer_of(const struct sp_case *c, int ranks, int rank, int step)
{
    return c->pattern == SP_CASE_XOR ? rank ^ step : (rank + step) % ranks;
}

/* Flows of a rank have ids that follow each other; each has a path of its own. */
static void start(const struct sp_case *c, int ranks, struct sp_net *net, int id)
{
    const int from = id / (ranks - 1), to = peer_of(c, ranks, from, id % (ranks - 1) + 1);
    sp_net_start(net, id, id, sp_case_latency[sp_case_tier_of(from, to)],
                 sp_case_bytes(c, ranks, from, to), INFINITY);
}

static double run_all(const struct sp_case *c, int ranks, struct sp_net *net)
{
    const int each = ranks - 1, flows = ranks * each;
    const bool chain = c->pattern != SP_CASE_ONESHOT;
    for (int id = 0; id < flows; id++)
        path_new(net, ranks, id / each, peer_of(c, ranks, id / each, id % each + 1));
    for (int id = 0; id < flows; id += chain ? each : 1)
        start(c, ranks, net, id);
    for (int id; (id = sp_net_wait(net)) >= 0;)
        if (chain && (id + 1) % each)
            start(c, ranks, net, id + 1);
    return sp_net_now(net);
}

double sp_case_run(const struct sp_case *c, int ranks, double eps)
{
    const int leaves = leaves_of(ranks);
    double *rate = sp_case_rates(c, ranks, leaves);
    struct sp_net *net = sp_net_new(rate, 4 * ranks + 2 * leaves, eps);
    free(rate);
    const double seconds = c->pattern == SP_CASE_RING ? run_ring(c, ranks, net)
                                                      : run_all(c, ranks, net);
    sp_net_free(net);
    return seconds;
}
