/* show.c - `seqpar show`: one plan, as text, for another tool, or in time. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/points.h"
#include "cli/verbs.h"
#include "cli/venue.h"
#include "report/timeline.h"
#include "sim/predict.h"
#include "util/memory.h"
#include "util/stop.h"

/* For GOAL's calc, in ns: a rate like one processor's. The other tool scales it. */
static const double flops_per_ns = 100;

/* ---- in time ------------------------------------------------------------------------ */

static void draw(const struct sp_timeline *t, const char *prefix, const char *title)
{
    const char *note, *why = sp_timeline_write(t, prefix, title, &note);
    if (why)
        sp_stop(SP_EXIT_ENVIRONMENT, "--timeline: %s", why);
    if (note)
        fprintf(stderr, "seqpar: note: %s\n", note);
    printf("%s.json: for https://ui.perfetto.dev or chrome://tracing; %s.gp, %s.dat%s%s%s\n",
           prefix, prefix, prefix, note ? "" : ", ", note ? "" : prefix, note ? "" : ".svg: a Gantt chart");
}

/* Of a run that was measured. */
static void show_trace(const struct sp_options *o)
{
    struct sp_timeline t;
    char title[400];
    const char *why = sp_timeline_read(o->trace, &t);
    if (why)
        sp_stop(SP_EXIT_ENVIRONMENT, "--trace: %s", why);
    snprintf(title, sizeof title, "measured: %s", o->trace);
    draw(&t, o->timeline, title);
    sp_timeline_free(&t);
}

static void show_simulated(const struct sp_options *o, const struct sp_point *point,
                           const struct sp_plan *p)
{
    struct sp_venue w;
    const char *why = sp_venue_load(o->cluster, o->profile, &w);
    if (why)
        sp_stop(SP_EXIT_ENVIRONMENT, "%s", why);
    struct sp_span *span = sp_alloc((size_t)p->nsteps * sizeof *span);
    struct sp_forecast_options fo = { .groups = 1, .per_node = (int)o->per_node, .span = span };
    struct sp_forecast f = sp_predict(p, w.topo, w.profile, &fo);
    if (f.why)
        sp_stop(SP_EXIT_USAGE, "%s", f.why);
    char title[400];
    snprintf(title, sizeof title, "%s, %d ranks, %ld tokens, simulated: %s, profile %s",
             point->strategy->name, p->pb.ranks, p->pb.seq, w.topo->name, w.profile->name);
    struct sp_timeline t = sp_timeline_of(p, span);
    draw(&t, o->timeline, title);
    sp_timeline_free(&t);
    free(span);
    sp_venue_free(&w);
}

/* ---- as text ------------------------------------------------------------------------- */

static void show_plan(const struct sp_options *o, const struct sp_plan *p)
{
    if (!strcmp(o->format, "text"))
        sp_show_text(p, (int)o->rank, stdout);
    else if (!strcmp(o->format, "dot"))
        sp_show_dot(p, stdout);
    else if (!strcmp(o->format, "goal"))
        sp_show_goal(p, flops_per_ns, stdout);
    else
        sp_stop(SP_EXIT_USAGE, "--format: '%s' is none of text, dot, goal", o->format);
}

static void check(const struct sp_options *o, const struct sp_point *point, int n)
{
    if (o->strategy.n != 1 || n != 1)
        sp_stop(SP_EXIT_USAGE, "show takes one plan, not %d: give one --strategy, and one value of "
                "each option", n);
    if (point->why[0])
        sp_stop(SP_EXIT_USAGE, "%s", point->why);
    if (o->rank >= point->pb.ranks)
        sp_stop(SP_EXIT_USAGE, "--rank: %ld must be from 0 to %d", o->rank, point->pb.ranks - 1);
}

int sp_show_main(int argc, char **argv)
{
    struct sp_options o = sp_options_read(SP_VERB_SHOW, argc, argv);
    if (o.timeline && o.trace) {
        show_trace(&o);
        return SP_EXIT_OK;
    }
    if (o.timeline && !o.cluster)
        sp_stop(SP_EXIT_USAGE, "--timeline needs --cluster FILE to simulate on, or --trace FILE "
                "of a run");
    int n;
    struct sp_point *point = sp_points(&o, false, &n);
    check(&o, point, n);
    struct sp_plan *p = sp_strategy_plan(point->strategy, &point->pb);
    if (o.timeline)
        show_simulated(&o, point, p);
    else
        show_plan(&o, p);
    sp_plan_free(p);
    free(point);
    return SP_EXIT_OK;
}
