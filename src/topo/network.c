/* network.c - switches and cables of all nodes: from `fabric` lines, or one by one. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topo/devices.h"
#include "topo/routes.h"
#include "util/memory.h"
#include "util/why.h"

enum { MAX_SWITCHES = 1 << 15, MAX_CABLES = 1 << 23, MOST_COUNTED = 1 << 30 };

const char *sp_build_switch(struct sp_builder *b, int tier, const char *name, int line,
                            int *vertex)
{
    if (!sp_names_add(&b->sw, name, b->t->nvertices))
        return sp_why("%s:%d: there is a switch %s already", b->c->path, line, name);
    if (b->t->routes->nswitches++ == MAX_SWITCHES)
        return sp_why("%s:%d: more than %d switches", b->c->path, line, MAX_SWITCHES);
    *vertex = sp_build_vertex(b->t, tier == SP_TIER_LEAF ? SP_LEAF : SP_SPINE, -1, name);
    return NULL;
}

const char *sp_build_cable(struct sp_builder *b, struct sp_cable cable)
{
    if (b->ncables == MAX_CABLES)
        return sp_why("%s:%d: more than %d ends with cables", b->c->path, cable.line, MAX_CABLES);
    if (cable.from > cable.to) {
        int from = cable.from;
        double there = cable.there;
        cable.from = cable.to;
        cable.to = from;
        cable.there = cable.back;
        cable.back = there;
    }
    b->cable = sp_grow(b->cable, b->ncables, sizeof *b->cable);
    b->cable[b->ncables++] = cable;
    return NULL;
}

/* ---- the ends of a cable ----------------------------------------------------------------- */

/* "leaf3" or "host:mlx5_0"; *rate: the NIC's, 0 if not known. */
static const char *find_end(struct sp_builder *b, const char *name, int line, int *vertex,
                            double *rate)
{
    struct sp_topo *t = b->t;
    const char *colon = strchr(name, ':');     /* a NIC may be called by its bus, 0000:18:00.0 */
    *vertex = sp_names_find(&b->sw, name);
    if (*vertex >= 0)
        return NULL;
    if (!colon)
        return sp_why("%s:%d: there is no switch %s (a NIC is written host:nic)", b->c->path,
                      line, name);
    char *host = strndup(name, (size_t)(colon - name));
    int node = sp_names_find(&b->node, host);
    free(host);
    if (node < 0)
        return sp_why("%s:%d: there is no node %.*s", b->c->path, line, (int)(colon - name),
                      name);
    const struct sp_mould *m = sp_mould_of(t, node);
    for (int k = 0; k < m->nnics; k++)
        if (!strcmp(m->vertex[m->nic[k]].name, colon + 1)) {
            *vertex = t->routes->first_vertex[node] + m->nic[k];
            *rate = m->nic_rate[k];
            return NULL;
        }
    return sp_why("%s:%d: machine %s has no NIC %s", b->c->path, line, m->name, colon + 1);
}

static const char *find_ends(struct sp_builder *b, const struct sp_cable_line *l,
                             struct sp_cable *cable)
{
    double rate = 0;
    const char *why = find_end(b, l->a, l->line, &cable->from, &rate);
    if (!why)
        why = find_end(b, l->b, l->line, &cable->to, &rate);
    if (why)
        return why;
    int switches = (b->t->vertex[cable->from].kind != SP_NIC)
        + (b->t->vertex[cable->to].kind != SP_NIC);
    if (!switches || cable->from == cable->to)
        return sp_why("%s:%d: one end of %s - %s must be a switch, and another one than the "
                      "other end", b->c->path, l->line, l->a, l->b);
    if (l->rate > 0)
        rate = switches == 1 && rate > 0 && rate < l->rate ? rate : l->rate;
    cable->rate = rate * (double)l->count;
    cable->count = (int)l->count;
    cable->line = l->line;
    cable->there = cable->back = l->latency;
    return NULL;
}

static const char *add_cables(struct sp_builder *b)
{
    for (int i = 0; i < b->c->ncables; i++) {
        const struct sp_cable_line *l = &b->c->cable[i];
        struct sp_cable cable;
        const char *why = find_ends(b, l, &cable);
        if (why)
            return why;
        if (cable.rate <= 0)
            return sp_why("%s:%d: link needs rate=: no NIC of known rate is at an end",
                          b->c->path, l->line);
        if ((why = sp_build_cable(b, cable)))
            return why;
    }
    return NULL;
}

/* ---- one link for parallel cables, without those that are down --------------------------- */

static int order(const void *left, const void *right)
{
    const struct sp_cable *a = left, *b = right;
    return a->from != b->from ? (a->from < b->from ? -1 : 1)
        : a->to != b->to ? (a->to < b->to ? -1 : 1) : 0;
}

