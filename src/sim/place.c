/* place.c - ranks on endpoints, node by node. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "sim/scene.h"
#include "util/memory.h"
#include "util/why.h"

/* Nodes are used in layers of per_node endpoints each: as a group has so many ranks on a node,
 * the others of the node are free for other groups. Of a layer, those of one node: */
static int layer_first(int layer, int per_node) { return layer * per_node; }

static int layer_ranks(const struct sp_node *n, int layer, int per_node)
{
    if (!per_node)
        return layer ? 0 : n->endpoints;
    return layer_first(layer + 1, per_node) <= n->endpoints ? per_node : 0;
}

static int layer_all(const struct sp_topo *t, int layer, int per_node)
{
    int all = 0;
    for (int i = 0; i < t->nnodes; i++)
        all += layer_ranks(&t->node[i], layer, per_node);
    return all;
}

int sp_place_room(const struct sp_topo *t, int ranks, int per_node)
{
    int groups = 0;
    for (int layer = 0, all; (all = layer_all(t, layer, per_node)) >= ranks; layer++)
        groups += all / ranks;
    return groups;
}

static const char *too_few(const struct sp_topo *t, int ranks, int groups, int per_node)
{
    int have = layer_all(t, 0, per_node);
    if (ranks <= have)
        return sp_why(per_node ? "%d groups of --sp %d: there is room for %d, with %d of a group "
                                 "on each node"
                               : "%d groups of --sp %d: there is room for %d", groups, ranks,
                      sp_place_room(t, ranks, per_node), per_node);
    return sp_why(per_node ? "--sp %d needs %d endpoints, the cluster has %d with %d on each node"
                           : "--sp %d needs %d endpoints, the cluster has %d", ranks, ranks, have,
                  per_node);
}

const char *sp_place(const struct sp_topo *t, int ranks, int groups, int per_node,
                     struct sp_placement *out)
{
    for (int i = 0; i < t->nnodes; i++)
        if (per_node > t->node[i].endpoints)
            return sp_why("%d ranks on each node: %s has only %d endpoints", per_node,
                          t->node[i].name, t->node[i].endpoints);
    if (groups > sp_place_room(t, ranks, per_node))
        return too_few(t, ranks, groups, per_node);
    *out = (struct sp_placement){ .groups = groups, .ranks = ranks };
    out->endpoint = sp_alloc((size_t)ranks * (size_t)groups * sizeof *out->endpoint);
    long n = 0, need = (long)ranks * groups;
    for (int layer = 0; n < need; layer++) {
        long whole = layer_all(t, layer, per_node) / ranks * (long)ranks;   /* no group in two */
        long end = n + whole < need ? n + whole : need;
        for (int i = 0; i < t->nnodes; i++)
            for (int j = 0; j < layer_ranks(&t->node[i], layer, per_node) && n < end; j++)
                out->endpoint[n++] = t->node[i].first + layer_first(layer, per_node) + j;
    }
    return NULL;
}
