/* scene.h - a plan laid on a machine: how long each step takes alone, and which links each
 * message crosses. Everything that the clock needs to know; nothing moves yet. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_SCENE_H
#define SP_SCENE_H

#include "plan/plan.h"
#include "sim/profile.h"
#include "topo/topo.h"

/* Which endpoint each rank of each group runs on; groups run the same plan at the same time. */
struct sp_placement {
    int groups, ranks;
    int *endpoint;              /* groups x ranks */
    const double *speed;        /* of each, 1 is the profile's; NULL: all 1 */
};

/* Groups fill nodes one after the other, with so many ranks of a group on each node (0: all
 * endpoints); if nodes have more, further groups share them, as those of tensor parallelism do.
 * NULL, or why it doesn't fit; free() endpoint. */
const char *sp_place(const struct sp_topo *t, int ranks, int groups, int per_node,
                     struct sp_placement *out);
int sp_place_room(const struct sp_topo *t, int ranks, int per_node);    /* for so many groups */

struct sp_way {                 /* of messages from one rank to another */
    enum sp_path_class class;
    double latency, cap;        /* of the route, as can be had */
    int hop, nhops;             /* in sp_scene.hop */
};

struct sp_scene {
    const struct sp_plan *plan; /* steps, needs, groups, twins, lanes */
    struct sp_plan *owned;      /* the same, if it was made for this scene; else NULL */
    const struct sp_profile *profile;
    double *work;               /* by step: seconds alone at full speed; 0 for messages */
    double *bytes;              /* by step: of SEND; else 0 */
    int *way;                   /* by step: of SEND; else -1 */
    struct sp_way *ways; int nways;
    struct sp_hop *hop;  int nhops;
    double *rate; int nlinks;   /* bytes/s of each link that can be had */
    int *link_of;               /* the link of the topology that each stands for */
    double *speed;              /* by rank: 1 is the profile's */
    int *host;                  /* by rank: ranks of one host share its processors ... */
    double *processors;         /* ... of which there are so many, by host (of all the hosts
                                   that it stands for); 0: not shared */
    int *weight;                /* by rank: how many ranks it stands for; NULL: itself */
    int *stands;                /* by link: for how many of the topology; NULL: itself */
    float *squeezed;            /* by step: part of its speed while messages hold slots; NULL: 1 */
    float *full;                /* by step: part of its time in which messages can't begin, for
                                   tiles wait for slots; NULL: 0 */
    int *round;                 /* by step: of messages, when NCCL would start it (rounds.h);
                                   NULL: messages take no turns */
    bool inside;                /* all sizes lie within those calibrated */
};

/* One group, explicitly. The plan, profile and topology must outlive it. */
struct sp_scene *sp_scene_new(const struct sp_plan *p, const struct sp_topo *t,
                              const struct sp_profile *f, const struct sp_placement *at);

/* All groups, explicitly: the plan is repeated. For small sizes, and to prove the next. */
struct sp_scene *sp_scene_all(const struct sp_plan *p, const struct sp_topo *t,
                              const struct sp_profile *f, const struct sp_placement *at);

/* All groups, one rank standing for all that are alike (symmetry.c): the same times. Lanes of
 * GPUs must be streams (sim.h), of CPUs not. */
struct sp_scene *sp_scene_collapsed(const struct sp_plan *p, const struct sp_topo *t,
                                    const struct sp_profile *f, const struct sp_placement *at);

void sp_scene_free(struct sp_scene *s);

/* ---- for those who make scenes ----------------------------------------------------------- */

/* Arrays by step, of s->plan and s->profile: work, squeezed, full, bytes; ways are -1. */
void sp_scene_steps(struct sp_scene *s);

/* Whether messages of a group take turns, so that NCCL's rounds count. */
bool sp_scene_turns(const struct sp_profile *f);

/* What a message meets between endpoints, as the profile lets it be; its hops are *r's. */
struct sp_way sp_scene_route(const struct sp_topo *t, const struct sp_profile *f, int from, int to,
                             struct sp_route *r);

/* The rates of the links of a topology under a profile. free() it. */
double *sp_scene_rates(const struct sp_topo *t, const struct sp_profile *f);

#endif
