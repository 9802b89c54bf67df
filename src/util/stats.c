/* stats.c - order statistics. The interval is that of T. Hoefler and R. Belli,
 * "Scientific benchmarking of parallel computing systems", SC'15, 3.1.3, as in LibLSB. */
/* SPDX-License-Identifier: MIT */
#include "util/stats.h"

#include <math.h>
#include <stdlib.h>

/* With five samples the median lies outside of all of them 1 time in 16. */
enum { FEWEST = 6 };

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void sp_sort(double *sample, int n) { qsort(sample, (size_t)n, sizeof *sample, compare); }

double sp_median(const double *sorted, int n)
{
    return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

double sp_quantile(const double *sorted, int n, double q)
{
    double place = q * (n - 1);
    int below = (int)place, above = below + 1 < n ? below + 1 : below;
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

bool sp_median_interval(const double *sorted, int n, double *low, double *high)
{
    if (n < FEWEST)
        return false;
    double width = 1.96 * sqrt(n);
    int first = (int)floor((n - width) / 2), last = (int)ceil(1 + (n + width) / 2);
    *low = sorted[first < 1 ? 0 : first - 1];
    *high = sorted[last > n ? n - 1 : last - 1];
    return true;
}
