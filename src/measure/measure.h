/* measure.h - one point: a plan run for real, verified, then timed. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_MEASURE_H
#define SP_MEASURE_H

#include "executor/real.h"
#include "measure/verify.h"

struct sp_effort {
    int iters, warmup;                  /* repetitions timed, and before */
    double seconds;                     /* a point's timed part ends about then; at least 3 */
    bool decompose;                     /* the other modes too */
    bool trace;                         /* keep one repetition's spans */
    unsigned long seed;                 /* of the inputs */
    const char *dump;                   /* directory for the tensors; NULL: none */
    const char *strategy;               /* for the dump */
};

/* Seconds, each the maximum over ranks of one repetition; n = 0: not measured. */
struct sp_timing { double *sample; int n; };

struct sp_passed {                      /* what a pass did; maxima over ranks */
    struct sp_timing time[SP_NMODES];
    double bytes_plan, bytes_moved, messages_plan, messages_moved;
    bool as_planned;                    /* on every rank, sent and received */
    double flops;                       /* of all ranks */
    double imbalance;                   /* most computing time of a rank / mean */
    double under;                       /* part of the transfers' time that kernels ran in */
};

struct sp_outcome {
    int ranks;
    const char *why;                    /* the plan was not right: nothing was run */
    struct sp_verdict verdict;          /* unless it passed, nothing was timed */
    struct sp_passed pass[SP_NPASSES];
    double mem_plan, mem_used;          /* bytes; maxima over ranks */
    struct sp_span *span;               /* by step, of this rank; NULL unless trace */
};

/* All ranks of c call it, and get the same outcome (but spans, their own). */
struct sp_outcome sp_measure(struct sp_comm *c, const struct sp_plan *p, const struct sp_kernels *k,
                             int threads, const struct sp_effort *e);
void sp_outcome_free(struct sp_outcome *o);

/* Hidden part of the communication: what overlap saves of doing one thing at a time, as a
 * fraction of communication alone; negative when it costs. NaN without all modes, or without
 * messages. */
double sp_passed_hidden(const struct sp_passed *p);

/* Seconds that the pass takes longer than its computing alone. NaN without both. */
double sp_passed_exposed(const struct sp_passed *p);

/* FLOP/s of a rank in its faster pass; 0 if nothing was timed. */
double sp_outcome_rate(const struct sp_outcome *o);

double sp_timing_median(const struct sp_timing *t);     /* NaN if not measured */

#endif
