/* simd.h - vectors of LANES fp32 numbers, in the words of one instruction set.
 *
 * Every file here but mask.c and scratch.c is compiled once per set, with -DSP_ISA=<set>
 * and the set's own flags; simd_<set>.h says what its vectors are. All else is here, in
 * the vector extensions that GCC and Clang share. An exported name ends in the set's.
 *
 * A word is what one lane of a matrix product multiplies: an fp32 number, or, in sets
 * with a dot product for them, a pair of bf16 neighbours in depth. Both are carried as
 * float and only ever copied, so the bits of a pair stay what they are. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_SIMD_H
#define SP_SIMD_H

#include <limits.h>
#include <math.h>
#include <stdint.h>

#include "kernels/kernels.h"

#define SP_PASTE2(a, b) sp_##a##_##b
#define SP_PASTE(a, b) SP_PASTE2(a, b)
#define SP_NAME(what) SP_PASTE(what, SP_ISA)        /* sp_attn_avx2 */
#define SP_QUOTE(text) #text
#define SP_HEADER2(isa) SP_QUOTE(simd_##isa.h)
#define SP_HEADER(isa) SP_HEADER2(isa)              /* "simd_avx2.h" */

#include SP_HEADER(SP_ISA)

enum {
    TILE = LANES * VECS,        /* columns that the matrix product takes at a time */
    ROWS = 6,                   /* and rows: 6 x VECS accumulators fit the registers */
};

typedef int ivec __attribute__((vector_size(4 * LANES)));
typedef unsigned uvec __attribute__((vector_size(4 * LANES)));
typedef unsigned short hvec __attribute__((vector_size(2 * LANES)));

static inline vec vec_load(const float *from)
{
    vec x;
    __builtin_memcpy(&x, from, sizeof x);
    return x;
}

static inline void vec_store(float *to, vec x)
{
    __builtin_memcpy(to, &x, sizeof x);
}

static inline vec vec_select(ivec mask, vec x, vec other)
{
    return (vec)((mask & (ivec)x) | (~mask & (ivec)other));
}

/* x where place <= limit, other elsewhere */
static inline vec vec_if_le(const int *place, int limit, vec x, vec other)
{
    ivec at;
    __builtin_memcpy(&at, place, sizeof at);
    return vec_select(at <= limit, x, other);
}

static inline vec vec_if_ge(const int *place, int limit, vec x, vec other)
{
    ivec at;
    __builtin_memcpy(&at, place, sizeof at);
    return vec_select(at >= limit, x, other);
}

/* 2^t, to 2e-7 of it. What is too small for a normal number may be 0; below 2^-150 it
 * is. NaN stays NaN. */
static inline vec vec_exp2(vec t)
{
    t = vec_max(vec_splat(-200), t);        /* -inf would give NaN */
    const vec n = vec_round(t), r = t - n;  /* 2^r by a minimax polynomial */
    vec p = vec_splat(1.33986866e-3f);
    p = vec_fma(p, r, vec_splat(9.61812910e-3f));
    p = vec_fma(p, r, vec_splat(5.55032865e-2f));
    p = vec_fma(p, r, vec_splat(2.40226507e-1f));
    p = vec_fma(p, r, vec_splat(6.93147182e-1f));
    p = vec_fma(p, r, vec_splat(1));
    return vec_scale(p, n);
}

static inline vec vec_widen(const unsigned short *from)
{
    hvec half;
    __builtin_memcpy(&half, from, sizeof half);
    return (vec)(__builtin_convertvector(half, uvec) << 16);
}

/* Rounds to bf16 as sp_bf16_round does. */
static inline void vec_narrow(unsigned short *to, vec x)
{
    const uvec bits = (uvec)x, nan = (uvec)(x != x);
    const uvec up = bits + 0x7fff + (bits >> 16 & 1), quiet = bits | 0x400000;
    const hvec half = __builtin_convertvector(((nan & quiet) | (~nan & up)) >> 16, hvec);
    __builtin_memcpy(to, &half, sizeof half);
}

/* Elements [at, at + n) of a view, widened; n <= LANES, and zeros after them. */
static inline vec vec_get(const struct sp_view *v, long at, int n)
{
    if (n >= LANES)
        return v->dtype == SP_F32 ? vec_load((const float *)v->data + at)
                                  : vec_widen((const unsigned short *)v->data + at);
    float x[LANES] = { 0 };
    for (int j = 0; j < n; j++)
        x[j] = sp_view_get(v, at + j);
    return vec_load(x);
}

/* Writes the first n lanes to elements [at, at + n). */
static inline void vec_put(const struct sp_view *v, long at, int n, vec x)
{
    if (n >= LANES && v->dtype == SP_F32) {
        vec_store((float *)v->data + at, x);
    } else if (n >= LANES) {
        vec_narrow((unsigned short *)v->data + at, x);
    } else {
        float lane[LANES];
        vec_store(lane, x);
        for (int j = 0; j < n; j++)
            sp_view_set(v, at + j, lane[j]);
    }
}

#endif
