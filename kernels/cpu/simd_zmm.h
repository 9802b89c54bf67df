/* simd_zmm.h - 16 lanes: what the two AVX-512 sets share (F, BW, DQ, VL). */
/* SPDX-License-Identifier: MIT */
#ifndef SP_SIMD_ZMM_H
#define SP_SIMD_ZMM_H

#include <immintrin.h>

enum { LANES = 16, VECS = 4 };

typedef __m512 vec;

static inline vec vec_splat(float x) { return _mm512_set1_ps(x); }
static inline vec vec_fma(vec x, vec y, vec z) { return _mm512_fmadd_ps(x, y, z); }
static inline vec vec_max(vec x, vec y) { return _mm512_max_ps(x, y); }
static inline float vec_sum(vec x) { return _mm512_reduce_add_ps(x); }
static inline float vec_top(vec x) { return _mm512_reduce_max_ps(x); }
static inline vec vec_scale(vec x, vec n) { return _mm512_scalef_ps(x, n); }

static inline vec vec_round(vec x)
{
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* x0 y0 x1 y1 ...: the lower and the upper half */
static inline vec vec_zip_low(vec x, vec y)
{
    return __builtin_shufflevector(x, y, 0, 16, 1, 17, 2, 18, 3, 19,
                                   4, 20, 5, 21, 6, 22, 7, 23);
}

static inline vec vec_zip_high(vec x, vec y)
{
    return __builtin_shufflevector(x, y, 8, 24, 9, 25, 10, 26, 11, 27,
                                   12, 28, 13, 29, 14, 30, 15, 31);
}

#endif
