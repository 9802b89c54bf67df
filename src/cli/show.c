/* show.c - `seqpar show`: one plan, as text or for another tool. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/points.h"
#include "cli/verbs.h"
#include "util/stop.h"

/* For GOAL's calc, in ns: a rate like one processor's. The other tool scales it. */
static const double flops_per_ns = 100;

int sp_show_main(int argc, char **argv)
{
    struct sp_options o = sp_options_read(SP_VERB_SHOW, argc, argv);
    int n;
    struct sp_point *point = sp_points(&o, false, &n);
    if (o.strategy.n != 1 || n != 1)
        sp_stop(SP_EXIT_USAGE, "show takes one plan, not %d: give one --strategy, and one value of "
                "each option", n);
    if (point->why[0])
        sp_stop(SP_EXIT_USAGE, "%s", point->why);
    if (o.rank >= point->pb.ranks)
        sp_stop(SP_EXIT_USAGE, "--rank: %ld must be from 0 to %d", o.rank, point->pb.ranks - 1);
    struct sp_plan *p = sp_strategy_plan(point->strategy, &point->pb);
    if (!strcmp(o.format, "text"))
        sp_show_text(p, (int)o.rank, stdout);
    else if (!strcmp(o.format, "dot"))
        sp_show_dot(p, stdout);
    else if (!strcmp(o.format, "goal"))
        sp_show_goal(p, flops_per_ns, stdout);
    else
        sp_stop(SP_EXIT_USAGE, "--format: '%s' is none of text, dot, goal", o.format);
    sp_plan_free(p);
    free(point);
    return SP_EXIT_OK;
}
