/* tables.c - what routes are read from: which NICs are an endpoint's own, and how far it is
 * from each switch to those that have NICs. */
/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topo/routes.h"
#include "util/memory.h"
#include "util/why.h"

/* ---- own NICs ---------------------------------------------------------------------------- */

struct deal {
    const struct sp_mould *m;
    const bool *cabled;         /* by NIC */
    bool *near;                 /* nendpoints x nnics: its nearest ones */
    bool *own;                  /* nendpoints x nnics: those dealt to it */
};

static void find_nearest(struct deal *d, int e)
{
    const int *distance = d->m->distance + (size_t)e * (size_t)d->m->nnics;
    int least = INT_MAX;
    for (int k = 0; k < d->m->nnics; k++)
        if (d->cabled[k] && distance[k] < least)
            least = distance[k];
    for (int k = 0; k < d->m->nnics; k++)
        d->near[e * d->m->nnics + k] = d->cabled[k] && distance[k] == least && least < INT_MAX;
}

/* Endpoints with the same nearest NICs share them out: as many each, or one for several. */
static void deal_out(struct deal *d)
{
    int n = d->m->nnics;
    for (int e = 0; e < d->m->nendpoints; e++)
        find_nearest(d, e);
    for (int e = 0; e < d->m->nendpoints; e++) {
        const bool *near = d->near + (size_t)e * (size_t)n;
        int nics = 0, sharers = 0, place = 0, at = 0;
        for (int k = 0; k < n; k++)
            nics += near[k];
        for (int o = 0; o < d->m->nendpoints; o++)
            if (!memcmp(near, d->near + (size_t)o * (size_t)n, (size_t)n)) {
                sharers++;
                place += o < e;
            }
        int first = place * nics / sharers, last = (place + 1) * nics / sharers;
        for (int k = 0; k < n; k++)
            if (near[k]) {
                d->own[e * n + k] = at == first || (at > first && at < last);
                at++;
            }
    }
}

/* The ports of a node's endpoints, from those of the node: port[from..to[. */
static void add_own(struct sp_topo_routes *r, const struct deal *d, int first, int from, int to)
{
    int n = r->own_start[first];
    for (int e = 0; e < d->m->nendpoints; e++) {
        for (int p = from; p < to; p++)
            if (d->own[e * d->m->nnics + r->port[p].nic]) {
                r->own = sp_grow(r->own, n, sizeof *r->own);
                r->own[n++] = p;
            }
        r->own_start[first + e + 1] = n;
    }
}

static void find_own(struct sp_topo *t)
{
    struct sp_topo_routes *r = t->routes;
    struct deal d = { 0 };
    int from = 0, most = 1;
    for (int i = 0; i < t->nmachines; i++)
        most = r->mould[i]->nnics > most ? r->mould[i]->nnics : most;
    bool *cabled = sp_alloc((size_t)most), *next = sp_alloc((size_t)most);
    r->own_start = sp_alloc(((size_t)t->nendpoints + 1) * sizeof *r->own_start);
    for (int node = 0; node < t->nnodes; node++) {
        const struct sp_mould *m = sp_mould_of(t, node);
        int to = from;
        memset(next, 0, (size_t)most);
        for (; to < r->nports && t->vertex[t->link[r->port[to].link].from].node == node; to++)
            next[r->port[to].nic] = true;
        if (m != d.m || memcmp(next, cabled, (size_t)most)) {
            size_t size = (size_t)m->nendpoints * (size_t)m->nnics;
            free(d.near);
            free(d.own);
            memcpy(cabled, next, (size_t)most);
            d = (struct deal){ m, cabled, sp_alloc(size), sp_alloc(size) };
            deal_out(&d);
        }
        add_own(r, &d, t->node[node].first, from, to);
        from = to;
    }
    free(d.near);
    free(d.own);
    free(cabled);
    free(next);
}

/* ---- between switches -------------------------------------------------------------------- */

static bool joins_switches(const struct sp_topo *t, int link)
{
    return t->link[link].kind == SP_LINK_NET && t->link[link].from >= t->routes->first_switch
        && t->link[link].to >= t->routes->first_switch;
}

