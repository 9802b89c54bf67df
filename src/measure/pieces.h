/* pieces.h - the inputs and outputs of a rank, as pieces of the global tensors. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_PIECES_H
#define SP_PIECES_H

#include "kernels/kernels.h"
#include "plan/plan.h"

/* Row i is at place[i] of the sequence; the first head is the model's head `head`. */
struct sp_piece {
    enum sp_kind kind;
    struct sp_view view;                /* rows x batch x heads x dim */
    int head;
    long *place;                        /* rows */
};

/* All of a role that rank, or SP_ALL_RANKS, holds when the plan is through. */
struct sp_piece *sp_pieces_new(const struct sp_plan *p, int rank, enum sp_role role,
                               void *const *data, int *n);
void sp_pieces_free(struct sp_piece *piece, int n);

/* Does it hold that head of the model? */
bool sp_piece_has(const struct sp_piece *x, int head);

/* The number of the first element of a row, by the model's head. */
long sp_piece_at(const struct sp_piece *x, int i, int b, int head);

/* That row, widened. row: view.dim */
void sp_piece_row(const struct sp_piece *x, int i, int b, int head, float *row);

#endif
