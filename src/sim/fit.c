/* fit.c - a kernel's numbers from samples of it.
 *
 * What a number does shows in some samples only: launch in small ones, prologue in short key
 * lists, masked and tail in causal ones, alone in few heads. Each therefore is held near a
 * plausible value, as strongly as one sample of NOISE would, and the data move it from there.
 * Samples that fit nothing count less: their pull is bounded (Cauchy's weights). The
 * correction comes last, so that it can't take over what the tiles explain. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>

#include "sim/profile.h"
#include "util/least.h"
#include "util/memory.h"
#include "util/stats.h"
#include "util/why.h"

enum { FEWEST = 4, ROUNDS = 4, POINTS = 8 };
enum { LAUNCH, PROLOGUE, TILE, ROW, KEY, HOST, MASKED, ALONE, TAIL, SPLIT, NNUMBERS };

static const double NOISE = 0.03, FAR = 0.15, BEND = 0.002;

struct fitting {
    struct sp_kernel_fit *k;
    int slots;
    const struct sp_sample **s; int n;
    double *weight;                     /* of the samples */
    double middle[NNUMBERS], width[NNUMBERS];   /* of what is plausible */
};

/* The fitted numbers are free: logarithms, and a sine for what lies between two bounds. */
static double between(double x, double low, double high)
{
    return low + (high - low) * (0.5 + 0.5 * sin(x));
}

static double between_from(double y, double low, double high)
{
    return asin(2 * (y - low) / (high - low) - 1);
}

static void set(struct sp_kernel_fit *k, const double *x)
{
    k->launch = exp(x[LAUNCH]);
    k->prologue = exp(x[PROLOGUE]);
    k->tile = exp(x[TILE]);
    k->row = exp(x[ROW]);
    if (k->key > 0)
        k->key = exp(x[KEY]);
    if (k->host > 0)
        k->host = exp(x[HOST]);
    k->masked = exp(x[MASKED]);
    k->alone = between(x[ALONE], 0.5, 1);
    k->tail = between(x[TAIL], 0, 1);
    if (k->split > 0)
        k->split = between(x[SPLIT], 0.2, 1);
}

static double seconds(const struct sp_kernel_fit *k, int slots, const struct sp_work *w)
{
    return sp_kernel_seconds(k, w, slots, 1);
}

static void residuals(const double *x, double *r, void *of)
{
    struct fitting *f = of;
    set(f->k, x);
    for (int i = 0; i < f->n; i++)
        r[i] = f->weight[i]
               * log(seconds(f->k, f->slots, &f->s[i]->work) / f->s[i]->seconds);
    for (int j = 0; j < NNUMBERS; j++)
        r[f->n + j] = NOISE * (x[j] - f->middle[j]) / f->width[j];
}

static double given(double number, double otherwise)
{
    return number > 0 ? number : otherwise;
}

/* Where to start: the fastest sample is all launch, the most productive one all tiles. */
static void begin(struct fitting *f, double *x)
{
    double least = INFINITY, rate = 0;
    for (int i = 0; i < f->n; i++) {
        const struct sp_sample *s = f->s[i];
        least = fmin(least, s->seconds);
        rate = fmax(rate, sp_work_flops(&s->work) / s->seconds);
    }
    const struct sp_kernel_fit *k = f->k;
    struct sp_work one = sp_square_work(k->op, k->dtype, k->dim, 1, 1, k->tile_rows,
                                        k->tile_keys, false);
    double tile = sp_work_flops(&one) * f->slots / rate;
    const double middle[NNUMBERS] = {
        log(given(k->launch, least / 2)), log(given(k->prologue, tile)), log(tile),
        log(given(k->row, tile / k->tile_rows / f->slots / 10)),
        log(tile / k->tile_keys / f->slots),
        log(least / 2), log(1.2), between_from(0.9, 0.5, 1),
        between_from(0.5, 0, 1), between_from(0.8, 0.2, 1),
    };
    const double width[NNUMBERS] = {
        k->launch > 0 ? 0.3 : 1, k->prologue > 0 ? 0.3 : 1, 3, k->row > 0 ? 0.3 : 2, 2, 2, 0.3,
        1, 1, 0.7,
    };
    for (int j = 0; j < NNUMBERS; j++) {
        x[j] = f->middle[j] = middle[j];
        f->width[j] = width[j];
    }
}

/* ---- the curve --------------------------------------------------------------------- */

struct point { double x, y; };

static int by_x(const void *a, const void *b)
{
    const struct point *p = a, *q = b;
    return (p->x > q->x) - (p->x < q->x);
}

/* How far the points are from a monotone sequence, which replaces y. */
static double distance(const struct point *p, double *y, const double *w, int n, int rising)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        y[i] = p[i].y;
    sp_monotone(y, w, n, rising);
    for (int i = 0; i < n; i++)
        sum += w[i] * (p[i].y - y[i]) * (p[i].y - y[i]);
    return sum;
}

/* What is left of each sample, in the part that the curve is a factor of. Samples that are
 * mostly launch say nothing of it. */
