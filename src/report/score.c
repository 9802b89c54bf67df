/* score.c - errors, order and regret of predictions. */
/* SPDX-License-Identifier: MIT */
#include "report/score.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "util/memory.h"
#include "util/stats.h"

static const double clear = 1.05;

struct sp_score sp_score(const struct sp_comparison *x, int n)
{
    struct sp_score s = { .n = n, .median = NAN, .p95 = NAN, .bias = NAN };
    if (!n)
        return s;
    double *error = sp_alloc((size_t)n * sizeof *error), logs = 0;
    for (int i = 0; i < n; i++) {
        double ratio = x[i].predicted / x[i].measured;
        error[i] = fabs(ratio - 1);
        logs += log(ratio);
    }
    sp_sort(error, n);
    s.median = sp_median(error, n);
    s.p95 = sp_quantile(error, n, 0.95);
    s.bias = exp(logs / n) - 1;
    free(error);
    return s;
}

void sp_order_add(struct sp_order *o, const struct sp_comparison *x, int n)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) {
            double measured = x[i].measured / x[j].measured;
            double predicted = x[i].predicted / x[j].predicted;
            if (measured == 1)
                continue;
            bool right = (measured > 1 && predicted > 1) || (measured < 1 && predicted < 1);
            bool far = fmax(measured, 1 / measured) > clear;
            o->pairs++;
            o->right += right;
            o->wrong += !right && predicted != 1;
            o->clear += far;
            o->clear_right += far && right;
        }
}

double sp_order_tau(const struct sp_order *o)
{
    return o->pairs ? (double)(o->right - o->wrong) / (double)o->pairs : NAN;
}

double sp_regret(const struct sp_comparison *x, int n)
{
    double best = INFINITY, predicted = INFINITY, taken = NAN;
    for (int i = 0; i < n; i++) {
        best = fmin(best, x[i].measured);
        bool tied = x[i].predicted == predicted && x[i].measured > taken;
        if (x[i].predicted < predicted || tied)
            taken = x[i].measured;
        predicted = fmin(predicted, x[i].predicted);
    }
    return taken / best - 1;
}
