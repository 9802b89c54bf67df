/* scene.c - one group of ranks, each for itself. */
/* SPDX-License-Identifier: MIT */
#include "sim/scene.h"

#include <math.h>
#include <stdlib.h>

#include "sim/rounds.h"
#include "sim/shape.h"
#include "util/memory.h"

/* ---- how long steps take --------------------------------------------------------------- */

void sp_scene_steps(struct sp_scene *s)
{
    size_t n = (size_t)s->plan->nsteps;
    struct sp_shapes *shapes = sp_shapes_new(s->plan, s->profile);
    s->work = sp_alloc(n * sizeof *s->work);
    s->bytes = sp_alloc(n * sizeof *s->bytes);
    s->way = sp_alloc(n * sizeof *s->way);
    s->squeezed = s->profile->ctas ? sp_alloc(n * sizeof *s->squeezed) : NULL;
    s->full = s->profile->interference.queue ? sp_alloc(n * sizeof *s->full) : NULL;
    s->inside = true;
    for (int i = 0; i < s->plan->nsteps; i++) {
        s->way[i] = -1;
        if (s->plan->step[i].op == SP_SEND)
            s->bytes[i] = (double)sp_block_bytes(s->plan, sp_step_blocks(s->plan, i)[0]);
        if (s->plan->step[i].twin >= 0)
            continue;
        struct sp_cost cost = sp_shapes_cost(shapes, i, &s->inside);
        s->work[i] = cost.seconds;
        if (s->squeezed)
            s->squeezed[i] = cost.squeezed;
        if (s->full)
            s->full[i] = cost.full;
    }
    sp_shapes_free(shapes);
}

/* ---- the ways of messages ---------------------------------------------------------------- */

double *sp_scene_rates(const struct sp_topo *t, const struct sp_profile *f)
{
    double *rate = sp_alloc((size_t)t->nlinks * sizeof *rate);
    for (int i = 0; i < t->nlinks; i++)
        rate[i] = t->link[i].rate * f->link[t->link[i].kind];
    return rate;
}

/* What one message gets on its own; the part of nominal rates that can be had counts on the
 * link that is its narrowest. */
static double can_be_had(const struct sp_topo *t, const struct sp_profile *f,
                         const struct sp_route *r)
{
    double nominal = INFINITY, real = INFINITY;
    for (int i = 0; i < r->n; i++) {
        const struct sp_link *l = &t->link[r->hop[i].link];
        double one = l->rate / (double)r->hop[i].share;
        if (l->kind == SP_LINK_NET && l->cables > 1)
            one = fmin(one, l->rate / l->cables / (double)r->hop[i].share);
        nominal = fmin(nominal, one);
        real = fmin(real, one * f->link[l->kind]);
    }
    return r->n ? r->cap * (real / nominal) : r->cap;
}

struct sp_way sp_scene_route(const struct sp_topo *t, const struct sp_profile *f, int from, int to,
                             struct sp_route *r)
{
    sp_topo_route(t, from, to, r);
    return (struct sp_way){ .class = r->class, .latency = r->latency,
                            .cap = can_be_had(t, f, r), .nhops = r->n };
}

static void add_hop(struct sp_scene *s, struct sp_hop hop)
{
    s->hop = sp_grow(s->hop, s->nhops, sizeof *s->hop);
    s->hop[s->nhops++] = hop;
}

/* Where one direction keeps the other back, a message takes of both. */
/* A new way between endpoints; its hops are links of the topology. */
static int add_way(struct sp_scene *s, const struct sp_topo *t, int from, int to)
{
    struct sp_route r;
    s->ways = sp_grow(s->ways, s->nways, sizeof *s->ways);
    s->ways[s->nways] = sp_scene_route(t, s->profile, from, to, &r);
    s->ways[s->nways].hop = s->nhops;
    for (int i = 0; i < r.n; i++)
        add_hop(s, r.hop[i]);
    for (int i = 0; i < r.n && s->profile->path[r.class].half; i++)
        add_hop(s, (struct sp_hop){ r.hop[i].link ^ 1, r.hop[i].share });
    s->ways[s->nways].nhops = s->nhops - s->ways[s->nways].hop;
    return s->nways++;
}

