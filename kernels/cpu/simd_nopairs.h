/* simd_nopairs.h - for sets without a dot product of bf16 pairs: bf16 is widened when it
 * is packed, and none of these is ever called. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_SIMD_NOPAIRS_H
#define SP_SIMD_NOPAIRS_H

enum { PAIRS = 0 };

static inline vec vec_dot_pairs(vec sum, vec x, vec y) { return vec_fma(x, y, sum); }
static inline vec vec_pair(vec even, vec odd) { return even + odd; }
static inline vec vec_pairs(vec low, vec high) { return low + high; }

#endif
