/* mask.h - who sees whom, a row at a time and a group of rows at a time. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_MASK_H
#define SP_MASK_H

#include "kernels/kernels.h"

/* The lowest and the highest place in a group of rows. */
struct sp_reach { int low, high; };

enum sp_sight {
    SP_HIDDEN,          /* no query of the group sees a key of the other */
    SP_PARTLY,          /* some may */
    SP_SEEN,            /* every query sees every key */
};

/* Writes down the places of all queries, of all keys. Without a causal mask, every query
 * comes after every key. Rows that only fill up a group change nothing that counts: a
 * query sits where the last one does, a key after everything. */
void sp_mask_queries(int *place, const struct sp_tensors *t, long padded);
void sp_mask_keys(int *place, const struct sp_tensors *t, long padded);

/* The reach of each group of `size` rows; `rows` is a multiple of it. */
void sp_mask_reach(struct sp_reach *reach, const int *place, long rows, int size);

enum sp_sight sp_mask_sight(struct sp_reach queries, struct sp_reach keys);

#endif
