/* stats.h - what many samples say together. All of it works on sorted samples. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_STATS_H
#define SP_STATS_H

#include <stdbool.h>

void sp_sort(double *sample, int n);

double sp_median(const double *sorted, int n);

/* The sample below which a part q of them lies, linear between samples. */
double sp_quantile(const double *sorted, int n, double q);

/* The 95 % interval of the median, without any assumption about the distribution: the
 * samples between which it lies with that probability. False if there are too few. */
bool sp_median_interval(const double *sorted, int n, double *low, double *high);

#endif
