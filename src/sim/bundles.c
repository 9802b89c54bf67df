/* bundles.c - ways in bundles, and how many of a bundle each rank and link of a class has:
 * the same for all of the class, or it is none. */
/* SPDX-License-Identifier: MIT */
#include "sim/bundles.h"

#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

/* ---- what they are by themselves --------------------------------------------------- */

static bool units_alike(const struct sp_classes *c, const struct sp_ways *x,
                        const struct sp_look *look)
{
    for (int u = 0; u < x->at->groups * x->at->ranks; u++) {
        int v = c->first[c->unit[u]];
        const double *have = look->processors;
        if (x->t->local[u % x->at->ranks] != x->t->local[v % x->at->ranks]
            || (look->speed && look->speed[u] != look->speed[v])
            || (look->host && have[look->host[u]] != have[look->host[v]]))
            return false;
    }
    return true;
}

static bool links_alike(const struct sp_classes *c, const struct sp_ways *x,
                        const struct sp_look *look)
{
    for (int l = 0; l < x->nlinks; l++) {
        int a = x->link_of[l], b = x->link_of[c->first_link[c->link[l]]];
        if (look->rate[a] != look->rate[b] || look->link[a].kind != look->link[b].kind)
            return false;
    }
    return true;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int *sp_crowds(const struct sp_classes *c, int units, const struct sp_look *look)
{
    struct sp_intern seen = { 0 };
    int *crowd = sp_alloc((size_t)look->hosts * sizeof *crowd);
    int64_t *key = sp_alloc((size_t)units * sizeof *key);       /* host, class */
    int *list = sp_alloc((size_t)units * sizeof *list), n = 0;
    for (int u = 0; u < units; u++)
        key[u] = (int64_t)look->host[u] << 32 | c->unit[u];
    qsort(key, (size_t)units, sizeof *key, by_value);
    for (int i = 0; i < units; i++) {
        list[n++] = (int)key[i];
        if (i + 1 < units && key[i] >> 32 == key[i + 1] >> 32)
            continue;
        crowd[key[i] >> 32] = sp_intern(&seen, list, n);
        n = 0;
    }
    free(key);
    free(list);
    sp_intern_free(&seen);
    return crowd;
}

/* Who shares processors does so with like ones. */
static bool hosts_alike(const struct sp_classes *c, const struct sp_ways *x,
                        const struct sp_look *look)
{
    int units = x->at->groups * x->at->ranks;
    bool good = true;
    if (!look->host)
        return true;
    int *crowd = sp_crowds(c, units, look);
    for (int u = 0; u < units; u++)
        if (look->processors[look->host[u]] > 0)
            good &= crowd[look->host[u]] == crowd[look->host[c->first[c->unit[u]]]];
    free(crowd);
    return good;
}

/* ---- bundles ----------------------------------------------------------------------- */

/* Classes of stretches: like links, like shares, like beginnings. */
static int *stretch_classes(const struct sp_classes *c, const struct sp_ways *x)
{
    struct sp_intern seen = { 0 };
    int *of = sp_alloc((size_t)x->nstretches * sizeof *of);
    for (int i = 0; i < x->nstretches; i++) {
        const struct sp_stretch *s = &x->stretch[i];
        bool begins = s->before < 0;
        int list[4] = { begins ? -1 : of[s->before], begins ? -1 : c->link[s->link], 0, s->kind };
        memcpy(list + 2, &s->share, sizeof s->share);
        of[i] = sp_intern(&seen, list, 4);
    }
    sp_intern_free(&seen);
    return of;
}

static int kind_of(const struct sp_ways *x, int way)
{
    int i = x->tail[way];
    while (x->stretch[i].before >= 0)
        i = x->stretch[i].before;
    return x->stretch[i].kind;
}

static void make_bundles(struct sp_classes *c, const struct sp_ways *x)
{
    struct sp_intern seen = { 0 };
    int *class = stretch_classes(c, x);
    c->bundle_of = sp_alloc((size_t)x->nways * sizeof *c->bundle_of);
    for (int i = 0; i < x->nways; i++) {
        struct sp_bundle b = { .shape = x->t->pair[sp_way_pair(x, i)].shape,
            .from = c->unit[sp_way_from(x, i)], .to = c->unit[sp_way_to(x, i)],
            .round = sp_way_round(x, i) };
        int list[6] = { b.shape, b.from, b.to, class[x->head[i]], class[x->tail[i]], b.round };
        c->bundle_of[i] = sp_intern(&seen, list, 6);
        if (c->bundle_of[i] == c->nbundles) {
            b.kind = kind_of(x, i);
            c->bundle = sp_grow(c->bundle, c->nbundles, sizeof *c->bundle);
            c->bundle[c->nbundles++] = b;
        }
    }
    free(class);
    sp_intern_free(&seen);
}

/* ---- counting ---------------------------------------------------------------------- */

/* What has been counted of one bundle, for each of some things. */
struct tally {
    double *count;              /* by thing; 0 again afterwards */
    int *touched, n;
    int *like;                  /* by class: how many of its things were touched */
};

static struct tally tally_new(int things, int classes)
{
    return (struct tally){ .count = sp_alloc((size_t)things * sizeof(double)),
                           .touched = sp_alloc((size_t)things * sizeof(int)),
                           .like = sp_alloc((size_t)classes * sizeof(int)) };
}

static void tally_free(struct tally *t)
{
    free(t->count);
    free(t->touched);
    free(t->like);
}

/* Shares are of type float, so their sums are exact in double. */
static void touch(struct tally *t, int thing, double share)
{
    if (t->count[thing] == 0)
        t->touched[t->n++] = thing;
    t->count[thing] += share;
}

/* All things of a class were touched alike, or none. */
static bool even(struct tally *t, const int *class, const int *first, const int *size)
{
    bool good = true;
    for (int i = 0; i < t->n; i++) {
        int thing = t->touched[i], k = class[thing];
        t->like[k]++;
        good &= t->count[thing] == t->count[first[k]];
    }
    for (int i = 0; i < t->n; i++)
        good &= t->like[class[t->touched[i]]] == size[class[t->touched[i]]];
    return good;
}

static void forget(struct tally *t, const int *class)
{
    for (int i = 0; i < t->n; i++) {
        t->count[t->touched[i]] = 0;
        t->like[class[t->touched[i]]] = 0;
    }
    t->n = 0;
}

static void touch_links(struct tally *t, const struct sp_ways *x, int at)
{
    for (; x->stretch[at].before >= 0; at = x->stretch[at].before)
        touch(t, x->stretch[at].link, (double)x->stretch[at].share);
}

struct counting {
    struct sp_classes *c;
    const struct sp_ways *x;
    struct tally sent, got, crossed;
};

/* A hop for each class of links on the way, once, in order. */
static void hops_of(struct counting *y, struct sp_bundle *b, int at)
{
    struct sp_classes *c = y->c;
    if (y->x->stretch[at].before < 0)
        return;
    hops_of(y, b, y->x->stretch[at].before);
    int l = y->x->stretch[at].link;
    for (int i = b->hop; i < c->nhops; i++)
        if (c->hop[i].link == c->link[l])
            return;
    c->hop = sp_grow(c->hop, c->nhops, sizeof *c->hop);
    c->hop[c->nhops++] = (struct sp_hop){ c->link[l], (float)y->crossed.count[l] };
}

static bool count_bundle(struct counting *y, struct sp_bundle *b, const int *way, int n)
{
    struct sp_classes *c = y->c;
    for (int i = 0; i < n; i++) {
        touch(&y->sent, sp_way_from(y->x, way[i]), 1);
        touch(&y->got, sp_way_to(y->x, way[i]), 1);
        touch_links(&y->crossed, y->x, y->x->head[way[i]]);
        touch_links(&y->crossed, y->x, y->x->tail[way[i]]);
    }
    bool good = even(&y->sent, c->unit, c->first, c->size)
                && even(&y->got, c->unit, c->first, c->size)
                && even(&y->crossed, c->link, c->first_link, c->links);
    b->hop = c->nhops;
    hops_of(y, b, y->x->head[way[0]]);
    hops_of(y, b, y->x->tail[way[0]]);
    b->nhops = c->nhops - b->hop;
    forget(&y->sent, c->unit);
    forget(&y->got, c->unit);
    forget(&y->crossed, c->link);
    return good;
}

/* Ways by bundle: way[first[b]] ... */
static void sort_ways(const struct sp_classes *c, int nways, int **first, int **way)
{
    int *at = *first = sp_alloc(((size_t)c->nbundles + 2) * sizeof *at);
    *way = sp_alloc((size_t)nways * sizeof **way);
    for (int i = 0; i < nways; i++)
        at[c->bundle_of[i] + 2]++;
    for (int b = 0; b < c->nbundles; b++)
        at[b + 2] += at[b + 1];
    for (int i = 0; i < nways; i++)
        (*way)[at[c->bundle_of[i] + 1]++] = i;
}

bool sp_bundles(struct sp_classes *c, const struct sp_ways *x, const struct sp_look *look)
{
    if (!units_alike(c, x, look) || !links_alike(c, x, look) || !hosts_alike(c, x, look))
        return false;
    int *first, *way, units = x->at->groups * x->at->ranks;
    make_bundles(c, x);
    sort_ways(c, x->nways, &first, &way);
    struct counting y = { c, x, tally_new(units, c->nunits), tally_new(units, c->nunits),
                          tally_new(x->nlinks, c->nlinks) };
    bool good = true;
    for (int b = 0; b < c->nbundles && good; b++)
        good = count_bundle(&y, &c->bundle[b], way + first[b], first[b + 1] - first[b]);
    tally_free(&y.sent);
    tally_free(&y.got);
    tally_free(&y.crossed);
    free(first);
    free(way);
    return good;
}
