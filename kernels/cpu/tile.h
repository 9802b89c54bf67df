/* tile.h - the matrix product that all of attention is made of: ROWS x TILE of C. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_TILE_H
#define SP_TILE_H

#include "kernels/cpu/simd.h"

#define sp_tile_set SP_NAME(tile_set)
#define sp_tile_score SP_NAME(tile_score)
#define sp_tile_add SP_NAME(tile_add)
#define sp_tile_limit SP_NAME(tile_limit)

/* C = A B over `depth` words. There are no edges: whoever packs A and B pads them. */
struct sp_tile {
    const float *a;  long row, step;    /* word k of row i is a[i * row + k * step] */
    const float *b;  long depth;        /* depth x columns, dense */
    float *c;        long pitch;        /* ROWS x columns, rows `pitch` apart */
};

/* C = A B, of TILE columns. */
void sp_tile_set(bool pairs, const struct sp_tile *t);

/* The same for scores: hides (-inf) the keys placed after their query, unless kplace is
 * NULL, and raises top, ROWS x LANES, to the largest score met in each lane. */
void sp_tile_score(bool pairs, const struct sp_tile *t, const int *qplace,
                   const int *kplace, float *top);

/* C = keep[i] C + A B (keep NULL: all 1), of `vecs` vectors, at most VECS. */
void sp_tile_add(bool pairs, int vecs, const struct sp_tile *t, const float *keep);

/* `steps` steps of a product without loads and stores, the most that this processor can
 * do. Returns the operations. For benchmarks. */
double sp_tile_limit(bool pairs, long steps);

#endif
