/* pack.h - rows of a block, laid out as the matrix product reads them.
 *
 * Every function takes `rows` rows of batch b and head h, from row `from` on, and fills
 * up with zeros: rows past the end of the block, and columns past its dim. With `pairs`,
 * the block is bf16 and two neighbours in depth share a word; else it is widened. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_PACK_H
#define SP_PACK_H

#include "kernels/cpu/simd.h"

#define sp_pack_rows SP_NAME(pack_rows)
#define sp_pack_columns SP_NAME(pack_columns)
#define sp_pack_panels SP_NAME(pack_panels)

struct sp_slice {
    const struct sp_view *view;
    int  b, h;
    long from;
    int  rows;
    bool pairs;
};

/* Words of a row, when its dim is the depth; and its dim in whole vectors. */
static inline long sp_depth(int dim, bool pairs) { return pairs ? (dim + 1) / 2 : dim; }
static inline long sp_width(int dim) { return (dim + LANES - 1) / LANES * (long)LANES; }

/* The number of element (i, b, h, 0) of a view. */
static inline long sp_row_at(const struct sp_view *v, long i, int b, int h)
{
    return i * v->row_stride + b * v->batch_stride + (long)h * v->dim;
}

/* An operand A: rows x depth. */
void sp_pack_rows(float *to, struct sp_slice s);

/* An operand B of TILE columns, one for each row: depth x TILE. */
void sp_pack_columns(float *to, struct sp_slice s);

/* An operand B whose depth are the rows: in panels of TILE columns (the last one of what
 * vectors are left), each `depth` words deep, of which this writes those of its rows. */
void sp_pack_panels(float *to, struct sp_slice s, long depth);

#endif
