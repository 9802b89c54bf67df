/* rounds.c - NCCL's order of the messages of a group. */
/* SPDX-License-Identifier: MIT */
#include "sim/rounds.h"

#include <stdbool.h>
#include <stdlib.h>

#include "util/memory.h"

struct sp_rounds {
    int nodes, locals;
    int *node, *local;          /* by rank */
    int *node_turn, *local_turn;        /* by distance */
};

/* turn[d]: the how-manieth the distance d is among n. */
static int *turns(int n)
{
    int *turn = sp_alloc((size_t)n * sizeof *turn), power = 1, turns = 0, distance = 0;
    while (power < n)
        power *= 2;
    for (int i = 1; i <= power; i++) {
        if (distance < n)
            turn[distance] = turns++;
        distance = (distance + i) & (power - 1);
    }
    return turn;
}

/* Nodes and local ranks as they are used: numbered without gaps. False: unequal nodes. */
static bool deal(struct sp_rounds *x, const int *node, int ranks, int nodes)
{
    int *count = sp_alloc((size_t)nodes * sizeof *count);
    int *number = sp_alloc((size_t)nodes * sizeof *number);
    for (int r = 0; r < ranks; r++) {
        if (!count[node[r]])
            number[node[r]] = x->nodes++;
        x->node[r] = number[node[r]];
        x->local[r] = count[node[r]]++;
    }
    bool equal = true;
    x->locals = count[node[0]];
    for (int i = 0; i < nodes; i++)
        equal &= !count[i] || count[i] == x->locals;
    free(count);
    free(number);
    return equal;
}

struct sp_rounds *sp_rounds_new(const int *node, int ranks, int nodes)
{
    struct sp_rounds *x = sp_alloc(sizeof *x);
    x->node = sp_alloc((size_t)ranks * sizeof *x->node);
    x->local = sp_alloc((size_t)ranks * sizeof *x->local);
    if (!deal(x, node, ranks, nodes)) {
        x->nodes = 1;
        x->locals = ranks;
        for (int r = 0; r < ranks; r++) {
            x->node[r] = 0;
            x->local[r] = r;
        }
    }
    x->node_turn = turns(x->nodes);
    x->local_turn = turns(x->locals);
    return x;
}

void sp_rounds_free(struct sp_rounds *x)
{
    if (!x)
        return;
    free(x->node);
    free(x->local);
    free(x->node_turn);
    free(x->local_turn);
    free(x);
}

int sp_round(const struct sp_rounds *x, int from, int to)
{
    int far = (x->node[to] - x->node[from] + x->nodes) % x->nodes;
    int near = (x->local[to] - x->local[from] + x->locals) % x->locals;
    return x->node_turn[far] * x->locals + x->local_turn[near];
}
