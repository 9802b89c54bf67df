/* rows.h - from points and what was measured to result rows. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_ROWS_H
#define SP_ROWS_H

#include "cli/points.h"
#include "measure/measure.h"
#include "report/row.h"
#include "sim/predict.h"

/* How all points of a launch are run; peak: FLOP/s of a thread, by dtype. A cluster: how they
 * are simulated. */
struct sp_setup { const char *transport, *kernels; int threads; long seed; const double *peak;
                  const char *cluster, *profile, *placement; };

enum { SP_TEXT_ROOM = 400 };

struct sp_point_row { struct sp_row row; char knobs[SP_TEXT_ROOM], brief[SP_TEXT_ROOM],
                      reason[SP_TEXT_ROOM], bound[SP_TEXT_ROOM], verified[48]; };

/* The row of one pass and mode, with its key and nothing measured. Points into itself. */
void sp_row_begin(struct sp_point_row *r, const struct sp_point *p, enum sp_pass pass,
                  enum sp_mode mode, const struct sp_setup *setup);

void sp_row_fail(struct sp_point_row *r, enum sp_status status, const char *reason);

/* What was measured. `local` is the median of one rank alone; NaN: not measured. */
void sp_row_measured(struct sp_point_row *r, const struct sp_point *p, const struct sp_outcome *o,
                     enum sp_pass pass, enum sp_mode mode, double local,
                     const struct sp_setup *setup);

/* What was simulated: a time in seconds for each mode that was asked for. `local` as above. */
void sp_row_forecast(struct sp_point_row *r, const struct sp_plan *p, const struct sp_forecast *f,
                     enum sp_pass pass, enum sp_mode mode, double local);

#endif
