/* least.h - least squares of a few numbers over many residuals. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_LEAST_H
#define SP_LEAST_H

enum { SP_LEAST_MOST = 12 };

/* Fill the n residuals for these numbers. */
typedef void (*sp_residuals)(const double *x, double *residual, void *of);

/* Change x[0..nx) (at most SP_LEAST_MOST) to where the residuals' squares have the least sum
 * nearby. Returns the sum. Levenberg's and Marquardt's method, with numeric derivatives: Nocedal
 * and Wright, Numerical Optimization, 2006, section 10.3. */
double sp_least_squares(double *x, int nx, int n, sp_residuals f, void *of);

/* The rising sequence (falling if `rising` is false) that is nearest to y, weights w: pool
 * adjacent violators. In place. */
void sp_monotone(double *y, const double *w, int n, int rising);

#endif
