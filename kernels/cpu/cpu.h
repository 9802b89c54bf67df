/* cpu.h - the two halves of a CPU kernel set, put together in set.c. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_CPU_H
#define SP_CPU_H

#include "kernels/cpu/simd.h"

#define sp_forward SP_NAME(forward)
#define sp_forward_scratch SP_NAME(forward_scratch)
#define sp_backward SP_NAME(backward)
#define sp_backward_scratch SP_NAME(backward_scratch)
#define sp_delta SP_NAME(delta)
#define sp_merge SP_NAME(merge)
#define sp_add SP_NAME(add)
#define sp_copy SP_NAME(copy)

size_t sp_forward_scratch(const struct sp_tensors *t);
void sp_forward(const struct sp_tensors *t, void *scratch);

size_t sp_backward_scratch(const struct sp_tensors *t);
void sp_backward(const struct sp_tensors *t, void *scratch);

void sp_delta(struct sp_view delta, struct sp_view o, struct sp_view dout);
void sp_merge(struct sp_view o, struct sp_view lse,
              struct sp_view part, struct sp_view part_lse);
void sp_add(struct sp_view x, struct sp_view y);
void sp_copy(struct sp_view x, struct sp_view y);

#endif
