/* show.c - `seqpar show`: one plan, as text, for another tool, or in time. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/draw.h"
#include "cli/points.h"
#include "cli/verbs.h"
#include "sim/predict.h"
#include "util/memory.h"
#include "util/stop.h"

/* For GOAL's calc, in ns: a rate like one processor's. The other tool scales it. */
static const double flops_per_ns = 100;

/* ---- in time ------------------------------------------------------------------------ */

static void say(const char *prefix, bool drawn)
{
    printf("%s.json: for https://ui.perfetto.dev or chrome://tracing; %s.gp, %s.dat%s%s%s\n",
           prefix, prefix, prefix, drawn ? ", " : "", drawn ? prefix : "",
           drawn ? ".svg: a Gantt chart" : "");
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
    say(o->timeline, sp_draw(&t, o->timeline, title));
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
    say(o->timeline, sp_draw_simulated(&w, point->strategy->name, p, span, o->timeline));
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