static void index_switches(struct sp_topo *t, int first_link)
{
    struct sp_topo_routes *r = t->routes;
    int n = 0;
    r->up_start = sp_alloc(((size_t)r->nswitches + 2) * sizeof *r->up_start);
    for (int i = first_link; i < t->nlinks; i++)
        if (joins_switches(t, i)) {
            r->up_start[t->link[i].from - r->first_switch + 2]++;
            n++;
        }
    r->up = sp_alloc((size_t)n * sizeof *r->up);
    for (int s = 0; s < r->nswitches; s++)
        r->up_start[s + 2] += r->up_start[s + 1];
    for (int i = first_link; i < t->nlinks; i++)
        if (joins_switches(t, i))
            r->up[r->up_start[t->link[i].from - r->first_switch + 1]++] = (struct sp_up){
                i, t->link[i].to - r->first_switch, t->link[i].cables };
}

/* Steps from all switches to one, breadth first. */
static void measure(const struct sp_topo *t, int to, unsigned char *steps, int *queue)
{
    const struct sp_topo_routes *r = t->routes;
    int head = 0, tail = 0;
    memset(steps, SP_UNREACHED, (size_t)r->nswitches);
    steps[to] = 0;
    queue[tail++] = to;
    while (head < tail) {
        int at = queue[head++];
        if (steps[at] == SP_UNREACHED - 1)
            return;
        for (int k = r->up_start[at]; k < r->up_start[at + 1]; k++) {
            int next = r->up[k].to;
            if (steps[next] == SP_UNREACHED) {
                steps[next] = (unsigned char)(steps[at] + 1);
                queue[tail++] = next;
            }
        }
    }
}

static const char *measure_all(struct sp_builder *b)
{
    struct sp_topo_routes *r = b->t->routes;
    int rows = 0;
    r->row = sp_alloc((size_t)r->nswitches * sizeof *r->row);
    memset(r->row, -1, (size_t)r->nswitches * sizeof *r->row);
    for (int p = 0; p < r->nports; p++)
        if (r->row[r->port[p].at] < 0)
            r->row[r->port[p].at] = rows++;
    if ((double)rows * r->nswitches > 1 << 28)
        return sp_why("%s: %d switches, %d of them with NICs, are too many", b->c->path,
                      r->nswitches, rows);
    r->steps = sp_alloc((size_t)rows * (size_t)r->nswitches);
    int *queue = sp_alloc(((size_t)r->nswitches + 1) * sizeof *queue);
    for (int s = 0; s < r->nswitches; s++)
        if (r->row[s] >= 0)
            measure(b->t, s, r->steps + (size_t)r->row[s] * (size_t)r->nswitches, queue);
    free(queue);
    return NULL;
}

/* ---- whether it will do ------------------------------------------------------------------ */

/* As many stripes as are sure to fit a route, in the worst case. */
static const char *limit_stripes(struct sp_builder *b)
{
    struct sp_topo_routes *r = b->t->routes;
    size_t size = 0;
    int local = 0, net = 0;
    for (int i = 0; i < b->t->nmachines; i++) {
        const struct sp_mould *m = r->mould[i];
        for (int k = 0; k < m->nendpoints * m->nnics; k++)
            local = m->out[k].n > local ? m->out[k].n : local;
        for (int k = 0; k < m->nendpoints * m->nendpoints; k++)
            if (m->between[k].n > SP_MAX_HOPS)
                return sp_why("%s: a way in machine %s has more than %d links", b->c->path,
                              m->name, SP_MAX_HOPS);
    }
    for (int s = 0; s < r->nswitches; s++)
        size += r->row[s] >= 0 ? (size_t)r->nswitches : 0;
    for (size_t i = 0; i < size; i++)
        if (r->steps[i] != SP_UNREACHED && r->steps[i] > net)
            net = r->steps[i];
    r->stripes = (SP_MAX_HOPS - 2) / (2 * local + net + 2);
    return r->stripes ? NULL : sp_why("%s: the way between two NICs has %d switches, which are "
                                      "too many", b->c->path, net + 1);
}

