/* simd_portable.h - 4 lanes in vector extensions alone, for any processor. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_SIMD_PORTABLE_H
#define SP_SIMD_PORTABLE_H

enum { LANES = 4, VECS = 2 };

typedef float vec __attribute__((vector_size(16)));

static inline vec vec_splat(float x) { return (vec){ x, x, x, x }; }
static inline vec vec_fma(vec x, vec y, vec z) { return x * y + z; }
static inline float vec_sum(vec x) { return (x[0] + x[2]) + (x[1] + x[3]); }

/* y where either is NaN, as the x86 instruction has it */
static inline vec vec_max(vec x, vec y)
{
    typedef int mask __attribute__((vector_size(16)));
    const mask first = x > y;
    return (vec)((first & (mask)x) | (~first & (mask)y));
}

static inline float vec_top(vec x)
{
    const float low = x[0] > x[1] ? x[0] : x[1], high = x[2] > x[3] ? x[2] : x[3];
    return low > high ? low : high;
}

/* To nearest for |x| < 2^22, by pushing the fraction out of the significand. */
static inline vec vec_round(vec x)
{
    const vec magic = vec_splat(12582912);      /* 1.5 * 2^23 */
    return (x + magic) - magic;
}

/* x 2^n for whole n and x near 1: adds to the exponent, and gives 0 where that is too
 * small for a normal number. */
static inline vec vec_scale(vec x, vec n)
{
    typedef int word __attribute__((vector_size(16)));
    const word whole = __builtin_convertvector(-vec_max(-n, vec_splat(-127)), word);
    const word bits = (word)x + whole * (1 << 23);
    return (vec)(bits & ~(n < -126));
}

/* x0 y0 x1 y1 ...: the lower and the upper half */
static inline vec vec_zip_low(vec x, vec y)
{
    return __builtin_shufflevector(x, y, 0, 4, 1, 5);
}

static inline vec vec_zip_high(vec x, vec y)
{
    return __builtin_shufflevector(x, y, 2, 6, 3, 7);
}

#include "kernels/cpu/simd_nopairs.h"

#endif
