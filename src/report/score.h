/* score.h - how good predictions were: errors, and whether they choose well.
 *
 * The error of a prediction is predicted / measured - 1. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_SCORE_H
#define SP_SCORE_H

struct sp_comparison { double measured, predicted; };         /* seconds, above 0 */

/* Of many pairs; all NaN without any. */
struct sp_score {
    int n;
    double median, p95;         /* of the errors' sizes */
    double bias;                /* exp(mean log(predicted / measured)) - 1: 0 if as often too
                                   slow as too fast by as much */
};

struct sp_score sp_score(const struct sp_comparison *x, int n);

/* Several ways to compute one thing on one machine: are they put in the right order? */
struct sp_order {
    long pairs;                 /* whose measured times differ */
    long right, wrong;          /* predicted in the same order, or the other way round */
    long clear, clear_right;    /* of pairs that differ by more than 5 % */
};

void sp_order_add(struct sp_order *o, const struct sp_comparison *x, int n);

/* Kendall's tau of all pairs added; NaN without any. */
double sp_order_tau(const struct sp_order *o);

/* What it costs to take the predicted best: its measured time over the best one, less 1. Of
 * choices that are predicted alike the worst counts. */
double sp_regret(const struct sp_comparison *x, int n);

#endif
