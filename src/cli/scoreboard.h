/* scoreboard.h - what people are shown of predictions beside measurements. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_SCOREBOARD_H
#define SP_SCOREBOARD_H

#include "cli/scored.h"

/* What scores can be grouped by. */
enum sp_by {
    SP_BY_FILE, SP_BY_SOURCE, SP_BY_HARDWARE, SP_BY_CLUSTER, SP_BY_GPUS, SP_BY_STRATEGY,
    SP_BY_LAYOUT, SP_BY_SP, SP_BY_SEQ, SP_BY_HEADS, SP_BY_MASK, SP_BY_PASS, SP_NBY
};

extern const char *const sp_by_names[];         /* ends with NULL */

/* What a point is in one of these; "" if that isn't known of a row that is left out. The room
 * is for numbers. */
enum { SP_BY_ROOM = 24 };
const char *sp_by_value(const struct sp_scored *x, enum sp_by by, char room[SP_BY_ROOM]);

/* A line a group of points that are alike in `by`; the last column is the median error if
 * nothing overlapped, for the frameworks that others use may not manage to. */
void sp_scoreboard_groups(const struct sp_scored *x, long n, const enum sp_by *by, int nby);

/* The points that are most wrong, with what the prediction says bounds them. */
void sp_scoreboard_worst(const struct sp_scored *x, long n, int most);

/* How many rows are left out, by the reason. */
void sp_scoreboard_left(const struct sp_scored *x, long n);

/* All points, all but the launch-bound, how they are ordered; and the last line, for programs:
 * "n=... median_error=... p95_error=... bias=... regret_median=... regret_p95=...". How many
 * points there are. */
long sp_scoreboard_total(const struct sp_scored *x, long n);

#endif
