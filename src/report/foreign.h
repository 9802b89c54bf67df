/* foreign.h - what strategies and units are called in other people's tables. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_FOREIGN_H
#define SP_FOREIGN_H

#include "strategy/strategy.h"

/* Set strategy, knobs and layout of a problem whose other members are there, from names of a
 * table: "zigzag ring", "usp" of so many ranks in an all-to-all (0: not stated). layout: "" if
 * not stated. NULL, or why it is none of ours. */
const char *sp_foreign_strategy(const char *name, const char *layout, long ulysses,
                                struct sp_problem *pb, const struct sp_strategy **strategy);

/* bf16 for fp16, which takes the same time and bytes. NULL, or why not. */
const char *sp_foreign_dtype(const char *name, enum sp_dtype *dtype);

/* Which passes a time is of. NULL, or why not: a whole training step, say. */
const char *sp_foreign_pass(const char *name, bool pass[SP_NPASSES]);

/* Seconds that the passes take, from a value and its unit: a time, repetitions a second, or
 * FLOP/s, of one GPU or all as `metric` says. NULL, or why not. */
const char *sp_foreign_seconds(const char *value, const char *unit, const char *metric,
                               const struct sp_problem *pb, const bool pass[SP_NPASSES],
                               double *seconds);

#endif
