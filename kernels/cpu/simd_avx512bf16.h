/* simd_avx512bf16.h - 512 bits, and bf16 pairs at twice the rate of fp32 (Cooper Lake,
 * Sapphire Rapids, Zen 4 and later). Denormal bf16 numbers count as zero. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_SIMD_AVX512BF16_H
#define SP_SIMD_AVX512BF16_H

#include "kernels/cpu/simd_zmm.h"

enum { PAIRS = 1 };

/* sum + x.even y.even + x.odd y.odd */
static inline vec vec_dot_pairs(vec sum, vec x, vec y)
{
    return _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)y);
}

/* Pairs across two vectors: word j is (even[j], odd[j]), rounded. */
static inline vec vec_pair(vec even, vec odd)
{
    const __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(even));
    const __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(odd));
    return (vec)_mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

/* Pairs along two vectors: words (low[0], low[1]), (low[2], low[3]), ... then of high. */
static inline vec vec_pairs(vec low, vec high)
{
    return (vec)_mm512_cvtne2ps_pbh(high, low);
}

#endif
