/* symmetry.c - all groups at once, one rank standing for all that are alike.
 *
 * Units are the ranks of all groups. Units, links and flows (messages from one unit to
 * another, over one way) are put in classes by colour refinement: at first a unit's
 * colour is what it does by itself (traffic.c) and its speed, a link's its rate; then,
 * again and again, a flow's is made of its messages and of the colours of its ends and
 * of the links on its way, a unit's of those of its flows, a link's of those of the
 * flows that cross it. What comes out is the coarsest equitable partition: if one unit
 * of a class sends 3 flows of some colour then all do; if flows of some colour take
 * twice of one link of a class then they do so of each (bundles.c counts, and trusts no
 * hash).
 *
 * That is enough for equal times. Suppose that until some moment like things have been
 * alike: like steps began and ended together, like flows have as many bytes left. Like
 * units then have the same items to start, since items wait for like steps. The rates
 * are the max-min fair ones, found by filling: all flows grow alike until a link is
 * full or a flow is at its cap. A link's load is the sum over colours of (what flows of
 * the colour take of it) x (their rate), which is the same sum for like links, so they
 * are full at the same point and stop flows of the same colours: like flows get like
 * rates. Hence the next thing that ends does so with all that are like it, and all has
 * been alike until then too.
 *
 * So it suffices to follow one unit of each class, and one flow of each colour, if that
 * flow takes of a link what all flows of its colour take together. Like messages that
 * leave or reach a unit are one message, unless the profile makes messages of a group
 * take turns; then NCCL's rounds, which are part of a flow's colour, tell them apart.
 *
 * Ranks of a causal ring are not alike if the layout is zigzag: all queries over half
 * of the keys don't take quite as long as half of the queries over all keys, and each
 * rank has so many of either. Groups are alike all the same. */
/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "sim/bundles.h"
#include "util/memory.h"

struct folding {
    const struct sp_scene *one; /* of one group: what steps cost */
    const struct sp_traffic *t;
    const struct sp_ways *x;
    const struct sp_classes *c;
    struct sp_scene *s;         /* what comes out */
    struct sp_plan *p;          /* its plan */
    int *end[2];                /* by message: its SEND, RECV in p; -1: not yet met */
    int *message;               /* by bundle: the first of its messages */
    int *at;                    /* by step of the group: what it has become for this unit */
    int next[SP_NPASSES];       /* the next step of p */
    int64_t *need; int nneeds;  /* of one unit: step, what it waits for */
    struct sp_intern ways;
};

/* ---- messages ---------------------------------------------------------------------- */

static int bundle_of(const struct folding *f, int unit, int step)
{
    return f->c->bundle_of[unit / f->x->at->ranks * f->t->npairs + f->t->pair_of[step]];
}

/* Its message and all that are like it. */
static int message_of(const struct folding *f, int unit, int step)
{
    return f->message[bundle_of(f, unit, step)] + sp_traffic_place(f->t, step);
}

/* A bundle has a message for each kind of its shape. A kind that comes twice takes twice as
 * much of the links. */
static int way_of(struct folding *f, const struct sp_bundle *b, int times)
{
    struct sp_scene *s = f->s;
    int list[2 + 2 * SP_MAX_HOPS] = { b->kind, times };
    for (int i = 0; i < b->nhops; i++)
        memcpy(list + 2 + 2 * i, &f->c->hop[b->hop + i], sizeof(struct sp_hop));
    int way = sp_intern(&f->ways, list, 2 + 2 * b->nhops);
    if (way < s->nways)
        return way;
    s->ways = sp_grow(s->ways, s->nways, sizeof *s->ways);
    struct sp_way *w = &s->ways[s->nways++];
    *w = f->x->kind[b->kind];
    w->hop = s->nhops;
    w->nhops = b->nhops;
    for (int i = 0; i < b->nhops; i++) {
        s->hop = sp_grow(s->hop, s->nhops, sizeof *s->hop);
        s->hop[s->nhops] = f->c->hop[b->hop + i];
        s->hop[s->nhops++].share *= (float)times;
    }
    return way;
}

