/* pack.c - from blocks of any stride and format to the words of the matrix product. */
/* SPDX-License-Identifier: MIT */
#include "kernels/cpu/pack.h"

#include <string.h>

/* Words [word, word + n) of a row, and zeros up to LANES. */
static vec row_words(const struct sp_slice *s, long row, long word, int n)
{
    if (row >= s->view->rows)
        return vec_splat(0);
    const long at = sp_row_at(s->view, row, s->b, s->h);
    if (!(PAIRS && s->pairs))
        return vec_get(s->view, at + word, n);

    const unsigned short *from = (const unsigned short *)s->view->data + at + 2 * word;
    const long left = s->view->dim - 2 * word;
    unsigned short x[2 * LANES] = { 0 };
    vec words;
    if (left < 2 * LANES)
        from = memcpy(x, from, (size_t)left * sizeof *x);
    memcpy(&words, from, sizeof words);
    return words;
}

void sp_pack_rows(float *to, struct sp_slice s)
{
    const long depth = sp_depth(s.view->dim, PAIRS && s.pairs);
    for (int i = 0; i < s.rows; i++, to += depth)
        for (long k = 0; k < depth; k += LANES) {
            const int n = depth - k < LANES ? (int)(depth - k) : LANES;
            const vec x = row_words(&s, s.from + i, k, n);
            if (n == LANES)
                vec_store(to + k, x);
            else
                memcpy(to + k, &x, (size_t)n * sizeof *to);
        }
}

/* log2 LANES perfect shuffles of the 2 LANES x LANES numbers turn rows into columns. */
static void transpose(vec x[LANES])
{
    for (int stage = 1; stage < LANES; stage *= 2) {
        vec y[LANES];
        for (int i = 0; i < LANES / 2; i++) {
            y[2 * i] = vec_zip_low(x[i], x[i + LANES / 2]);
            y[2 * i + 1] = vec_zip_high(x[i], x[i + LANES / 2]);
        }
        memcpy(x, y, sizeof y);
    }
}

void sp_pack_columns(float *to, struct sp_slice s)
{
    const long depth = sp_depth(s.view->dim, PAIRS && s.pairs);
    for (int j = 0; j < TILE; j += LANES)
        for (long k = 0; k < depth; k += LANES) {
            const int n = depth - k < LANES ? (int)(depth - k) : LANES;
            vec x[LANES];
            for (int i = 0; i < LANES; i++)
                x[i] = row_words(&s, s.from + j + i, k, n);
            transpose(x);
            for (int i = 0; i < n; i++)
                vec_store(to + (k + i) * TILE + j, x[i]);
        }
}

/* LANES columns of one row, widened. */
static vec columns(const struct sp_slice *s, long row, long column)
{
    const int left = s->view->dim - (int)column;
    if (row >= s->view->rows)
        return vec_splat(0);
    return vec_get(s->view, sp_row_at(s->view, row, s->b, s->h) + column,
                   left < LANES ? left : LANES);
}

void sp_pack_panels(float *to, struct sp_slice s, long depth)
{
    const bool pairs = PAIRS && s.pairs;
    const long width = sp_width(s.view->dim), first = pairs ? s.from / 2 : s.from;
    const int step = pairs ? 2 : 1;

    for (long left = 0; left < width; left += TILE) {
        const long wide = width - left < TILE ? width - left : TILE;
        float *panel = to + left * depth + first * wide;
        for (long i = s.from; i < s.from + s.rows; i += step, panel += wide)
            for (long j = 0; j < wide; j += LANES) {
                vec x = columns(&s, i, left + j);
                if (pairs)
                    x = vec_pair(x, columns(&s, i + 1, left + j));
                vec_store(panel + j, x);
            }
    }
}
