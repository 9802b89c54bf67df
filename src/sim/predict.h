/* predict.h - from a plan and a machine to what a measurement would have shown. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_PREDICT_H
#define SP_PREDICT_H

#include "executor/executor.h"
#include "sim/scene.h"
#include "sim/sim.h"

struct sp_forecast_options {
    int groups;                 /* that run the plan at once, each on its own endpoints; 1 */
    int per_node;               /* ranks on a node; 0: all its endpoints */
    bool decompose;             /* all modes */
    bool explicit_run;          /* don't collapse */
    double eps;                 /* sp_net_new; 0: exact, or coarse where very many messages fly
                                   at once; < 0: exact */
    double jitter;
    unsigned long seed;
    const double *speed;        /* by rank; NULL: all 1 */
    struct sp_span *span;       /* by step of the first group; filled if not NULL (explicitly) */
};

struct sp_forecast_pass {
    double time[4];             /* seconds, by enum sp_sim_mode; NaN: not asked for */
    double exposed;             /* longer than computing alone */
    double bytes[SP_NLINK_KINDS];       /* that crossed links of each kind, all groups */
    int bottleneck;             /* link of the topology that is fullest while the messages run
                                   alone; -1: none, or computing hides them */
    double busy;                /* part of it that they then fill */
    char why[240];              /* one sentence: what bounds the time */
};

struct sp_forecast {
    const char *why;            /* it can't be predicted; else NULL. sp_why() */
    struct sp_forecast_pass pass[SP_NPASSES];
    double memory;              /* bytes of the rank that has most: the plan's buffers */
    bool inside;                /* all sizes and ways within those calibrated */
    int ranks, represented;     /* simulated, and stood for */
};

struct sp_forecast sp_predict(const struct sp_plan *p, const struct sp_topo *t,
                              const struct sp_profile *f, const struct sp_forecast_options *o);

#endif
