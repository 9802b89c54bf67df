/* kernels.h - the arithmetic of a step, for one kind of processor.
 *
 * A kernel set is what an executor calls to carry out ATTN, GRAD, DELTA, MERGE, ADD
 * and COPY. Every set computes the same thing, and reference.c defines it. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_KERNELS_H
#define SP_KERNELS_H

#include "plan/position.h"
#include "plan/problem.h"

/* A block in memory: rows x batch x heads x dim. Element (i, b, h, d) is number
 *     i * row_stride + b * batch_stride + h * dim + d
 * from `data`. An LSE or a delta is a view of dim 1, always fp32. */
struct sp_view {
    void *data;
    enum sp_dtype dtype;
    int  rows, batch, heads, dim;
    long row_stride, batch_stride;      /* in elements */
};

/* What ATTN and GRAD work on. q, o, dout, dq, lse, delta have `heads` query heads and
 * the queries' rows; k, v, dk, dv have kv heads and the keys' rows; heads is a multiple
 * of kv heads, and query head h reads KV head h / (heads / kv heads).
 * Row i of q sits at the i-th place of qpos, row j of k at the j-th of kpos; if causal,
 * key j counts for query i when its place is not after the query's. */
struct sp_tensors {
    struct sp_view q, k, v;
    struct sp_view o, lse;              /* written by attn; lse is read by grad */
    struct sp_view dout, delta;         /* read by grad; delta = rowsum(dout * o) */
    struct sp_view dq, dk, dv;          /* written by grad */
    struct sp_where qpos, kpos;
    bool  causal;
    float scale;                        /* of the scores, usually 1/sqrt(dim) */
};

struct sp_kernels {
    const char *name, *help;
    int strip, panel;       /* what attn takes at a time: queries x keys; grad: keys x queries */

    /* Scratch bytes that attn and grad need on such tensors with the threads there
     * are (omp_get_max_threads); data pointers are not looked at. */
    size_t (*scratch)(const struct sp_tensors *t);

    /* o = softmax(scale q k^T + mask) v, lse = log sum exp of the masked scores, natural.
     * A query that sees no key gets o = 0, lse = -inf. Overwrites o, lse.
     * `scratch` is 64-byte aligned and of the size above. */
    void (*attn)(const struct sp_tensors *t, void *scratch);

    /* P = exp(scale q k^T - lse), dS = P * (dout v^T - delta):
     * dv = P^T dout, dk = scale dS^T q (both summed over the query heads of a KV head),
     * dq = scale dS k. Overwrites dq, dk, dv. Rows with lse = -inf contribute nothing. */
    void (*grad)(const struct sp_tensors *t, void *scratch);

    /* delta = rowsum(dout * o), fp32. */
    void (*delta)(struct sp_view delta, struct sp_view o, struct sp_view dout);

    /* Join the results of two disjoint sets of keys, in place in o and lse:
     * lse' = log(exp lse + exp part_lse), o' = o exp(lse - lse') + part exp(part_lse - lse').
     * Either side, or both, may be empty (-inf). */
    void (*merge)(struct sp_view o, struct sp_view lse, struct sp_view part,
                  struct sp_view part_lse);

    void (*add)(struct sp_view x, struct sp_view y);     /* x += y, in fp32, any dtypes */
    void (*copy)(struct sp_view x, struct sp_view y);    /* x = y, any strides and dtypes */

    /* Nothing but so many rounds of the multiply-adds that attn is made of, on registers, by
     * one thread; returns how many FLOPs these were. What attn can't be faster than; NULL for
     * a set that isn't meant to be fast. */
    double (*limit)(enum sp_dtype dtype, long rounds);
};

extern const struct sp_kernels *const sp_kernel_sets[]; /* "reference" (fp64 inside: the
    definition), "portable", "avx2", "avx512", "avx512bf16" as far as built; ends with NULL */

/* The set of that name, if this processor can run it; "cpu" is the fastest that it can.
 * Else NULL, and *why says what would do. */
const struct sp_kernels *sp_kernels_find(const char *name, const char **why);

/* bf16 is the upper half of an fp32; rounding is to nearest even. */
float sp_bf16_widen(unsigned short x);
unsigned short sp_bf16_round(float x);

/* Element `i` of a view's data, whatever its dtype. */
float sp_view_get(const struct sp_view *v, long i);
void  sp_view_set(const struct sp_view *v, long i, double x);

#endif
