/* flows.h - every pair of ranks of every group that has messages, and the links between them.
 *
 * There are millions of ways, made of few stretches: a way is cut in the middle, and each
 * half is shared by all ways that begin, or end, like it.
 *
 *      gpu - psw - nic - leaf - spine | leaf - nic - psw - gpu
 *      head: one for each spine       | tail: one for each spine                          */
/* SPDX-License-Identifier: MIT */
#ifndef SP_FLOWS_H
#define SP_FLOWS_H

#include "sim/intern.h"
#include "sim/rounds.h"
#include "sim/traffic.h"

struct sp_stretch {
    int before;                 /* the stretch that it goes on from; -1: it begins here ... */
    int link;                   /* ... -1: and crosses nothing; else dense, see link_of */
    float share;
    int way;                    /* where it begins a tail: the way's number; else -1 */
};

struct sp_flows {
    const struct sp_traffic *t;
    const struct sp_placement *at;
    int nflows;                 /* groups x t->npairs */
    int *head, *tail;           /* by flow: the last stretches of its halves */
    struct sp_stretch *stretch; int nstretches; /* each after the one before it */
    struct sp_way *way; int nways;      /* class, latency and cap; no hops */
    int *link_of; int nlinks;           /* the topology's; those that are crossed */
    struct sp_rounds **rounds;          /* by group; NULL: no path asks for it */
};

struct sp_flows *sp_flows_new(const struct sp_traffic *t, const struct sp_topo *topo,
                              const struct sp_profile *f, const struct sp_placement *at,
                              bool rounds);
void sp_flows_free(struct sp_flows *x);

/* Units are the ranks of all groups: group x ranks + rank. */
static inline int sp_flow_pair(const struct sp_flows *x, int flow)
{
    return flow % x->t->npairs;
}

static inline int sp_flow_from(const struct sp_flows *x, int flow)
{
    return flow / x->t->npairs * x->at->ranks + x->t->pair[flow % x->t->npairs].from;
}

static inline int sp_flow_to(const struct sp_flows *x, int flow)
{
    return flow / x->t->npairs * x->at->ranks + x->t->pair[flow % x->t->npairs].to;
}

int sp_flow_round(const struct sp_flows *x, int flow);  /* 0 without rounds */

#endif
