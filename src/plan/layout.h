/* layout.h - which tokens a shard of the sequence has. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_LAYOUT_H
#define SP_LAYOUT_H

#include "plan/position.h"
#include "plan/problem.h"

/* The places of shard i of n under a layout, in run[0..1]; how many runs. seq is a multiple of
 * n, and of 2n for zigzag. */
int sp_shard(enum sp_layout layout, long seq, int i, int n, struct sp_run run[2]);

#endif
