/* chaos.h - all ranks in one process, true arithmetic, and any legal order, by dice. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_CHAOS_H
#define SP_CHAOS_H

#include "executor/executor.h"
#include "kernels/kernels.h"

/* With `streams` steps are issued early and lanes keep order, as on a GPU; without, each is
 * issued when it may run, as by a host that polls. free() by x->free. */
struct sp_executor *sp_chaos_new(const struct sp_plan *p, const struct sp_kernels *k,
                                 unsigned long seed, bool streams);

/* The memory of each buffer. Inputs are the caller's to fill; all starts as NaN. */
void *const *sp_chaos_data(struct sp_executor *x);

#endif
