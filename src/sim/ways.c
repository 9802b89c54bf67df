/* ways.c - the ways of all messages of all groups. */
/* SPDX-License-Identifier: MIT */
#include "sim/ways.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

struct maker {
    struct sp_ways *x;
    const struct sp_topo *topo;
    const struct sp_profile *f;
    struct sp_intern stretches, kinds;
    struct sp_intern halves;    /* of ways, as they come ... */
    int *end;                   /* ... and the last stretch of each */
    int *link;                  /* by link of the topology: 1 + its number; 0: none yet */
};

static int kind_number(struct maker *m, struct sp_way w, const int *list, int n)
{
    struct sp_ways *x = m->x;
    int id = sp_intern(&m->kinds, list, n);
    if (id == x->nkinds) {
        x->kind = sp_grow(x->kind, x->nkinds, sizeof *x->kind);
        w.hop = w.nhops = 0;
        x->kind[x->nkinds++] = w;
    }
    return id;
}

static int link_number(struct maker *m, int link)
{
    struct sp_ways *x = m->x;
    if (!m->link[link]) {
        x->link_of = sp_grow(x->link_of, x->nlinks, sizeof *x->link_of);
        x->link_of[x->nlinks++] = link;
        m->link[link] = x->nlinks;
    }
    return m->link[link] - 1;
}

static int stretch(struct maker *m, struct sp_stretch s)
{
    struct sp_ways *x = m->x;
    int list[4] = { s.before, s.link, 0, s.kind };
    memcpy(list + 2, &s.share, sizeof s.share);
    int id = sp_intern(&m->stretches, list, 4);
    if (id == x->nstretches) {
        x->stretch = sp_grow(x->stretch, x->nstretches, sizeof *x->stretch);
        x->stretch[x->nstretches++] = s;
    }
    return id;
}

/* The last stretch of half a way: a tail says what kind the way is of, a head does not. */
static int half(struct maker *m, const struct sp_way *tail, const struct sp_hop *hop, int n)
{
    enum { KIND = 5 };
    int list[KIND + 2 * SP_MAX_HOPS] = { tail ? (int)tail->class : -1 };
    if (tail) {
        memcpy(list + 1, &tail->latency, sizeof tail->latency);
        memcpy(list + 3, &tail->cap, sizeof tail->cap);
    }
    for (int i = 0; i < n; i++) {
        list[KIND + 2 * i] = hop[i].link;
        memcpy(list + KIND + 2 * i + 1, &hop[i].share, sizeof hop[i].share);
    }
    int known = m->halves.n, id = sp_intern(&m->halves, list, KIND + 2 * n);
    if (id < known)
        return m->end[id];
    int at = stretch(m, (struct sp_stretch){
        -1, -1, 0, tail ? kind_number(m, *tail, list, KIND) : -1 });
    for (int i = 0; i < n; i++)
        at = stretch(m, (struct sp_stretch){ at, link_number(m, hop[i].link), hop[i].share, -1 });
    m->end = sp_grow(m->end, id, sizeof *m->end);
    return m->end[id] = at;
}

static void add(struct maker *m, int way, int from, int to)
{
    struct sp_route r;
    struct sp_way w = sp_scene_route(m->topo, m->f, from, to, &r);
    m->x->head[way] = half(m, NULL, r.hop, r.n / 2);
    m->x->tail[way] = half(m, &w, r.hop + r.n / 2, r.n - r.n / 2);
}

static void find_rounds(struct sp_ways *x, const struct sp_topo *topo)
{
    int ranks = x->at->ranks;
    int *node = sp_alloc((size_t)ranks * sizeof *node);
    x->rounds = sp_alloc((size_t)x->at->groups * sizeof *x->rounds);
    for (int g = 0; g < x->at->groups; g++) {
        for (int r = 0; r < ranks; r++)
            node[r] = sp_topo_node_of(topo, x->at->endpoint[g * ranks + r]);
        x->rounds[g] = sp_rounds_new(node, ranks, topo->nnodes);
    }
    free(node);
}

int sp_way_round(const struct sp_ways *x, int way)
{
    const struct sp_pair *p = &x->t->pair[sp_way_pair(x, way)];
    return x->rounds ? sp_round(x->rounds[way / x->t->npairs], p->from, p->to) : 0;
}

struct sp_ways *sp_ways_new(const struct sp_traffic *t, const struct sp_topo *topo,
                            const struct sp_profile *f, const struct sp_placement *at,
                            bool rounds)
{
    struct sp_ways *x = sp_alloc(sizeof *x);
    struct maker m = { .x = x, .topo = topo, .f = f };
    assert((long)at->groups * t->npairs < INT_MAX);
    x->t = t;
    x->at = at;
    x->nways = at->groups * t->npairs;
    x->head = sp_alloc((size_t)x->nways * sizeof *x->head);
    x->tail = sp_alloc((size_t)x->nways * sizeof *x->tail);
    m.link = sp_alloc((size_t)topo->nlinks * sizeof *m.link);
    for (int i = 0; i < x->nways; i++)
        add(&m, i, at->endpoint[sp_way_from(x, i)], at->endpoint[sp_way_to(x, i)]);
    if (rounds)
        find_rounds(x, topo);
    sp_intern_free(&m.stretches);
    sp_intern_free(&m.kinds);
    sp_intern_free(&m.halves);
    free(m.end);
    free(m.link);
    return x;
}

void sp_ways_free(struct sp_ways *x)
{
    for (int g = 0; x->rounds && g < x->at->groups; g++)
        sp_rounds_free(x->rounds[g]);
    free(x->rounds);
    free(x->head);
    free(x->tail);
    free(x->stretch);
    free(x->kind);
    free(x->link_of);
    free(x);
}
