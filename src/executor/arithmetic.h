/* arithmetic.h - steps carried out on real memory by a kernel set. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_ARITHMETIC_H
#define SP_ARITHMETIC_H

#include "kernels/kernels.h"
#include "plan/plan.h"

/* One plane of a block, in buffers whose memory data[buf] is. */
struct sp_view sp_block_view(const struct sp_plan *p, struct sp_block b, int plane,
                             void *const *data);

/* Where a block starts; moved blocks are contiguous from there. */
void *sp_block_data(const struct sp_plan *p, struct sp_block b, void *const *data);

/* Do a step that is no move. */
void sp_step_compute(const struct sp_plan *p, int step, void *const *data,
                     const struct sp_kernels *k, void *scratch);

/* The scratch that any step of rank, or of all ranks, needs. */
size_t sp_scratch_bytes(const struct sp_plan *p, int rank, const struct sp_kernels *k);

#endif
