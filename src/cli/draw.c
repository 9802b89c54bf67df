/* draw.c - a timeline's files, and what is said of them. */
/* SPDX-License-Identifier: MIT */
#include "cli/draw.h"

#include <stdio.h>

#include "util/stop.h"

bool sp_draw(const struct sp_timeline *t, const char *prefix, const char *title)
{
    const char *note, *why = sp_timeline_write(t, prefix, title, &note);
    if (why)
        sp_stop(SP_EXIT_ENVIRONMENT, "--timeline: %s", why);
    if (note)
        fprintf(stderr, "seqpar: note: %s\n", note);
    return !note;
}

bool sp_draw_simulated(const struct sp_venue *w, const char *strategy, const struct sp_plan *p,
                       const struct sp_span *span, const char *prefix)
{
    char title[400];
    snprintf(title, sizeof title, "%s, %d ranks, %ld tokens, simulated: %s, profile %s", strategy,
             p->pb.ranks, p->pb.seq, w->topo->name, w->profile->name);
    struct sp_timeline t = sp_timeline_of(p, span);
    bool drawn = sp_draw(&t, prefix, title);
    sp_timeline_free(&t);
    return drawn;
}
