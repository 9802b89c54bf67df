/* place.c - ranks on endpoints, node by node. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "sim/scene.h"
#include "util/memory.h"
#include "util/why.h"

/* The endpoints of a node that are used: the first ones. */
static int used(const struct sp_node *n, int per_node)
{
    return per_node && per_node < n->endpoints ? per_node : n->endpoints;
}

static const char *too_few(int ranks, int groups, int per_node, long have)
{
    long need = (long)ranks * groups;
    if (groups > 1 && per_node)
        return sp_why("%d groups of --sp %d need %ld endpoints, the cluster has %ld with %d on "
                      "each node", groups, ranks, need, have, per_node);
    if (groups > 1)
        return sp_why("%d groups of --sp %d need %ld endpoints, the cluster has %ld", groups, ranks,
                      need, have);
    if (per_node)
        return sp_why("--sp %d needs %ld endpoints, the cluster has %ld with %d on each node",
                      ranks, need, have, per_node);
    return sp_why("--sp %d needs %ld endpoints, the cluster has %ld", ranks, need, have);
}

const char *sp_place(const struct sp_topo *t, int ranks, int groups, int per_node,
                     struct sp_placement *out)
{
    long have = 0, need = (long)ranks * groups, n = 0;
    for (int i = 0; i < t->nnodes; i++) {
        if (per_node > t->node[i].endpoints)
            return sp_why("%d ranks on each node: %s has only %d endpoints", per_node,
                          t->node[i].name, t->node[i].endpoints);
        have += used(&t->node[i], per_node);
    }
    if (need > have)
        return too_few(ranks, groups, per_node, have);
    *out = (struct sp_placement){ .groups = groups, .ranks = ranks };
    out->endpoint = sp_alloc((size_t)need * sizeof *out->endpoint);
    for (int i = 0; i < t->nnodes; i++)
        for (int j = 0; j < used(&t->node[i], per_node) && n < need; j++)
            out->endpoint[n++] = t->node[i].first + j;
    return NULL;
}
