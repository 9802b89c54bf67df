/* simd_avx512.h - 512 bits, without bf16 arithmetic (Skylake-X, Ice Lake). */
/* SPDX-License-Identifier: MIT */
#ifndef SP_SIMD_AVX512_H
#define SP_SIMD_AVX512_H

#include "kernels/cpu/simd_zmm.h"
#include "kernels/cpu/simd_nopairs.h"

#endif
