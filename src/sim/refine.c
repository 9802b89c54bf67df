/* refine.c - colour refinement, by hashes; then proved by counting (bundles.c). */
/* SPDX-License-Identifier: MIT */
#include "sim/refine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/bundles.h"
#include "util/memory.h"

struct colours {
    const struct sp_ways *x;
    const struct sp_look *look;
    int units, rounds;
    uint64_t seed;
    uint64_t *unit, *link, *host;       /* colours */
    uint64_t *seen_unit, *seen_link;    /* sums over what is beside them */
    uint64_t *stretch, *crossing;       /* colour of each stretch; sum over its ways */
    uint64_t *sorted;                   /* for counting */
};

static uint64_t bits(double x)
{
    uint64_t b;
    memcpy(&b, &x, sizeof b);
    return b;
}

static void begin(struct colours *c)
{
    const struct sp_ways *x = c->x;
    for (int u = 0; u < c->units; u++) {
        uint64_t h = sp_mix(c->seed, (uint64_t)x->t->local[u % x->at->ranks]);
        h = sp_mix(h, bits(c->look->speed ? c->look->speed[u] : 1));
        if (c->look->host)
            h = sp_mix(h, bits(c->look->processors[c->look->host[u]]));
        c->unit[u] = h;
    }
    for (int l = 0; l < x->nlinks; l++)
        c->link[l] = sp_mix(sp_mix(c->seed, c->look->link[x->link_of[l]].kind),
                            bits(c->look->rate[x->link_of[l]]));
}

static void colour_stretches(struct colours *c)
{
    for (int i = 0; i < c->x->nstretches; i++) {
        const struct sp_stretch *s = &c->x->stretch[i];
        c->stretch[i] = s->before < 0 ? sp_mix(c->seed, (uint64_t)s->kind)
            : sp_mix(sp_mix(c->stretch[s->before], c->link[s->link]), bits((double)s->share));
        c->crossing[i] = 0;
    }
}

/* Each way is seen by its ends and by the stretches that it crosses. Sums don't depend on
 * the order, so they are hashes of multisets. */
static void look_at_ways(struct colours *c)
{
    const struct sp_ways *x = c->x;
    for (int i = 0; i < x->nways; i++) {
        int from = sp_way_from(x, i), to = sp_way_to(x, i);
        uint64_t f = sp_mix(c->seed, (uint64_t)x->t->pair[sp_way_pair(x, i)].shape);
        f = sp_mix(f, c->unit[from]);
        f = sp_mix(f, c->unit[to]);
        f = sp_mix(f, c->stretch[x->head[i]]);
        f = sp_mix(f, c->stretch[x->tail[i]]);
        if (x->rounds)
            f = sp_mix(f, (uint64_t)sp_way_round(x, i));
        c->seen_unit[from] += sp_mix(f, 1);
        c->seen_unit[to] += sp_mix(f, 2);
        c->crossing[x->head[i]] += sp_mix(f, 3);
        c->crossing[x->tail[i]] += sp_mix(f, 3);
    }
}

static void look_at_links(struct colours *c)
{
    for (int i = c->x->nstretches - 1; i >= 0; i--) {
        const struct sp_stretch *s = &c->x->stretch[i];
        if (s->before < 0)
            continue;
        c->crossing[s->before] += c->crossing[i];
        c->seen_link[s->link] += c->crossing[i] * (bits((double)s->share) | 1);
    }
}

