/* sim_collapse.c - one rank for all that are alike.
 *
 * Ranks get colours: at first of what each computes, then again and again of the colours
 * of those that it sends to and receives from and of who shares its leaf's links, until
 * no colour falls apart. Then all ranks of a colour, and all links of a colour, see the
 * same at every moment (an equitable partition); one of each is simulated. A flow of a
 * class takes as many shares of a link as flows like it cross one link of that colour. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/sim_cases.h"
#include "util/memory.h"
#include "util/why.h"

struct classes {
    const struct sp_case *c;
    int ranks, leaves;
    uint64_t *colour, *leaf_colour;
    int *of, *leaf_of;          /* class of each rank, of each leaf */
    int *first, *leaf_first;    /* the class's first member, which stands for all */
    int *size;                  /* by class of ranks */
    int n, nleaf;
};

static uint64_t mix(uint64_t x, uint64_t y)
{
    x = (x ^ (y + 0x9e3779b97f4a7c15 + (x << 6))) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

/* Leaf links that take all that their NICs bring bind nothing: one leaf is as all. */
static bool leaves_bind(const struct sp_case *c) { return c->oversub > 1; }

static enum sp_case_tier tier_of(const struct sp_case *c, int from, int to)
{
    const enum sp_case_tier tier = sp_case_tier_of(from, to);
    return tier == SP_CASE_OTHER_LEAF && !leaves_bind(c) ? SP_CASE_SAME_LEAF : tier;
}

/* ---- colours ----------------------------------------------------------------------- */

/* Numbers from 0 for colours, in the order in which they are met. */
static int number(const uint64_t *colour, int n, int *of, int *first)
{
    int room = 16, classes = 0;
    while (room < 2 * n)
        room *= 2;
    int *at = sp_alloc((size_t)room * sizeof *at);      /* class + 1, by hash */
    for (int i = 0; i < n; i++) {
        unsigned slot = (unsigned)colour[i] & (unsigned)(room - 1);
        while (at[slot] && colour[first[at[slot] - 1]] != colour[i])
            slot = (slot + 1) & (unsigned)(room - 1);
        if (!at[slot]) {
            first[classes] = i;
            at[slot] = ++classes;
        }
        of[i] = at[slot] - 1;
    }
    free(at);
    return classes;
}

static void colour_leaves(struct classes *k)
{
    memset(k->leaf_colour, 0, (size_t)k->leaves * sizeof *k->leaf_colour);
    for (int r = 0; r < k->ranks && leaves_bind(k->c); r++)
        k->leaf_colour[r / SP_CASE_LEAF] += mix(k->colour[r], 1);
}

/* What a rank of a ring sees: both neighbours, how far they are, and the leaf's links. */
static void colour_ring(const struct classes *k, uint64_t *next)
{
    for (int r = 0; r < k->ranks; r++) {
        const int to = r + 1 < k->ranks ? r + 1 : 0, from = r ? r - 1 : k->ranks - 1;
        uint64_t x = mix(k->colour[r], k->leaf_colour[r / SP_CASE_LEAF]);
        x = mix(mix(x, k->colour[to]), tier_of(k->c, r, to));
        next[r] = mix(mix(x, k->colour[from]), tier_of(k->c, from, r));
    }
}

/* All to all: who shares its node and its leaf. */
static void colour_all(const struct classes *k, uint64_t *next)
{
    uint64_t node = 0;
    for (int r = 0; r < k->ranks; r++) {
        if (r % SP_CASE_NODE == 0) {
            node = 0;
            for (int i = r; i < k->ranks && i < r + SP_CASE_NODE; i++)
                node += mix(k->colour[i], 2);
        }
        next[r] = mix(mix(k->colour[r], node), k->leaf_colour[r / SP_CASE_LEAF]);
    }
}

static void refine(struct classes *k)
{
    const bool ring = k->c->pattern == SP_CASE_RING;
    uint64_t *next = sp_alloc((size_t)k->ranks * sizeof *next);
    for (int r = 0; r < k->ranks; r++) {
        const double compute = sp_case_compute(k->c, r);
        memcpy(&k->colour[r], &compute, sizeof compute);
    }
    for (int before = -1; k->n != before;) {
        before = k->n;
        colour_leaves(k);
        (ring ? colour_ring : colour_all)(k, next);
        memcpy(k->colour, next, (size_t)k->ranks * sizeof *next);
        k->n = number(k->colour, k->ranks, k->of, k->first);
    }
    colour_leaves(k);
    k->nleaf = number(k->leaf_colour, k->leaves, k->leaf_of, k->leaf_first);
    for (int r = 0; r < k->ranks; r++)
        k->size[k->of[r]]++;
    free(next);
}

static struct classes classes_new(const struct sp_case *c, int ranks)
{
    const size_t n = (size_t)ranks;
    struct classes k = { .c = c, .ranks = ranks };
    k.leaves = (ranks + SP_CASE_LEAF - 1) / SP_CASE_LEAF;
    k.colour = sp_alloc(2 * n * sizeof *k.colour);
    k.leaf_colour = k.colour + n;
    k.of = sp_alloc(5 * n * sizeof *k.of);
    k.first = k.of + n;
    k.size = k.first + n;
    k.leaf_of = k.size + n;
    k.leaf_first = k.leaf_of + n;
    refine(&k);
    return k;
}

/* ---- one of each ------------------------------------------------------------------- */

/* How many ranks of a class from here to there, not counting `but`. */
static int count(const struct classes *k, int begin, int end, int class, int but)
{
    int n = 0;
    for (int r = begin; r < end && r < k->ranks; r++)
        n += k->of[r] == class && r != but;
    return n;
}

static int in_leaf(const struct classes *k, int rank, int class)
{
    const int begin = rank / SP_CASE_LEAF * SP_CASE_LEAF;
    return count(k, begin, begin + SP_CASE_LEAF, class, -1);
}

/* Of a class, how many a rank has at that distance. */
static int peers(const struct classes *k, int rank, enum sp_case_tier tier, int class)
{
    const int begin = rank / SP_CASE_NODE * SP_CASE_NODE, end = begin + SP_CASE_NODE;
    if (tier == SP_CASE_SAME_NODE)
        return count(k, begin, end, class, rank);
    const int leaf = leaves_bind(k->c) ? in_leaf(k, rank, class) : k->size[class];
    return tier == SP_CASE_SAME_LEAF ? leaf - count(k, begin, end, class, -1)
                                     : k->size[class] - leaf;
}

/* From a rank to one of class `to` at that distance, standing for `out` flows like it of
 * the rank and for `in` of those that reach the other. */
static int path_new(const struct classes *k, struct sp_net *net, int rank,
                    enum sp_case_tier tier, int other, int out, int in)
{
    const int from = k->of[rank], to = k->of[other];
    const enum sp_case_link up = tier == SP_CASE_SAME_NODE ? SP_CASE_NVUP : SP_CASE_NICUP;
    struct sp_hop hop[4];
    int n = 0;
    hop[n++] = (struct sp_hop){ sp_case_link_of(up, from, k->n, k->nleaf), (float)out };
    if (tier == SP_CASE_OTHER_LEAF) {
        const int leaf = k->leaf_of[rank / SP_CASE_LEAF];
        const int reached = k->leaf_of[other / SP_CASE_LEAF];
        hop[n].link = sp_case_link_of(SP_CASE_LEAFUP, leaf, k->n, k->nleaf);
        hop[n++].share = (float)(out * in_leaf(k, rank, from));
        hop[n].link = sp_case_link_of(SP_CASE_LEAFDOWN, reached, k->n, k->nleaf);
        hop[n++].share = (float)(in * in_leaf(k, other, to));
    }
    hop[n++] = (struct sp_hop){ sp_case_link_of(up + 1, to, k->n, k->nleaf), (float)in };
    return sp_net_path(net, hop, n);
}

static double run_ring(const struct classes *k, struct sp_net *net)
{
    const size_t n = (size_t)k->n;
    int *next = sp_alloc(3 * n * sizeof *next);
    int *previous = next + n, *path = previous + n;
    double *latency = sp_alloc(2 * n * sizeof *latency), *compute = latency + n;
    for (int i = 0; i < k->n; i++) {
        const int rank = k->first[i], to = (rank + 1) % k->ranks;
        const enum sp_case_tier tier = tier_of(k->c, rank, to);
        next[i] = k->of[to];
        previous[i] = k->of[(rank + k->ranks - 1) % k->ranks];
        path[i] = path_new(k, net, rank, tier, to, 1, 1);
        latency[i] = sp_case_latency[tier];
        compute[i] = sp_case_compute(k->c, rank);
    }
    const struct sp_case_ring ring = { k->n, k->ranks - 1, next, previous, path, latency,
                                       compute, sp_case_bytes(k->c, k->ranks, 0, 1) };
    const double seconds = sp_case_ring(net, &ring);
    free(next);
    free(latency);
    return seconds;
}

/* Ids are those of the paths. */
static double run_all(const struct classes *k, struct sp_net *net)
{
    int *tiers = NULL, n = 0;
    for (int i = 0; i < k->n; i++)
        for (int j = 0; j < k->n; j++)
            for (enum sp_case_tier tier = 0; tier < SP_CASE_TIERS; tier++) {
                const int out = peers(k, k->first[i], tier, j);
                if (!out)
                    continue;
                tiers = sp_grow(tiers, n, sizeof *tiers);
                tiers[n++] = (int)tier;
                path_new(k, net, k->first[i], tier, k->first[j], out,
                         peers(k, k->first[j], tier, i));
            }
    for (int p = 0; p < n; p++)
        sp_net_start(net, p, p, sp_case_latency[tiers[p]],
                     sp_case_bytes(k->c, k->ranks, 0, 1), INFINITY);
    free(tiers);
    while (sp_net_wait(net) >= 0)
        ;
    return sp_net_now(net);
}

const char *sp_case_collapsed(const struct sp_case *c, int ranks, double eps,
                              double *seconds)
{
    if (c->vary)
        return sp_why("%s has no two ranks that are alike: each pair has its own bytes",
                      c->name);
    if (c->pattern != SP_CASE_RING && c->pattern != SP_CASE_ONESHOT)
        return sp_why("%s can't be collapsed: peers change from step to step", c->name);
    struct classes k = classes_new(c, ranks);
    const char *why = NULL;
    if (k.n == ranks)
        why = sp_why("%s has no two ranks of %d that are alike", c->name, ranks);
    else {
        double *rate = sp_case_rates(c, k.n, k.nleaf);
        struct sp_net *net = sp_net_new(rate, 4 * k.n + 2 * k.nleaf, eps);
        free(rate);
        *seconds = c->pattern == SP_CASE_RING ? run_ring(&k, net) : run_all(&k, net);
        sp_net_free(net);
    }
    free(k.colour);
    free(k.of);
    return why;
}
