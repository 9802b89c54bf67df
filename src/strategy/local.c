/* local.c - one rank, no communication: what the others are measured against. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "strategy/parts.h"

static const struct sp_knob knobs[] = { { NULL } };

static void choose(struct sp_problem *pb)
{
    if (pb->layout == SP_LAYOUT_AUTO)
        pb->layout = SP_CONTIGUOUS;
}

static const char *refuse(const struct sp_problem *pb)
{
    static char why[80];
    if (pb->ranks == 1)
        return pb->layout == SP_ZIGZAG ? sp_shard_refuse(pb, 1, 1) : NULL;
    snprintf(why, sizeof why, "sp %d must be 1 for local", pb->ranks);
    return why;
}

static void plan(struct sp_plan *p)
{
    struct sp_site *s = sp_sites_by_rank(p);
    sp_site_stats(p, s);
    sp_alone_forward(p, s);
    if (p->pb.backward) {
        sp_backward(p);
        sp_alone_backward(p, s);
    }
    free(s);
}

const struct sp_strategy sp_local = {
    .name = "local",
    .help = "one rank, the baseline",
    .knobs = knobs,
    .choose = choose,
    .refuse = refuse,
    .plan = plan,
};
