/* trial.h - attentions to try kernels on: random tensors with gaps, under every mask. */
/* SPDX-License-Identifier: MIT */
#ifndef TRIAL_H
#define TRIAL_H

#include "kernels/kernels.h"

/* How the places of queries and keys lie to each other; all but FULL are causal. */
enum mask {
    FULL,
    CONTIGUOUS,         /* both from 0 */
    OFFSET,             /* the queries start in the middle of the keys */
    ZIGZAG,             /* two runs each, of two ranks' shards */
    STRIPED,            /* every fourth place, of two ranks' shards */
    GATHERED,           /* chunks in the order in which zigzag shards are gathered */
    BLIND,              /* the first half of the queries sees no key */
    NMASKS
};

enum { MAX_RUNS = 64 };

struct shape {
    int rows, keys, batch, heads, kv_heads, dim;
    enum sp_dtype in, o, dq, dkv;       /* of q k v dout; of what is written */
    enum mask mask;
    float size;                         /* of q: scores are about that times N(0, 1) */
};

/* One attention: t to be written by the set under test, ref by the reference in fp32. */
struct trial {
    struct sp_tensors t, ref;
    struct sp_run q[MAX_RUNS], k[MAX_RUNS];
};

void trial_new(struct trial *x, const struct shape *s);
void trial_free(struct trial *x);

/* A view with gaps between batches; all of it, gaps too, is noise of that size. */
struct sp_view view_new(enum sp_dtype dtype, int rows, int batch, int heads, int dim,
                        float size);

/* The same numbers in another format, gaps too. */
struct sp_view view_copy(const struct sp_view *from, enum sp_dtype dtype);

/* NaN everywhere but in the gaps. */
void view_spoil(const struct sp_view *v);

long view_elements(const struct sp_view *v);    /* with the gaps */

/* max |x - ref| / max |ref|, where max |ref| is at least 0.1: inputs are of size 1, but
 * gradients can cancel to nothing. Infinite if x is NaN somewhere, if -inf doesn't meet
 * -inf, or if a gap isn't what it was. */
double view_error(const struct sp_view *x, const struct sp_view *ref);

#endif
