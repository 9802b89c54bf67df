/* ways.h - every pair of ranks of every group that has messages, and the links between them.
 *
 * There are millions of ways, made of few stretches: a way is cut in the middle, and each
 * half is shared by all ways that begin, or end, like it.
 *
 *      gpu - psw - nic - leaf - spine | leaf - nic - psw - gpu
 *      head: one for each spine       | tail: one for each spine                          */
/* SPDX-License-Identifier: MIT */
#ifndef SP_WAYS_H
#define SP_WAYS_H

#include "sim/intern.h"
#include "sim/rounds.h"
#include "sim/traffic.h"

struct sp_stretch {
    int before;                 /* the stretch that it goes on from; -1: it begins here ... */
    int link;                   /* ... -1: and crosses nothing; else dense, see link_of */
    float share;
    int kind;                   /* where it begins a tail: of the way; else -1 */
};

struct sp_ways {
    const struct sp_traffic *t;
    const struct sp_placement *at;
    int nways;                  /* groups x t->npairs */
    int *head, *tail;           /* by way: the last stretches of its halves */
    struct sp_stretch *stretch; int nstretches; /* each after the one before it */
    struct sp_way *kind; int nkinds;    /* of ways: class, latency and cap; no hops */
    int *link_of; int nlinks;           /* the topology's; those that are crossed */
    struct sp_rounds **rounds;          /* by group; NULL: no path asks for it */
};

struct sp_ways *sp_ways_new(const struct sp_traffic *t, const struct sp_topo *topo,
                            const struct sp_profile *f, const struct sp_placement *at,
                            bool rounds);
void sp_ways_free(struct sp_ways *x);

/* Units are the ranks of all groups: group x ranks + rank. */
static inline int sp_way_pair(const struct sp_ways *x, int way)
{
    return way % x->t->npairs;
}

static inline int sp_way_from(const struct sp_ways *x, int way)
{
    return way / x->t->npairs * x->at->ranks + x->t->pair[way % x->t->npairs].from;
}

static inline int sp_way_to(const struct sp_ways *x, int way)
{
    return way / x->t->npairs * x->at->ranks + x->t->pair[way % x->t->npairs].to;
}

int sp_way_round(const struct sp_ways *x, int way);  /* 0 without rounds */

#endif
