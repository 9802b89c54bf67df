/* definition.h - attention in fp64, of chosen rows, from inputs rounded as stored.
 *
 * Queries and keys are treated alike. Chosen rows x, y meet all rows of the other side:
 *
 *     chosen       others       s = scale x.x    t = y.y
 *     q  do        k  v         o  = sum p v     dq = sum ds k
 *     k  v         q  do        dv = sum p do    dk = sum ds q
 *
 * with p = exp(s - lse) and ds = scale p (t - delta). */
/* SPDX-License-Identifier: MIT */
#ifndef SP_DEFINITION_H
#define SP_DEFINITION_H

#include "measure/rowset.h"

/* Is the error of a row what a tile of keys gives to it? `part` of that is missing, or is there
 * too often; 0 when no direction of the error is plain enough to tell. Seen this way a tile
 * shows long before its size stands out from the roundings. */
struct sp_lost { double part; int key, keys; };

/* Results for n chosen rows. The size of a row is that of its elements if the signs of all that
 * is summed into them are random: of o and dv, whose terms are p v and p do, the root of the
 * sum of squares of p; of dq and dk the terms are taken before t - delta, which may cancel:
 * scale t is of size 1, scale delta is known. The peak is the size of the largest term alone. */
struct sp_exact {
    double *sum, *grad;                 /* n x dim: o and dq, or dv and dk */
    double *sum_size, *grad_size;       /* n */
    double *sum_peak, *grad_peak;       /* n */
    double *lse, *delta;                /* n: of queries */

    /* Queries only. The run's o and dq may be put here; a row of NaN is not looked at. */
    float *sum_run, *grad_run;          /* n x dim */
    struct sp_lost *sum_lost, *grad_lost;       /* n: what seems to be missing from those */
};

/* All zero. */
struct sp_exact sp_exact_new(int n, int dim);
void sp_exact_free(struct sp_exact *e);

/* o, lse, and with backward delta and dq, of chosen queries; kv: all keys of their KV head. */
void sp_exact_queries(const struct sp_problem *pb, const struct sp_rowset *q,
                      const struct sp_rowset *kv, struct sp_exact *e);

/* Add to dv and dk of chosen keys what one query head gives; q: all its queries, whose lse
 * and delta those are. */
void sp_exact_keys(const struct sp_problem *pb, const struct sp_rowset *kv,
                   const struct sp_rowset *q, const double *lse, const double *delta,
                   struct sp_exact *e);

#endif
