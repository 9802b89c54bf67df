/* tile.c - the matrix product: C stays in registers while A and B stream by.
 *
 *              B: depth x TILE, VECS loads a step
 *              +--+--+--+--+
 *      A       |  |  |  |  |      Each step broadcasts a word of A for every row and
 *    +---+     +--+--+--+--+      multiplies it with the VECS vectors of B: 6 x 4
 *    | 6 |     | C: 6 x 4  |      accumulators of 32 registers with AVX-512, 6 x 2 of 16
 *    +---+     +-----------+      elsewhere. That keeps two multipliers busy and asks
 *                                 the L2 for a third of what it can give. */
/* SPDX-License-Identifier: MIT */
#include "kernels/cpu/tile.h"

/* Below, "unroll 6" is ROWS: without it GCC takes the sums through memory. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* acc += A B. Constant `vecs` and `pairs` make one loop of straight code. */
static ALWAYS_INLINE void multiply(vec acc[ROWS][VECS], const int vecs, const bool pairs,
                                   const struct sp_tile *t)
{
    const float *a = t->a, *b = t->b;
    const long row = t->row, step = t->step;

    for (long k = 0; k < t->depth; k++) {
        vec line[VECS];
        for (int j = 0; j < vecs; j++)
            line[j] = vec_load(b + j * LANES);
        for (int i = 0; i < ROWS; i++) {
            const vec x = vec_splat(a[i * row]);
            for (int j = 0; j < vecs; j++)
                acc[i][j] = pairs ? vec_dot_pairs(acc[i][j], x, line[j])
                                  : vec_fma(x, line[j], acc[i][j]);
        }
        a += step;
        b += vecs * LANES;
    }
}

static ALWAYS_INLINE void set(const bool pairs, const struct sp_tile *t)
{
    vec acc[ROWS][VECS];
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < VECS; j++)
            acc[i][j] = vec_splat(0);
    multiply(acc, VECS, pairs, t);
    #pragma GCC unroll 6
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < VECS; j++)
            vec_store(t->c + i * t->pitch + j * LANES, acc[i][j]);
}

void sp_tile_set(bool pairs, const struct sp_tile *t)
{
    if (PAIRS && pairs)
        set(true, t);
    else
        set(false, t);
}

static ALWAYS_INLINE void score(const bool pairs, const struct sp_tile *t,
                                const int *qplace, const int *kplace, float *top)
{
    vec acc[ROWS][VECS];
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < VECS; j++)
            acc[i][j] = vec_splat(0);
    multiply(acc, VECS, pairs, t);
    if (kplace) {
        #pragma GCC unroll 6
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < VECS; j++)
                acc[i][j] = vec_if_le(kplace + j * LANES, qplace[i], acc[i][j],
                                      vec_splat(-INFINITY));
    }
    #pragma GCC unroll 6
    for (int i = 0; i < ROWS; i++) {
        vec most = vec_load(top + i * LANES);
        for (int j = 0; j < VECS; j++) {
            most = vec_max(most, acc[i][j]);
            vec_store(t->c + i * t->pitch + j * LANES, acc[i][j]);
        }
        vec_store(top + i * LANES, most);
    }
}

void sp_tile_score(bool pairs, const struct sp_tile *t, const int *qplace,
                   const int *kplace, float *top)
{
    if (PAIRS && pairs)
        score(true, t, qplace, kplace, top);
    else
        score(false, t, qplace, kplace, top);
}

static ALWAYS_INLINE void add(const bool pairs, const int vecs, const struct sp_tile *t,
                              const float *keep)
{
    vec acc[ROWS][VECS];
    #pragma GCC unroll 6
    for (int i = 0; i < ROWS; i++) {
        const vec kept = vec_splat(keep ? keep[i] : 1);
        for (int j = 0; j < vecs; j++)
            acc[i][j] = kept * vec_load(t->c + i * t->pitch + j * LANES);
    }
    multiply(acc, vecs, pairs, t);
    #pragma GCC unroll 6
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < vecs; j++)
            vec_store(t->c + i * t->pitch + j * LANES, acc[i][j]);
}

static ALWAYS_INLINE void add_some(const bool pairs, int vecs, const struct sp_tile *t,
                                   const float *keep)
{
    switch (vecs) {
    case 1: add(pairs, 1, t, keep); break;
    case 2: add(pairs, 2, t, keep); break;
    case 3: add(pairs, VECS < 3 ? VECS : 3, t, keep); break;
    default: add(pairs, VECS, t, keep);
    }
}

void sp_tile_add(bool pairs, int vecs, const struct sp_tile *t, const float *keep)
{
    if (PAIRS && pairs)
        add_some(true, vecs, t, keep);
    else
        add_some(false, vecs, t, keep);
}

/* Sums that start apart, so that the compiler can't see that they are much the same. */
static ALWAYS_INLINE double limit(const bool pairs, long steps)
{
    vec acc[ROWS][VECS], x = vec_splat(1 / (float)steps);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < VECS; j++)
            acc[i][j] = vec_splat((float)(i * VECS + j));
    for (long k = 0; k < steps; k++)
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < VECS; j++)
                acc[i][j] = pairs ? vec_dot_pairs(acc[i][j], x, x)
                                  : vec_fma(x, x, acc[i][j]);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < VECS; j++)
            x = vec_max(x, acc[i][j]);
    const double all = 2.0 * (double)steps * ROWS * TILE * (pairs ? 2 : 1);
    return vec_sum(x) >= 0 ? all : 0;       /* so that the sums are wanted */
}

double sp_tile_limit(bool pairs, long steps)
{
    return PAIRS && pairs ? limit(true, steps) : limit(false, steps);
}