/* A text that endpoints share if they reach the same parts of the network. */
static void sign(const struct sp_topo *t, const int *part, int e, char *text, size_t room)
{
    const struct sp_topo_routes *r = t->routes;
    int node = sp_topo_node_of(t, e), first = t->node[node].first;
    int last = r->pxn ? first + t->node[node].endpoints : e + 1;
    size_t used = 0;
    text[0] = '\0';
    for (int k = r->own_start[e]; k < r->own_start[e + 1] && used < room; k++)
        used += (size_t)snprintf(text + used, room - used, "%d,", part[r->port[r->own[k]].at]);
    for (int o = r->pxn ? first : last; o < last && used < room; o++)
        if (r->own_start[o] < r->own_start[o + 1] && used + 16 < room)
            used += (size_t)snprintf(text + used, room - used, "%d;",
                                     part[r->port[r->own[r->own_start[o]]].at]);
    if (!used)
        snprintf(text, room, "domain %d", r->domain[e]);
}

/* Which switches hang together. */
static int *parts_of(const struct sp_topo *t)
{
    const struct sp_topo_routes *r = t->routes;
    int *part = sp_alloc(((size_t)r->nswitches + 1) * sizeof *part);
    int *queue = sp_alloc(((size_t)r->nswitches + 1) * sizeof *queue);
    for (int s = 0, n = 0; s < r->nswitches; s++) {
        int head = 0, tail = 0;
        if (part[s])
            continue;
        part[s] = ++n;
        for (queue[tail++] = s; head < tail; head++)
            for (int k = r->up_start[queue[head]]; k < r->up_start[queue[head] + 1]; k++) {
                int next = r->up[k].to;
                if (!part[next]) {
                    part[next] = n;
                    queue[tail++] = next;
                }
            }
    }
    free(queue);
    return part;
}

static const char *unreached(const struct sp_builder *b, int from, int to)
{
    const struct sp_topo *t = b->t;
    const char *a = t->vertex[t->endpoint[from]].name, *z = t->vertex[t->endpoint[to]].name;
    if (!t->routes->nports && sp_topo_node_of(t, from) != sp_topo_node_of(t, to))
        return sp_why("%s: nothing joins %s and %s: %d nodes need a fabric line", b->c->path, a,
                      z, t->nnodes);
    return sp_why("%s: no way leads from %s to %s (own NICs on switches that aren't joined)",
                  b->c->path, a, z);
}

enum { MAX_GROUPS = 512 };

/* Tries the first endpoint of each group, of those that reach the same parts, to the first
 * and the last of each. */
static const char *check_reach(struct sp_builder *b)
{
    struct sp_topo *t = b->t;
    int *part = parts_of(t), first[MAX_GROUPS], last[MAX_GROUPS], groups = 0;
    struct sp_names names = { 0 };
    struct sp_route r;
    const char *why = NULL;
    for (int e = 0; e < t->nendpoints; e++) {
        char text[256];
        sign(t, part, e, text, sizeof text);
        int group = sp_names_find(&names, text);
        if (group < 0 && groups < MAX_GROUPS) {
            first[group = groups++] = e;
            sp_names_add(&names, text, group);
        }
        if (group < 0) {
            if (!why)
                why = sp_why("%s: the network is in more than %d parts", b->c->path, MAX_GROUPS);
            break;
        }
        last[group] = e;
        if (group == groups - 1 && !why && !sp_topo_find(t, 0, e, &r))
            why = unreached(b, 0, e);
    }
    for (int i = 0; i < groups && !why; i++)
        for (int k = 0; k < groups && !why; k++)
            if (!sp_topo_find(t, first[i], first[k], &r))
                why = unreached(b, first[i], first[k]);
            else if (!sp_topo_find(t, first[i], last[k], &r))
                why = unreached(b, first[i], last[k]);
    sp_names_free(&names);
    free(part);
    return why;
}

const char *sp_build_routes(struct sp_builder *b)
{
    index_switches(b->t, 0);
    find_own(b->t);
    const char *why = measure_all(b);
    if (!why)
        why = limit_stripes(b);
    return why ? why : check_reach(b);
}