static int leftovers(const struct fitting *f, struct point *p)
{
    int n = 0;
    for (int i = 0; i < f->n; i++) {
        const struct sp_sample *s = f->s[i];
        double rest = f->k->launch
                      + f->k->row * s->work.rows * s->work.heads * s->work.batch
                      + f->k->key * s->work.keys * s->work.kv_heads * s->work.batch;
        double tiles = seconds(f->k, f->slots, &s->work) - rest;
        double left = s->seconds - rest;
        if (left > 0.5 * s->seconds)
            p[n++] = (struct point){ sp_work_flops(&s->work), log(left / tiles) };
    }
    qsort(p, (size_t)n, sizeof *p, by_x);
    return n;
}

/* Medians of as many groups of equal size, rising or falling as they say themselves. */
static void fit_curve(struct fitting *f)
{
    struct point *p = sp_alloc((size_t)f->n * sizeof *p), group[POINTS];
    double *y = sp_alloc((size_t)f->n * sizeof *y), w[POINTS], up[POINTS], down[POINTS];
    int n = leftovers(f, p), points = n / 6 < POINTS ? n / 6 : POINTS;
    for (int g = 0; g < points; g++) {
        int from = n * g / points, to = n * (g + 1) / points, count = to - from;
        double x = 0;
        for (int i = from; i < to; i++) {
            y[i - from] = p[i].y;
            x += log(p[i].x) / count;
        }
        sp_sort(y, count);
        group[g] = (struct point){ exp(x), sp_median(y, count) };
        w[g] = count;
    }
    if (points > 1) {
        double rising = distance(group, up, w, points, 1);
        double falling = distance(group, down, w, points, 0);
        for (int g = 0; g < points; g++)
            if (g == 0 || group[g].x > group[g - 1].x * 1.001)
                sp_curve_add(&f->k->correction, group[g].x,
                             exp(rising <= falling ? up[g] : down[g]));
        sp_curve_thin(&f->k->correction, BEND);
    }
    free(p);
    free(y);
}

/* ---- all of it --------------------------------------------------------------------- */

static bool is_own(const struct sp_kernel_fit *k, const struct sp_sample *s)
{
    return s->work.op == k->op && s->work.dtype == k->dtype && s->work.dim == k->dim;
}

static const char *note_sizes(struct sp_kernel_fit *k, const struct sp_sample **s, int n)
{
    k->low_rows = k->low_keys = INFINITY;
    k->high_rows = k->high_keys = 0;
    for (int i = 0; i < n; i++) {
        const struct sp_work *w = &s[i]->work;
        if (!(s[i]->seconds > 0 && isfinite(s[i]->seconds) && w->rows >= 1 && w->keys >= 1 &&
              w->heads >= 1 && w->batch >= 1))
            return sp_why("a sample of %g seconds, %g rows and %g keys makes no sense",
                          s[i]->seconds, w->rows, w->keys);
        k->low_rows = fmin(k->low_rows, w->rows);
        k->high_rows = fmax(k->high_rows, w->rows);
        k->low_keys = fmin(k->low_keys, w->keys);
        k->high_keys = fmax(k->high_keys, w->keys);
    }
    k->samples = n;
    return NULL;
}

double *sp_fit_errors(const struct sp_kernel_fit *k, int slots, const struct sp_sample *s,
                      int n, int *count)
{
    double *error = sp_alloc((size_t)n * sizeof *error);
    *count = 0;
    for (int i = 0; i < n; i++)
        if (is_own(k, &s[i]))
            error[(*count)++] = fabs(log(seconds(k, slots, &s[i].work) / s[i].seconds));
    sp_sort(error, *count);
    return error;
}

static void fit(struct fitting *f)
{
    double x[NNUMBERS], *r = sp_alloc((size_t)(f->n + NNUMBERS) * sizeof *r);
    begin(f, x);
    for (int i = 0; i < f->n; i++)
        f->weight[i] = 1;
    for (int round = 0; round < ROUNDS; round++) {
        sp_least_squares(x, NNUMBERS, f->n + NNUMBERS, residuals, f);
        residuals(x, r, f);
        for (int i = 0; i < f->n; i++) {
            double far = r[i] / f->weight[i] / FAR;
            f->weight[i] = 1 / sqrt(1 + far * far);
        }
    }
    fit_curve(f);
    free(r);
}

const char *sp_fit_kernel(struct sp_kernel_fit *k, int slots, const struct sp_sample *s, int n)
{
    struct fitting f = { .k = k, .slots = slots };
    f.s = sp_alloc((size_t)n * sizeof *f.s);
    for (int i = 0; i < n; i++)
        if (is_own(k, &s[i]))
            f.s[f.n++] = &s[i];
    const char *why = f.n < FEWEST
        ? sp_why("%d samples of %s, %s, head dim %d: at least %d are needed", f.n,
                 sp_ops[k->op].name, sp_dtype_names[k->dtype], k->dim, FEWEST)
        : note_sizes(k, f.s, f.n);
    if (!why) {
        sp_curve_free(&k->correction);
        f.weight = sp_alloc((size_t)f.n * sizeof *f.weight);
        fit(&f);
        free(f.weight);
        int count;
        double *error = sp_fit_errors(k, slots, s, n, &count);
        k->residual = sp_median(error, count);
        free(error);
    }
    free(f.s);
    return why;
}
