/* bound.h - the best that links allow, if each rank sends as much as any other: the fullest
 * link decides. Nominal rates, no latencies. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_BOUND_H
#define SP_BOUND_H

#include "topo/topo.h"

enum sp_pattern {
    SP_PATTERN_RING,            /* each to the next */
    SP_PATTERN_ALLTOALL,        /* each to all others, equal parts at once */
};

struct sp_bound {
    double rate;                /* bytes/s that each rank sends; INFINITY: there is only one */
    int link;                   /* the fullest; of several one of the network */
    double load;                /* of it: bytes for each byte that a rank sends */
};

/* Among the first so many endpoints. ranks^2 routes are looked at for an all-to-all. */
struct sp_bound sp_bound(const struct sp_topo *t, enum sp_pattern pattern, int ranks);

#endif