/* ---- steps ------------------------------------------------------------------------- */

/* How many steps each pass will have. */
static void count_steps(struct folding *f, int *steps)
{
    for (int q = 0; q < f->c->nunits; q++) {
        int unit = f->c->first[q], rank = unit % f->x->at->ranks;
        for (int i = f->t->first[rank]; i < f->t->first[rank + 1]; i++) {
            int id = f->t->step[i];
            enum sp_pass pass = sp_step_pass(f->t->p, id);
            if (f->t->pair_of[id] < 0) {
                steps[pass]++;
                continue;
            }
            int *end = &f->end[f->t->p->step[id].op == SP_RECV][message_of(f, unit, id)];
            steps[pass] += *end < 0;
            *end = 0;
        }
    }
}

/* A step of a unit becomes the next one of the pass, unless one like it has before. */
static void fold_step(struct folding *f, int q, int id)
{
    const struct sp_step *old = &f->t->p->step[id];
    int unit = f->c->first[q], to = f->next[sp_step_pass(f->t->p, id)];
    if (f->t->pair_of[id] >= 0) {
        int *end = &f->end[old->op == SP_RECV][message_of(f, unit, id)];
        f->at[id] = *end >= 0 ? *end : to;
        if (*end >= 0)
            return;
        *end = to;
        if (f->s->round)
            f->s->round[to] = f->c->bundle[bundle_of(f, unit, id)].round;
    }
    f->at[id] = to;
    f->next[sp_step_pass(f->t->p, id)]++;
    f->p->step[to] = (struct sp_step){
        .op = old->op, .lane = old->lane, .rank = q, .twin = -1, .group = old->group,
        .qpos = -1, .kpos = -1 };
    f->s->way[to] = -1;
    f->s->work[to] = f->one->work[id];
    f->s->bytes[to] = f->one->bytes[id];
    if (f->s->squeezed)
        f->s->squeezed[to] = f->one->squeezed[id];
    if (f->s->full)
        f->s->full[to] = f->one->full[id];
}

/* ---- what they wait for ------------------------------------------------------------ */

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void add_need(struct folding *f, int step, int on)
{
    f->need = sp_grow(f->need, f->nneeds, sizeof *f->need);
    f->need[f->nneeds++] = (int64_t)step << 32 | on;
}

/* Of each lane only what comes last counts: the rest has ended before it began. */
static void needs_of(struct folding *f, int rank)
{
    const struct sp_plan *p = f->t->p;
    f->nneeds = 0;
    for (int i = f->t->first[rank]; i < f->t->first[rank + 1]; i++) {
        const struct sp_step *s = &p->step[f->t->step[i]];
        int last[SP_NLANES] = { -1, -1, -1 };
        for (int j = 0; j < s->needs; j++) {
            int on = p->need[s->need + j], *item = &last[p->step[on].lane];
            *item = f->t->item[on] > *item ? f->t->item[on] : *item;
        }
        for (int j = 0; j < s->needs; j++) {
            int on = p->need[s->need + j];
            if (f->t->item[on] == last[p->step[on].lane])
                add_need(f, f->at[f->t->step[i]], f->at[on]);
        }
    }
}

static void fold_needs(struct folding *f, int rank)
{
    struct sp_plan *p = f->p;
    needs_of(f, rank);
    if (f->nneeds)
        qsort(f->need, (size_t)f->nneeds, sizeof *f->need, by_value);
    for (int i = 0; i < f->nneeds; i++) {
        if (i && f->need[i] == f->need[i - 1])
            continue;
        struct sp_step *s = &p->step[f->need[i] >> 32];
        if (!s->needs)
            s->need = p->nneeds;
        assert(s->needs < SHRT_MAX);
        s->needs++;
        p->need = sp_grow(p->need, p->nneeds, sizeof *p->need);
        p->need[p->nneeds++] = (int)f->need[i];
    }
}

