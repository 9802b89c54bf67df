/* check.h - the parts of the proof. Each: NULL, or what is wrong (static text). */
/* SPDX-License-Identifier: MIT */
#ifndef SP_CHECK_H
#define SP_CHECK_H

#include "plan/plan.h"

/* Blocks lie in buffers of the step's rank, kinds fit the op, and every SEND is next to the
 * RECV of the same size, lane and group. */
const char *sp_check_shape(const struct sp_plan *p);

/* Waiting ends: no step waits for a later one, no group is torn or waits for itself, and all
 * steps of all ranks can finish, whichever goes first. */
const char *sp_check_order(const struct sp_plan *p);

/* Of two steps that touch the same place, one writing, one waits for the other. */
const char *sp_check_races(const struct sp_plan *p);

/* Every sum is complete and has nothing twice, and everything is where it belongs. */
const char *sp_check_sums(const struct sp_plan *p);

/* "step 12 (attn of rank 3)", for messages. Static text. */
const char *sp_step_name(const struct sp_plan *p, int step);

#endif
