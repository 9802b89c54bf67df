/* rowset.h - input rows of one head, rounded as stored. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_ROWSET_H
#define SP_ROWSET_H

#include "plan/plan.h"

/* Rows of Q and dO, or of K and V, of one head, at ascending places. */
struct sp_rowset {
    int n, dim;
    long *pos;                          /* n */
    float *x, *y;                       /* n x dim: q and do, or k and v */
};

/* Rows of head `head` at these n places; kind is SP_Q (and dO) or SP_K (and V). */
struct sp_rowset sp_rowset_load(const struct sp_problem *pb, unsigned long seed,
                                enum sp_kind kind, int b, int head, const long *pos, int n);
void sp_rowset_free(struct sp_rowset *r);

#endif
