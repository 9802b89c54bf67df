/* curve.c - a few points, and straight lines between them over the logarithm of x. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>

#include "sim/profile.h"
#include "util/memory.h"

double sp_curve_at(const struct sp_curve *c, double x, bool *inside)
{
    if (c->n == 0)
        return 1;
    int last = c->n - 1;
    if (inside && (x < c->x[0] || x > c->x[last]))
        *inside = false;
    if (x <= c->x[0])
        return c->y[0];
    if (x >= c->x[last])
        return c->y[last];
    int low = 0, high = last;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        *(c->x[middle] <= x ? &low : &high) = middle;
    }
    double part = log(x / c->x[low]) / log(c->x[high] / c->x[low]);
    return c->y[low] + part * (c->y[high] - c->y[low]);
}

void sp_curve_add(struct sp_curve *c, double x, double y)
{
    c->x = sp_grow(c->x, c->n, sizeof *c->x);
    c->y = sp_grow(c->y, c->n, sizeof *c->y);
    c->x[c->n] = x;
    c->y[c->n++] = y;
}

void sp_curve_thin(struct sp_curve *c, double off)
{
    int kept = c->n > 0;
    for (int i = 1; i < c->n; i++) {
        if (i + 1 < c->n) {
            double part = log(c->x[i] / c->x[kept - 1]) / log(c->x[i + 1] / c->x[kept - 1]);
            double line = c->y[kept - 1] + part * (c->y[i + 1] - c->y[kept - 1]);
            if (fabs(c->y[i] - line) < off)
                continue;
        }
        c->x[kept] = c->x[i];
        c->y[kept++] = c->y[i];
    }
    c->n = kept;
}

void sp_curve_free(struct sp_curve *c)
{
    free(c->x);
    free(c->y);
    *c = (struct sp_curve){ 0 };
}
