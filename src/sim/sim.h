/* sim.h - an executor with a clock: the steps of a scene in virtual time. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_SIM_H
#define SP_SIM_H

#include "executor/executor.h"
#include "sim/scene.h"

/* What is simulated of the plan; as the modes of executor/real.h. */
enum sp_sim_mode { SP_SIM_OVERLAPPED, SP_SIM_SERIALISED, SP_SIM_COMPUTE, SP_SIM_COMM };

struct sp_sim_options {
    enum sp_sim_mode mode;
    double eps;                 /* sp_net_new */
    double jitter;              /* sigma of a log-normal factor of each computation; 0: none */
    unsigned long seed;
    bool streams;               /* lanes are streams and a group is a kernel (GPUs); else one
                                   worker computes and the host moves messages (CPUs) */
    struct sp_span *span;       /* given to sp_loop_run() too: when computations began, which
                                   the loop can't know; may be NULL */
};

struct sp_sim;
struct sp_sim *sp_sim_new(const struct sp_scene *s, const struct sp_sim_options *o);
void sp_sim_free(struct sp_sim *x);
struct sp_executor *sp_sim_executor(struct sp_sim *x);      /* for sp_loop_run() */

/* Bytes that have crossed each link of the scene. */
double sp_sim_crossed(const struct sp_sim *x, int link);

/* What took its time so far. */
struct sp_sim_tale {
    double latency;             /* seconds that the groups of one lane waited before bytes ... */
    long groups;                /* ... and how many they were; of the lane with most */
    double slowed;              /* seconds more than alone that a rank computed, at most */
    double issued;              /* when the last host had issued all; 0: at once */
};
struct sp_sim_tale sp_sim_tale(const struct sp_sim *x);

#endif
