/* inputs.h - the numbers that go in: the same for every layout, degree and machine. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_INPUTS_H
#define SP_INPUTS_H

#include "plan/plan.h"

/* A random number of its own for each (seed, kind, batch, head, place): no state. */
unsigned long sp_input_hash(unsigned long seed, int kind, int b, int head, long pos);

/* The row of Q, K, V or dO at place `pos` of the sequence, not yet rounded. For K and V the
 * head is a KV head. row: dim */
void sp_input_row(const struct sp_problem *pb, unsigned long seed, enum sp_kind kind, int b,
                  int head, long pos, float *row);

/* Round n numbers to what a buffer of that dtype can hold. */
void sp_input_round(enum sp_dtype dtype, float *x, int n);

/* Fill each input of rank, or of SP_ALL_RANKS. */
void sp_inputs_fill(const struct sp_plan *p, int rank, unsigned long seed, void *const *data);

#endif
