/* fabric.c - a `fabric` line: two tiers of switches, one leaf for each rail of some nodes.
 *
 *      spine0      spine1              all leaves to all spines; oversub=2: half the cables
 *      |  \  \ \ / /  /  |             that the NICs of a full leaf have
 *      leaf0    leaf1    leaf2 ...     leaf: group of nodes x rail (x plane)
 *      |   |    |   |                  NIC k of n is on rail k * rails / n
 */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "topo/routes.h"
#include "util/memory.h"
#include "util/why.h"

enum { MOST_UP = 1 << 24 };     /* cables of a leaf to a spine */

struct plan {
    struct sp_builder *b;
    const struct sp_fabric_line *f;
    int *node, nnodes;
    int groups, leaves;         /* leaves: of a plane */
    int *leaf;                  /* vertices */
    double *down;               /* bytes/s of all NICs of a full leaf */
    double rate;                /* of a cable, the fastest there is */
};

static const char *list_nodes(struct plan *p)
{
    int all = p->b->t->nnodes, listed = p->f->nodes.n;
    p->nnodes = listed ? listed : all;
    p->node = sp_alloc((size_t)p->nnodes * sizeof *p->node);
    for (int i = 0; i < p->nnodes; i++) {
        p->node[i] = listed ? sp_names_find(&p->b->node, p->f->nodes.at[i]) : i;
        if (p->node[i] < 0)
            return sp_why("%s:%d: there is no node %s", p->b->c->path, p->f->line,
                          p->f->nodes.at[i]);
    }
    return NULL;
}

static const char *add_leaves(struct plan *p)
{
    const struct sp_fabric_line *f = p->f;
    const char *why = NULL;
    long per_leaf = f->nodes_per_leaf ? f->nodes_per_leaf : p->nnodes;
    p->groups = (int)((p->nnodes + per_leaf - 1) / per_leaf);
    p->leaves = p->groups * (int)f->rails;
    int n = p->leaves * (int)f->planes;
    p->leaf = sp_alloc((size_t)n * sizeof *p->leaf);
    p->down = sp_alloc((size_t)n * sizeof *p->down);
    for (int i = 0; i < n && !why; i++) {
        char name[300];
        snprintf(name, sizeof name, "%s/leaf%d", f->name, i);
        why = sp_build_switch(p->b, SP_TIER_LEAF, name, f->line, &p->leaf[i]);
    }
    return why;
}

/* Cables of a node's NICs, to each plane. */
static const char *add_node(struct plan *p, int place)
{
    const struct sp_fabric_line *f = p->f;
    struct sp_topo *t = p->b->t;
    int node = p->node[place];
    const struct sp_mould *m = sp_mould_of(t, node);
    long per_leaf = f->nodes_per_leaf ? f->nodes_per_leaf : p->nnodes;
    int group = (int)(place / per_leaf);
    if (m->nnics < f->rails)
        return sp_why("%s:%d: rails=%ld is more than the NICs of machine %s, %d",
                      p->b->c->path, f->line, f->rails, m->name, m->nnics);
    for (int k = 0; k < m->nnics; k++) {
        double nic = m->nic_rate[k], rate = f->rate > 0 ? f->rate : nic;
        rate = (nic > 0 && nic < rate ? nic : rate) / (double)f->planes;
        if (rate <= 0)
            return sp_why("%s:%d: the rate of NIC %s of machine %s is not known; give it as "
                          "nic_rate=, or rate= here", p->b->c->path, f->line,
                          m->vertex[m->nic[k]].name, m->name);
        for (int plane = 0; plane < f->planes; plane++) {
            int leaf = (plane * p->groups + group) * (int)f->rails
                + (int)(k * f->rails / m->nnics);
            if (place % per_leaf == 0)
                p->down[leaf] += rate * (double)per_leaf;
            p->rate = rate > p->rate ? rate : p->rate;
            const char *why = sp_build_cable(p->b, (struct sp_cable){
                .from = t->routes->first_vertex[node] + m->nic[k], .to = p->leaf[leaf],
                .count = 1, .line = f->line, .rate = rate, .there = f->nic,
                .back = f->sw + f->nic });
            if (why)
                return why;
        }
    }
    return NULL;
}

/* Spines, or one that stands for all of them where traffic spreads over all. */
static const char *add_spines(struct plan *p, int plane)
{
    const struct sp_fabric_line *f = p->f;
    bool pooled = f->spines < 0 || f->routing == SP_ROUTING_ADAPTIVE;
    long spines = f->spines < 0 ? p->leaves > 1 : f->spines;
    int n = pooled ? spines > 0 : (int)spines;
    const char *why = NULL;
    for (int s = 0; s < n && !why; s++) {
        char name[300];
        int spine;
        snprintf(name, sizeof name, "%s/spine%d", f->name, plane * n + s);
        why = sp_build_switch(p->b, SP_TIER_SPINE, name, f->line, &spine);
        for (int i = plane * p->leaves; i < (plane + 1) * p->leaves && !why; i++) {
            double total = p->down[i] / f->oversub / n;
            double cables = ceil(total / (f->uprate > 0 ? f->uprate : p->rate) - 1e-6);
            if (cables > MOST_UP)
                why = sp_why("%s:%d: %s would need %.0f cables to a spine, more than %d",
                             p->b->c->path, f->line, f->name, cables, MOST_UP);
            else if (total > 0)
                why = sp_build_cable(p->b, (struct sp_cable){
                    .from = p->leaf[i], .to = spine, .rate = total, .line = f->line,
                    .count = (int)cables, .there = f->sw, .back = f->sw });
        }
    }
    return why;
}

const char *sp_build_fabric(struct sp_builder *b, const struct sp_fabric_line *f)
{
    struct plan p = { .b = b, .f = f };
    const char *why = list_nodes(&p);
    if (!why && p.nnodes * f->rails * f->planes > 1 << 22)
        why = sp_why("%s:%d: that are too many leaves", b->c->path, f->line);
    if (!why)
        why = add_leaves(&p);
    for (int i = 0; i < p.nnodes && !why; i++)
        why = add_node(&p, i);
    for (int plane = 0; plane < f->planes && !why; plane++)
        why = add_spines(&p, plane);
    free(p.node);
    free(p.leaf);
    free(p.down);
    return why;
}