/* No sum of some cables is more than all of them. */
static const char *merge(struct sp_builder *b)
{
    int n = 0;
    long all = 0;
    for (int i = 0; i < b->ncables; i++)
        all += b->cable[i].count;
    if (all > MOST_COUNTED)
        return sp_why("%s: %ld cables are more than %d", b->c->path, all, MOST_COUNTED);
    if (b->ncables)
        qsort(b->cable, (size_t)b->ncables, sizeof *b->cable, order);
    for (int i = 0; i < b->ncables; i++) {
        if (n && !order(&b->cable[n - 1], &b->cable[i])) {
            b->cable[n - 1].count += b->cable[i].count;
            b->cable[n - 1].rate += b->cable[i].rate;
        } else {
            b->cable[n++] = b->cable[i];
        }
    }
    b->ncables = n;
    return NULL;
}

static const char *take_down(struct sp_builder *b)
{
    for (int i = 0; i < b->c->ndowns; i++) {
        const struct sp_cable_line *l = &b->c->down[i];
        struct sp_cable key;
        const char *why = find_ends(b, l, &key);
        if (why)
            return why;
        if (key.from > key.to)
            key = (struct sp_cable){ .from = key.to, .to = key.from };
        struct sp_cable *at = !b->ncables ? NULL
            : bsearch(&key, b->cable, (size_t)b->ncables, sizeof key, order);
        if (!at || l->count > at->count)
            return sp_why("%s:%d: between %s and %s are only %d cables", b->c->path, l->line,
                          l->a, l->b, at ? at->count : 0);
        int left = l->count ? at->count - (int)l->count : 0;
        at->rate = at->count ? at->rate / at->count * left : 0;
        at->count = left;
    }
    return NULL;
}

/* ---- links and ports --------------------------------------------------------------------- */

static int nic_number(const struct sp_mould *m, int vertex)
{
    for (int k = 0; k < m->nnics; k++)
        if (m->nic[k] == vertex)
            return k;
    return -1;
}

/* PCIe links of NICs that nobody knows the rate of are as fast as their cables. */
static void fill_rates(struct sp_topo *t)
{
    double *rate = sp_alloc((size_t)t->nvertices * sizeof *rate);
    for (int i = 0; i < t->nlinks; i += 2)
        if (t->link[i].kind == SP_LINK_NET)
            rate[t->link[i].from] += t->link[i].rate;
    for (int i = 0; i < t->nlinks; i++)
        if (t->link[i].rate <= 0) {
            int nic = t->vertex[t->link[i].from].kind == SP_NIC ? t->link[i].from
                                                                : t->link[i].to;
            t->link[i].rate = rate[nic] > 0 ? rate[nic] : sp_device_default("pcie");
            t->link[i].source = rate[nic] > 0 ? "its cables" : "default";
        }
    free(rate);
}

static void add_links(struct sp_builder *b)
{
    struct sp_topo *t = b->t;
    struct sp_topo_routes *r = t->routes;
    int *places = sp_alloc(((size_t)r->nswitches + 1) * sizeof *places);
    for (int i = 0; i < b->ncables; i++) {
        const struct sp_cable *c = &b->cable[i];
        if (!c->count)
            continue;
        int link = sp_build_link(t, &(struct sp_link){
            .kind = SP_LINK_NET, .from = c->from, .to = c->to, .cables = c->count,
            .rate = c->rate, .latency = c->there, .source = "cluster file" }, c->back);
        if (t->vertex[c->from].kind != SP_NIC)
            continue;
        int node = t->vertex[c->from].node, at = c->to - r->first_switch;
        r->port = sp_grow(r->port, r->nports, sizeof *r->port);
        r->port[r->nports++] = (struct sp_port){
            .nic = nic_number(sp_mould_of(t, node), c->from - r->first_vertex[node]),
            .link = link, .at = at, .place = places[at]++ };
    }
    free(places);
    fill_rates(t);
}

const char *sp_build_network(struct sp_builder *b)
{
    struct sp_topo_routes *r = b->t->routes;
    const char *why = NULL;
    r->first_switch = b->t->nvertices;
    r->pxn = true;
    for (int i = 0; i < b->c->nfabrics && !why; i++) {
        why = sp_build_fabric(b, &b->c->fabric[i]);
        r->pxn &= b->c->fabric[i].pxn;
    }
    for (int i = 0, vertex; i < b->c->nswitches && !why; i++)
        why = sp_build_switch(b, b->c->sw[i].tier, b->c->sw[i].name, b->c->sw[i].line, &vertex);
    if (!why)
        why = add_cables(b);
    if (!why)
        why = merge(b);
    if (!why)
        why = take_down(b);
    if (!why)
        add_links(b);
    return why;
}
