/* bench.h - small plans, run again and again, and how long their steps took.
 *
 * What is measured this way is what `run` would give: the same executor, on all ranks at once,
 * after a barrier. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_BENCH_H
#define SP_BENCH_H

#include "executor/real.h"

/* Who measures, and with what. */
struct sp_lab {
    struct sp_comm *c;
    const struct sp_kernels *kernels;
    int threads;
    double rate[2];             /* FLOP/s of a rank, at most, by dtype: how long things may take */
    unsigned long seed;         /* of inputs */
};

struct sp_bench;

/* The bench owns the plan. All ranks of l->c make the same; its inputs are filled. */
struct sp_bench *sp_bench_new(const struct sp_lab *l, struct sp_plan *p);
void sp_bench_free(struct sp_bench *b);

/* Run a pass, from a barrier on: its seconds on this rank. */
double sp_bench_run(struct sp_bench *b, enum sp_pass pass, enum sp_mode mode);

/* When each step of this rank ran, last. */
const struct sp_span *sp_bench_spans(const struct sp_bench *b);

/* Repetitions of one quantity. */
struct sp_tally { double *x; int n; };

enum sp_among { SP_SLOWEST, SP_FASTEST };       /* of the ranks, in each repetition */

void sp_tally_add(struct sp_tally *t, double seconds);

/* What takes so long is neither the best nor spoilt: a quarter of the repetitions is faster.
 * That is near the median of a quiet machine, and stays there when others disturb most of the
 * repetitions. All ranks of c call it; the tally is empty afterwards. */
double sp_tally_typical(struct sp_tally *t, struct sp_comm *c, enum sp_among who);

/* The mean of the middle half, of what varies by its nature, such as delays. */
double sp_tally_middle(struct sp_tally *t, struct sp_comm *c, enum sp_among who);

/* The same number on all ranks: the largest. */
double sp_lab_agree(const struct sp_lab *l, double x);

#endif
