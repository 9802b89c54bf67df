/* options.h - what run, calibrate, predict, show and check are asked: one table of options for
 * all. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_OPTIONS_H
#define SP_OPTIONS_H

#include <stdbool.h>

#include "plan/plan.h"

struct sp_longs { long *at; int n; };           /* a list that sweeps */
struct sp_words { char **at; int n; };

struct sp_options {
    /* points */
    struct sp_words strategy, dtype, mask, layout;
    struct sp_longs sp, seq, batch, heads, kv_heads, head_dim;
    struct sp_words set;                        /* "ring.buffers=2,3", each as given */
    bool pass[SP_NPASSES];

    /* run */
    const char *transport, *kernels;            /* NULL: what there is */
    long threads;                               /* 0: what there is */
    long iters, warmup, seed;
    double seconds, timeout;
    bool decompose, no_baseline, dry_run, resume;
    const char *jsonl, *csv, *markdown, *dump, *trace;

    /* calibrate */
    const char *out, *from;
    /* predict */
    const char *cluster, *profile;
    long groups, per_node;                      /* 0: as many as the cluster has room for */
    struct sp_words slow;                       /* "RANK:FACTOR", each as given */
    double jitter, eps, net_rate;
    bool explicit_run;
    const char *timeline;                       /* and show */

    /* show */
    const char *format;
    long rank;                                  /* -1: all */
};

enum sp_verb { SP_VERB_RUN = 1, SP_VERB_SHOW = 2, SP_VERB_CHECK = 4, SP_VERB_PREDICT = 8,
               SP_VERB_CALIBRATE = 16 };

/* Reads argv[1..] as options of the verb, argv[0] being its name. Ends the program when they
 * make no sense (exit 2), or for --help. */
struct sp_options sp_options_read(enum sp_verb verb, int argc, char **argv);

#endif
