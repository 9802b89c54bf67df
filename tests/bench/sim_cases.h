/* sim_cases.h - the work on which simulators are compared, and how it runs on flows.
 *
 *      spine
 *        |  \              leaf links: 4 nodes x 8 NICs x 50 GB/s / oversubscription
 *      leaf  leaf
 *        |
 *      NIC 50 GB/s         one of each GPU; 5 us from GPU to GPU of different nodes
 *        |
 *      GPU -- NVLink       450 GB/s; 1 us from GPU to GPU of a node of 8
 *
 * The simulators' own repositories have no common benchmark: these cases are ours. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_SIM_CASES_H
#define SP_SIM_CASES_H

#include <stdbool.h>

#include "sim/flow.h"

enum sp_case_pattern {
    SP_CASE_RING,       /* P - 1 steps of: send on, receive, compute; then compute */
    SP_CASE_ONESHOT,    /* to every other rank at once */
    SP_CASE_XOR,        /* to rank ^ 1, ^ 2, ..., one after the other */
    SP_CASE_SHIFT,      /* to rank + 1, + 2, ... */
};

struct sp_case {
    const char *name;
    enum sp_case_pattern pattern;
    double oversub, bytes, compute;
    bool jitter;                /* ranks compute up to 1.3 times as long */
    bool vary;                  /* pairs send 0.8 to 1.2 times as much */
};

extern const struct sp_case sp_cases[];         /* ends with a name of NULL */

double sp_case_compute(const struct sp_case *c, int rank);
double sp_case_bytes(const struct sp_case *c, int ranks, int from, int to);

/* ---- the fabric -------------------------------------------------------------------- */

enum { SP_CASE_NODE = 8, SP_CASE_LEAF = 32 };   /* ranks of each */

enum sp_case_link {             /* four of each rank; then two of each leaf */
    SP_CASE_NVUP, SP_CASE_NVDOWN, SP_CASE_NICUP, SP_CASE_NICDOWN,
    SP_CASE_LEAFUP, SP_CASE_LEAFDOWN
};

/* Links of so many ranks and leaves: kinds one after the other. free() it. */
double *sp_case_rates(const struct sp_case *c, int ranks, int leaves);
int sp_case_link_of(enum sp_case_link kind, int at, int ranks, int leaves);

enum sp_case_tier {
    SP_CASE_SAME_NODE, SP_CASE_SAME_LEAF, SP_CASE_OTHER_LEAF, SP_CASE_TIERS
};
enum sp_case_tier sp_case_tier_of(int from, int to);
extern const double sp_case_latency[SP_CASE_TIERS];

/* ---- runs -------------------------------------------------------------------------- */

/* Seconds until all is done. */
double sp_case_run(const struct sp_case *c, int ranks, double eps);

/* The same, one rank for all that are alike: NULL; or why there are none. */
const char *sp_case_collapsed(const struct sp_case *c, int ranks, double eps,
                              double *seconds);

/* Ranks or classes of them in a ring: each has one that it sends to, and the other way
 * round. path: of the flow to it. */
struct sp_case_ring {
    int n, steps;
    const int *next, *previous, *path;
    const double *latency, *compute;
    double bytes;
};
double sp_case_ring(struct sp_net *net, const struct sp_case_ring *r);

#endif
