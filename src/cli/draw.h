/* draw.h - timelines as predict and show write them: PREFIX.json and a Gantt chart. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_DRAW_H
#define SP_DRAW_H

#include "cli/venue.h"
#include "report/timeline.h"

/* Both end the program if a file can't be written, and tell whether there is a PREFIX.svg; if
 * there is none, a note has said why. */
bool sp_draw(const struct sp_timeline *t, const char *prefix, const char *title);
bool sp_draw_simulated(const struct sp_venue *w, const char *strategy, const struct sp_plan *p,
                       const struct sp_span *span, const char *prefix);

#endif
