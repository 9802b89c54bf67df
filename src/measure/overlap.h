/* overlap.h - what ran while what else ran, from the spans of a repetition. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_OVERLAP_H
#define SP_OVERLAP_H

#include "executor/executor.h"

/* Seconds in which attention kernels of rank ran, in which transfers were in flight, and in
 * which both were so. */
struct sp_busy { double kernels, transfers, both; };
struct sp_busy sp_busy_of(const struct sp_plan *p, int rank, enum sp_pass pass,
                          const struct sp_span *span);

#endif
