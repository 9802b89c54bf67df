/* fit_path.c - latency and rate of a class of paths first, efficiency from what they leave:
 * so no effect is counted twice. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>

#include "sim/profile.h"
#include "util/least.h"
#include "util/memory.h"
#include "util/stats.h"
#include "util/why.h"

enum { FEWEST = 3, POINTS = 12 };
static const double BEND = 0.002;

double sp_path_seconds(const struct sp_path_fit *f, double bytes)
{
    if (bytes <= 0)
        return f->latency;
    return f->latency + bytes / (f->rate * sp_curve_at(&f->efficiency, bytes, NULL));
}

struct fitting { struct sp_path_fit *f; const struct sp_transfer *t; int n; bool rate_given; };

static void set(const struct fitting *f, const double *x)
{
    f->f->latency = exp(x[0]);
    if (!f->rate_given)
        f->f->rate = exp(x[1]);
}

static void residuals(const double *x, double *r, void *of)
{
    const struct fitting *f = of;
    set(f, x);
    for (int i = 0; i < f->n; i++)
        r[i] = log(sp_path_seconds(f->f, f->t[i].bytes) / f->t[i].seconds);
}

static int by_bytes(const void *a, const void *b)
{
    const struct sp_transfer *s = a, *t = b;
    return (s->bytes > t->bytes) - (s->bytes < t->bytes);
}

/* Medians over groups of messages of like size, of those that are not mostly latency; rising
 * to 1, which makes `rate` what the largest get. */
static void fit_efficiency(struct sp_path_fit *f, const struct sp_transfer *sorted, int n)
{
    double x[POINTS], y[POINTS], w[POINTS], *e = sp_alloc((size_t)n * sizeof *e);
    int first = 0;
    while (first < n && sorted[first].seconds - f->latency < 0.3 * sorted[first].seconds)
        first++;
    int some = n - first, points = some / 3 < POINTS ? some / 3 : POINTS;
    for (int g = 0; g < points; g++) {
        int from = first + some * g / points, to = first + some * (g + 1) / points;
        x[g] = w[g] = 0;
        for (int i = from; i < to; i++) {
            double left = fmax(sorted[i].seconds - f->latency, 0.05 * sorted[i].seconds);
            e[i - from] = sorted[i].bytes / left / f->rate;
            x[g] += log(sorted[i].bytes) / (to - from);
            w[g] += left * left / sorted[i].seconds / sorted[i].seconds;
        }
        sp_sort(e, to - from);
        y[g] = sp_median(e, to - from);
    }
    free(e);
    if (points < 2)
        return;
    sp_monotone(y, w, points, 1);
    double top = y[points - 1];
    for (int g = 0; g < points; g++)
        if (f->efficiency.n == 0 || exp(x[g]) > f->efficiency.x[f->efficiency.n - 1] * 1.001)
            sp_curve_add(&f->efficiency, exp(x[g]), y[g] / top);
    sp_curve_thin(&f->efficiency, BEND);
    f->rate *= top;
}

const char *sp_fit_path(struct sp_path_fit *f, const struct sp_transfer *t, int n)
{
    double least = INFINITY, rate = 0;
    for (int i = 0; i < n; i++) {
        if (!(t[i].seconds > 0 && isfinite(t[i].seconds) && t[i].bytes >= 0))
            return sp_why("a message of %g bytes in %g seconds makes no sense", t[i].bytes,
                          t[i].seconds);
        least = fmin(least, t[i].seconds);
        rate = fmax(rate, t[i].bytes / t[i].seconds);
    }
    if (n < FEWEST || !(rate > 0))
        return sp_why("%d messages: at least %d are needed", n, FEWEST);
    struct sp_transfer *sorted = sp_alloc((size_t)n * sizeof *sorted);
    for (int i = 0; i < n; i++)
        sorted[i] = t[i];
    qsort(sorted, (size_t)n, sizeof *sorted, by_bytes);
    struct fitting all = { .f = f, .t = sorted, .n = n, .rate_given = f->rate > 0 };
    sp_curve_free(&f->efficiency);
    double x[2] = { log(least), log(rate) };
    sp_least_squares(x, all.rate_given ? 1 : 2, n, residuals, &all);
    set(&all, x);
    if (!all.rate_given)
        fit_efficiency(f, sorted, n);
    f->known = true;
    double *error = sp_alloc((size_t)n * sizeof *error);
    for (int i = 0; i < n; i++)
        error[i] = fabs(log(sp_path_seconds(f, t[i].bytes) / t[i].seconds));
    sp_sort(error, n);
    f->residual = sp_median(error, n);
    free(error);
    free(sorted);
    return NULL;
}