/* ---- the scene --------------------------------------------------------------------- */

static void fold_messages(struct folding *f)
{
    for (int b = 0; b < f->c->nbundles; b++) {
        const struct sp_bundle *x = &f->c->bundle[b];
        const int *shape = sp_interned(&f->t->shapes, x->shape);
        int kinds = sp_interned_length(&f->t->shapes, x->shape) / 2;
        for (int i = 0; i < kinds; i++) {
            int send = f->end[0][f->message[b] + i], recv = f->end[1][f->message[b] + i];
            assert(send >= 0 && recv >= 0);
            f->p->step[send].twin = recv;
            f->p->step[recv].twin = send;
            f->s->way[send] = way_of(f, x, shape[2 * i + 1]);
        }
    }
}

static void forget_ends(struct folding *f, int messages)
{
    memset(f->end[0], -1, (size_t)messages * sizeof *f->end[0]);
    memset(f->end[1], -1, (size_t)messages * sizeof *f->end[1]);
}

static void fold_plan(struct folding *f, int messages)
{
    int steps[SP_NPASSES] = { 0, 0 };
    count_steps(f, steps);
    forget_ends(f, messages);
    size_t n = (size_t)(steps[SP_FORWARD] + steps[SP_BACKWARD]);
    f->p->nsteps = (int)n;
    f->p->step = sp_alloc(n * sizeof *f->p->step);
    f->next[SP_BACKWARD] = f->p->backward_at = steps[SP_FORWARD];
    f->s->work = sp_alloc(n * sizeof *f->s->work);
    f->s->bytes = sp_alloc(n * sizeof *f->s->bytes);
    f->s->way = sp_alloc(n * sizeof *f->s->way);
    f->s->squeezed = f->one->squeezed ? sp_alloc(n * sizeof *f->s->squeezed) : NULL;
    f->s->full = f->one->full ? sp_alloc(n * sizeof *f->s->full) : NULL;
    f->s->round = f->x->rounds ? sp_alloc(n * sizeof *f->s->round) : NULL;
    for (int q = 0; q < f->c->nunits; q++) {
        int rank = f->c->first[q] % f->x->at->ranks;
        for (int i = f->t->first[rank]; i < f->t->first[rank + 1]; i++)
            fold_step(f, q, f->t->step[i]);
        fold_needs(f, rank);
    }
    fold_messages(f);
}

static void fold_links(struct folding *f, const struct sp_look *look)
{
    struct sp_scene *s = f->s;
    size_t n = (size_t)f->c->nlinks;
    s->nlinks = f->c->nlinks;
    s->rate = sp_alloc(n * sizeof *s->rate);
    s->link_of = sp_alloc(n * sizeof *s->link_of);
    s->stands = sp_alloc(n * sizeof *s->stands);
    for (int l = 0; l < s->nlinks; l++) {
        s->link_of[l] = f->x->link_of[f->c->first_link[l]];
        s->rate[l] = look->rate[s->link_of[l]];
        s->stands[l] = f->c->links[l];
    }
}

/* Hosts with like ranks on them become one, with the processors of all. */
static void fold_hosts(struct folding *f, const struct sp_look *look)
{
    struct sp_scene *s = f->s;
    int units = f->x->at->groups * f->x->at->ranks, *crowd = NULL;
    s->processors = sp_alloc(((size_t)look->hosts + 1) * sizeof *s->processors);
    if (!look->host)
        return;
    bool *seen = sp_alloc((size_t)look->hosts * sizeof *seen);
    crowd = sp_crowds(f->c, units, look);
    for (int u = 0; u < units; u++) {
        int host = look->host[u];
        if (!seen[host])
            s->processors[crowd[host]] += look->processors[host];
        seen[host] = true;
    }
    for (int q = 0; q < f->c->nunits; q++)
        s->host[q] = crowd[look->host[f->c->first[q]]];
    free(crowd);
    free(seen);
}