/* A way for each pair of ranks that has messages. */
static void find_ways(struct sp_scene *s, const struct sp_topo *t, const int *endpoint)
{
    const struct sp_plan *p = s->plan;
    size_t ranks = (size_t)p->pb.ranks;
    int *known = sp_alloc(ranks * ranks * sizeof *known);       /* from x to: way + 1 */
    for (int i = 0; i < p->nsteps; i++) {
        if (p->step[i].op != SP_SEND)
            continue;
        int from = p->step[i].rank, to = sp_step_peer(p, i);
        int *way = &known[(size_t)from * ranks + (size_t)to];
        if (!*way)
            *way = add_way(s, t, endpoint[from], endpoint[to]) + 1;
        s->way[i] = *way - 1;
    }
    free(known);
}

bool sp_scene_turns(const struct sp_profile *f)
{
    bool turns = false;
    for (int i = 0; i < SP_NPATH_CLASSES; i++)
        turns |= f->path[i].concurrent > 0 || f->path[i].each > 0;
    return turns;
}

/* Rounds are those of a group: ranks [first, first+at->ranks) of the plan. */
static void find_rounds(struct sp_scene *s, const struct sp_topo *t,
                        const struct sp_placement *at, int first)
{
    const struct sp_plan *p = s->plan;
    int *node = sp_alloc((size_t)at->ranks * sizeof *node);
    for (int r = 0; r < at->ranks; r++)
        node[r] = sp_topo_node_of(t, at->endpoint[first + r]);
    struct sp_rounds *x = sp_rounds_new(node, at->ranks, t->nnodes);
    for (int i = 0; i < p->nsteps; i++) {
        int from = p->step[i].rank - first;
        if (p->step[i].op == SP_SEND && from >= 0 && from < at->ranks)
            s->round[i] = s->round[p->step[i].twin] = sp_round(x, from, sp_step_peer(p, i) - first);
    }
    sp_rounds_free(x);
    free(node);
}

/* ---- the ranks ------------------------------------------------------------------------------ */

static void find_hosts(struct sp_scene *s, const struct sp_topo *t, const struct sp_placement *at)
{
    int ranks = s->plan->pb.ranks;
    s->speed = sp_alloc((size_t)ranks * sizeof *s->speed);
    s->host = sp_alloc((size_t)ranks * sizeof *s->host);
    s->processors = sp_alloc((size_t)t->nnodes * sizeof *s->processors);
    for (int r = 0; r < ranks; r++) {
        int node = sp_topo_node_of(t, at->endpoint[r]);
        s->speed[r] = at->speed ? at->speed[r] : 1;
        s->host[r] = node;
        if (t->vertex[t->endpoint[at->endpoint[r]]].kind == SP_CPU)
            s->processors[node] = t->machine[t->node[node].machine].processors;
    }
}

struct sp_scene *sp_scene_new(const struct sp_plan *p, const struct sp_topo *t,
                              const struct sp_profile *f, const struct sp_placement *at)
{
    struct sp_scene *s = sp_alloc(sizeof *s);
    *s = (struct sp_scene){ .plan = p, .profile = f, .nlinks = t->nlinks };
    s->rate = sp_scene_rates(t, f);
    s->link_of = sp_alloc((size_t)t->nlinks * sizeof *s->link_of);
    for (int i = 0; i < t->nlinks; i++)
        s->link_of[i] = i;
    sp_scene_steps(s);
    find_ways(s, t, at->endpoint);
    find_hosts(s, t, at);
    if (sp_scene_turns(f))
        s->round = sp_alloc((size_t)p->nsteps * sizeof *s->round);
    for (int first = 0; s->round && first < p->pb.ranks; first += at->ranks)
        find_rounds(s, t, at, first);
    return s;
}

void sp_scene_free(struct sp_scene *s)
{
    if (!s)
        return;
    sp_plan_free(s->owned);
    free(s->work);
    free(s->bytes);
    free(s->way);
    free(s->ways);
    free(s->hop);
    free(s->rate);
    free(s->link_of);
    free(s->speed);
    free(s->host);
    free(s->processors);
    free(s->weight);
    free(s->stands);
    free(s->squeezed);
    free(s->full);
    free(s->round);
    free(s);
}