static void look_at_hosts(struct colours *c)
{
    memset(c->host, 0, (size_t)c->look->hosts * sizeof *c->host);
    for (int u = 0; u < c->units && c->look->host; u++)
        c->host[c->look->host[u]] += sp_mix(c->unit[u], 4);
    for (int u = 0; u < c->units && c->look->host; u++)
        if (c->look->processors[c->look->host[u]] > 0)
            c->seen_unit[u] += sp_mix(c->host[c->look->host[u]], 5);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int count(struct colours *c, const uint64_t *colour, int n)
{
    int different = 0;
    memcpy(c->sorted, colour, (size_t)n * sizeof *colour);
    if (n)
        qsort(c->sorted, (size_t)n, sizeof *c->sorted, by_value);
    for (int i = 0; i < n; i++)
        different += !i || c->sorted[i] != c->sorted[i - 1];
    return different;
}

static void refine(struct colours *c)
{
    size_t units = (size_t)c->units * sizeof *c->unit,
           links = (size_t)c->x->nlinks * sizeof *c->link;
    for (int before = 0, now;; before = now) {
        now = count(c, c->unit, c->units) + count(c, c->link, c->x->nlinks);
        if (now == before)
            return;
        c->rounds++;
        memset(c->seen_unit, 0, units);
        memset(c->seen_link, 0, links);
        colour_stretches(c);
        look_at_ways(c);
        look_at_links(c);
        look_at_hosts(c);
        for (int u = 0; u < c->units; u++)
            c->unit[u] = sp_mix(c->unit[u], c->seen_unit[u]);
        for (int l = 0; l < c->x->nlinks; l++)
            c->link[l] = sp_mix(c->link[l], c->seen_link[l]);
    }
}

/* Classes of equal colours: of each its first one and how many; of all, their class. */
static int *classes(const uint64_t *colour, int n, int **first, int **size, int *nclasses)
{
    struct sp_intern x = { 0 };
    int *of = sp_alloc((size_t)n * sizeof *of);
    *first = *size = NULL;
    for (int i = 0; i < n; i++) {
        int half[2];
        memcpy(half, &colour[i], sizeof half);
        of[i] = sp_intern(&x, half, 2);
        if (of[i] == *nclasses) {
            *first = sp_grow(*first, *nclasses, sizeof **first);
            *size = sp_grow(*size, *nclasses, sizeof **size);
            (*first)[*nclasses] = i;
            (*size)[(*nclasses)++] = 0;
        }
        (*size)[of[i]]++;
    }
    sp_intern_free(&x);
    return of;
}

static struct colours colours_new(const struct sp_ways *x, const struct sp_look *look)
{
    struct colours c = { .x = x, .look = look, .units = x->at->groups * x->at->ranks };
    size_t units = (size_t)c.units, links = (size_t)x->nlinks;
    size_t stretches = (size_t)x->nstretches;
    c.unit = sp_alloc(units * sizeof *c.unit);
    c.seen_unit = sp_alloc(units * sizeof *c.unit);
    c.link = sp_alloc(links * sizeof *c.link);
    c.seen_link = sp_alloc(links * sizeof *c.link);
    c.host = sp_alloc((size_t)look->hosts * sizeof *c.host);
    c.stretch = sp_alloc(stretches * sizeof *c.stretch);
    c.crossing = sp_alloc(stretches * sizeof *c.crossing);
    c.sorted = sp_alloc((units > links ? units : links) * sizeof *c.sorted);
    return c;
}

static void colours_free(struct colours *c)
{
    free(c->unit);
    free(c->seen_unit);
    free(c->link);
    free(c->seen_link);
    free(c->host);
    free(c->stretch);
    free(c->crossing);
    free(c->sorted);
}

/* Hashes that collide are found out by the proof; then other hashes are tried. */
struct sp_classes *sp_refine(const struct sp_ways *x, const struct sp_look *look)
{
    struct colours c = colours_new(x, look);
    struct sp_classes *y = NULL;
    for (c.seed = 1; !y; c.seed++) {
        assert(c.seed < 100);
        begin(&c);
        refine(&c);
        y = sp_alloc(sizeof *y);
        y->rounds = c.rounds;
        y->unit = classes(c.unit, c.units, &y->first, &y->size, &y->nunits);
        y->link = classes(c.link, x->nlinks, &y->first_link, &y->links, &y->nlinks);
        if (!sp_bundles(y, x, look)) {
            sp_classes_free(y);
            y = NULL;
        }
    }
    colours_free(&c);
    return y;
}

void sp_classes_free(struct sp_classes *c)
{
    free(c->unit);
    free(c->link);
    free(c->first);
    free(c->size);
    free(c->first_link);
    free(c->links);
    free(c->bundle_of);
    free(c->bundle);
    free(c->hop);
    free(c);
}
