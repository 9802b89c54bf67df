/* least.c - Levenberg-Marquardt, and isotonic regression. */
/* SPDX-License-Identifier: MIT */
#include "util/least.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

enum { MOST_STEPS = 200 };

static double square_sum(const double *r, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += r[i] * r[i];
    return isfinite(sum) ? sum : INFINITY;
}

/* a x = b for a positive definite matrix, by Cholesky; false if it isn't one. */
static int solve(double a[][SP_LEAST_MOST], const double *b, double *x, int n)
{
    double l[SP_LEAST_MOST][SP_LEAST_MOST] = { { 0 } };
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            double sum = a[i][j];
            for (int k = 0; k < j; k++)
                sum -= l[i][k] * l[j][k];
            if (i == j && !(sum > 0))
                return 0;
            l[i][j] = i == j ? sqrt(sum) : sum / l[j][j];
        }
    for (int i = 0; i < n; i++) {
        x[i] = b[i];
        for (int k = 0; k < i; k++)
            x[i] -= l[i][k] * x[k];
        x[i] /= l[i][i];
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int k = i + 1; k < n; k++)
            x[i] -= l[k][i] * x[k];
        x[i] /= l[i][i];
    }
    return 1;
}

struct normal { double a[SP_LEAST_MOST][SP_LEAST_MOST], b[SP_LEAST_MOST]; };

/* J'J and -J'r; slope holds nx x n numbers. */
static struct normal equations(double *x, int nx, const double *r, int n, double *slope,
                               sp_residuals f, void *of)
{
    for (int j = 0; j < nx; j++) {
        double kept = x[j], step = 1e-5 * fmax(1, fabs(kept));
        double *column = slope + (size_t)j * (size_t)n;
        x[j] = kept + step;
        f(x, column, of);
        x[j] = kept;
        for (int i = 0; i < n; i++)
            column[i] = (column[i] - r[i]) / step;
    }
    struct normal m = { 0 };
    for (int j = 0; j < nx; j++) {
        const double *cj = slope + (size_t)j * (size_t)n;
        for (int k = 0; k < nx; k++)
            for (int i = 0; i < n; i++)
                m.a[j][k] += cj[i] * slope[(size_t)k * (size_t)n + (size_t)i];
        for (int i = 0; i < n; i++)
            m.b[j] -= cj[i] * r[i];
    }
    return m;
}

/* One step that makes the sum smaller; the new sum, or the old one if none does. */
static double improve(double *x, int nx, double *r, int n, double *next, double sum,
                      const struct normal *m, double *damping, sp_residuals f, void *of)
{
    for (; *damping < 1e12; *damping *= 4) {
        double a[SP_LEAST_MOST][SP_LEAST_MOST], step[SP_LEAST_MOST], to[SP_LEAST_MOST];
        memcpy(a, m->a, sizeof a);
        for (int j = 0; j < nx; j++)
            a[j][j] += *damping * (m->a[j][j] + 1e-12);
        if (!solve(a, m->b, step, nx))
            continue;
        for (int j = 0; j < nx; j++)
            to[j] = x[j] + step[j];
        f(to, next, of);
        double got = square_sum(next, n);
        if (got < sum) {
            memcpy(x, to, (size_t)nx * sizeof *x);
            memcpy(r, next, (size_t)n * sizeof *r);
            *damping = fmax(*damping / 10, 1e-9);
            return got;
        }
    }
    return sum;
}

double sp_least_squares(double *x, int nx, int n, sp_residuals f, void *of)
{
    assert(nx > 0 && nx <= SP_LEAST_MOST && n > 0);
    double *r = sp_alloc((size_t)n * sizeof *r), *next = sp_alloc((size_t)n * sizeof *next);
    double *slope = sp_alloc((size_t)n * (size_t)nx * sizeof *slope);
    double damping = 1e-2;
    f(x, r, of);
    double sum = square_sum(r, n);
    for (int i = 0; i < MOST_STEPS; i++) {
        struct normal m = equations(x, nx, r, n, slope, f, of);
        double before = sum;
        sum = improve(x, nx, r, n, next, sum, &m, &damping, f, of);
        if (!(sum < before * (1 - 1e-10)))
            break;
    }
    free(r);
    free(next);
    free(slope);
    return sum;
}

void sp_monotone(double *y, const double *w, int n, int rising)
{
    struct block { double mean, weight; int count; } *b = sp_alloc((size_t)n * sizeof *b);
    int blocks = 0;
    double sign = rising ? 1 : -1;
    for (int i = 0; i < n; i++) {
        b[blocks++] = (struct block){ y[i], w[i], 1 };
        while (blocks > 1 && sign * b[blocks - 1].mean < sign * b[blocks - 2].mean) {
            struct block *to = &b[blocks - 2], from = b[--blocks];
            double weight = to->weight + from.weight;
            to->mean = (to->mean * to->weight + from.mean * from.weight) / weight;
            to->weight = weight;
            to->count += from.count;
        }
    }
    for (int i = 0, at = 0; i < blocks; i++)
        for (int j = 0; j < b[i].count; j++)
            y[at++] = b[i].mean;
    free(b);
}
