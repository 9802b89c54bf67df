/* sample.h - which rows are looked at. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_SAMPLE_H
#define SP_SAMPLE_H

#include "plan/plan.h"

/* One row of each `stratum` rows, in the order in which ranks hold them, so that every tile
 * of 64 rows is met; 1: all. Larger than 64 only when even that takes too long. */
struct sp_sample { long stratum; double work; /* multiply-adds in all */ };

struct sp_sample sp_sample_choose(const struct sp_plan *p);

/* Set mark[place] to 1 for the rows of a head to look at, else to 0, by dice: queries of head
 * `head` of Q, or keys of KV head `head` (kind SP_K). mark: seq. Returns how many. */
long sp_sample_mark(const struct sp_plan *p, struct sp_sample s, unsigned long seed,
                    enum sp_kind kind, int b, int head, char *mark);

#endif
