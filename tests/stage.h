/* stage.h - scenes made by hand, with times that can be checked by hand.
 *
 * Eight ranks a node, each with a link of its own to its node's switch and a NIC of its own:
 *
 *      within a node    up[a] 450 GB/s, down[b] 450 GB/s                  1 us
 *      between nodes    out[a] 50 GB/s, in[b] 50 GB/s                     5 us
 *                       and leaf uplinks, if nodes a leaf hold fewer than all  */
/* SPDX-License-Identifier: MIT */
#ifndef STAGE_H
#define STAGE_H

#include "sim/predict.h"

struct stage {
    int nodes_per_leaf;         /* 0: one leaf */
    double oversubscribed;      /* 1: leaf uplinks carry all that comes from below */
    double net;                 /* of a NIC; 0: 50e9 */
    int ranks_per_nic;          /* 0: 1 */
    int shift;                  /* rank r stands at place r + shift */
    double attn, merge, copy;   /* seconds of each such step */
};

/* A profile that adds nothing to what the links have. */
struct sp_profile stage_profile(void);

struct sp_scene *stage_new(const struct sp_plan *p, const struct sp_profile *f, struct stage g);

/* Seconds of a pass in a mode; the scene's own plan. */
double stage_time(const struct sp_scene *s, enum sp_pass pass, struct sp_sim_options o);

#endif