static void fold_ranks(struct folding *f, const struct sp_look *look)
{
    struct sp_scene *s = f->s;
    size_t n = (size_t)f->c->nunits;
    s->speed = sp_alloc(n * sizeof *s->speed);
    s->host = sp_alloc(n * sizeof *s->host);
    s->weight = sp_alloc(n * sizeof *s->weight);
    for (int q = 0; q < f->c->nunits; q++) {
        s->speed[q] = look->speed ? look->speed[f->c->first[q]] : 1;
        s->weight[q] = f->c->size[q];
    }
    fold_hosts(f, look);
}

static void fold(struct folding *f, const struct sp_look *look)
{
    int messages = 0;
    f->message = sp_alloc((size_t)f->c->nbundles * sizeof *f->message);
    for (int b = 0; b < f->c->nbundles; b++) {
        f->message[b] = messages;
        messages += sp_interned_length(&f->t->shapes, f->c->bundle[b].shape) / 2;
    }
    f->end[0] = sp_alloc((size_t)messages * sizeof *f->end[0]);
    f->end[1] = sp_alloc((size_t)messages * sizeof *f->end[1]);
    forget_ends(f, messages);
    f->at = sp_alloc((size_t)f->t->p->nsteps * sizeof *f->at);
    fold_plan(f, messages);
    fold_links(f, look);
    fold_ranks(f, look);
    free(f->message);
    free(f->end[0]);
    free(f->end[1]);
    free(f->at);
    free(f->need);
    sp_intern_free(&f->ways);
}

/* ---- all of it --------------------------------------------------------------------- */

struct place { double *rate, *processors; int *host; };

static struct sp_look look_at(const struct sp_topo *t, const struct sp_profile *f,
                              const struct sp_placement *at, struct place *own)
{
    int units = at->groups * at->ranks;
    bool shared = false;
    own->rate = sp_scene_rates(t, f);
    own->host = sp_alloc((size_t)units * sizeof *own->host);
    own->processors = sp_alloc((size_t)t->nnodes * sizeof *own->processors);
    for (int u = 0; u < units; u++) {
        int node = own->host[u] = sp_topo_node_of(t, at->endpoint[u]);
        if (t->vertex[t->endpoint[at->endpoint[u]]].kind != SP_CPU)
            continue;
        own->processors[node] = t->machine[t->node[node].machine].processors;
        shared = true;
    }
    return (struct sp_look){ .speed = at->speed, .rate = own->rate, .link = t->link,
                             .processors = own->processors, .host = shared ? own->host : NULL,
                             .hosts = t->nnodes };
}

struct sp_scene *sp_scene_collapsed(const struct sp_plan *p, const struct sp_topo *t,
                                    const struct sp_profile *f, const struct sp_placement *at)
{
    struct sp_scene one = { .plan = p, .profile = f };
    struct place own;
    struct sp_look look = look_at(t, f, at, &own);
    sp_scene_steps(&one);
    bool streams = t->vertex[t->endpoint[at->endpoint[0]]].kind == SP_GPU;
    struct sp_traffic *traffic = sp_traffic_new(&one, sp_scene_turns(f), streams);
    struct sp_ways *ways = sp_ways_new(traffic, t, f, at, sp_scene_turns(f));
    struct sp_classes *classes = sp_refine(ways, &look);
    struct sp_scene *s = sp_alloc(sizeof *s);
    struct sp_plan *folded = sp_alloc(sizeof *folded);
    folded->pb = p->pb;
    folded->pb.ranks = classes->nunits;
    *s = (struct sp_scene){
        .plan = folded, .owned = folded, .profile = f, .inside = one.inside };
    struct folding fold_up = { .one = &one, .t = traffic, .x = ways, .c = classes, .s = s,
                               .p = folded };
    fold(&fold_up, &look);
    sp_classes_free(classes);
    sp_ways_free(ways);
    sp_traffic_free(traffic);
    free(one.work);
    free(one.bytes);
    free(one.way);
    free(one.squeezed);
    free(one.full);
    free(own.rate);
    free(own.host);
    free(own.processors);
    return s;
}
