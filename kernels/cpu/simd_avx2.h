/* simd_avx2.h - 8 lanes: AVX2 and FMA. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_SIMD_AVX2_H
#define SP_SIMD_AVX2_H

#include <immintrin.h>

enum { LANES = 8, VECS = 2 };

typedef __m256 vec;

static inline vec vec_splat(float x) { return _mm256_set1_ps(x); }
static inline vec vec_fma(vec x, vec y, vec z) { return _mm256_fmadd_ps(x, y, z); }
static inline vec vec_max(vec x, vec y) { return _mm256_max_ps(x, y); }

static inline float vec_sum(vec x)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

static inline float vec_top(vec x)
{
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}

static inline vec vec_round(vec x)
{
    return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* x 2^n for whole n and x near 1: adds to the exponent, and gives 0 where that is too
 * small for a normal number. */
static inline vec vec_scale(vec x, vec n)
{
    const vec large = _mm256_cmp_ps(n, _mm256_set1_ps(-126), _CMP_NLT_UQ);
    const __m256i whole = _mm256_cvtps_epi32(_mm256_min_ps(_mm256_set1_ps(127), n));
    const __m256i bits = _mm256_add_epi32((__m256i)x, _mm256_slli_epi32(whole, 23));
    return _mm256_and_ps(large, (vec)bits);
}

/* x0 y0 x1 y1 ...: the lower and the upper half */
static inline vec vec_zip_low(vec x, vec y)
{
    return __builtin_shufflevector(x, y, 0, 8, 1, 9, 2, 10, 3, 11);
}

static inline vec vec_zip_high(vec x, vec y)
{
    return __builtin_shufflevector(x, y, 4, 12, 5, 13, 6, 14, 7, 15);
}

#include "kernels/cpu/simd_nopairs.h"

#endif
