/* host.c - when the host of a rank has issued each step: one after another in plan order, a
 * group of messages as one, without ever waiting for the device. Small steps of a framework
 * can't run faster than that. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "sim/state.h"
#include "util/memory.h"

struct host { long calls; int group; };

double *sp_sim_issue_times(const struct sp_sim *x)
{
    const struct sp_plan *p = x->p;
    double each = x->o.streams ? x->s->profile->issue : 0;
    if (!(each > 0))
        return NULL;
    double *at = sp_alloc((size_t)p->nsteps * sizeof *at);
    struct host *host = sp_alloc((size_t)p->pb.ranks * sizeof *host);
    for (int i = 0; i < p->nsteps; i++) {
        const struct sp_step *s = &p->step[i];
        struct host *h = &host[s->rank];
        if (i == p->backward_at)
            for (int r = 0; r < p->pb.ranks; r++)
                host[r] = (struct host){ 0, 0 };
        if (!sp_sim_left_out(x, i) && (s->group < 0 || s->group + 1 != h->group)) {
            h->calls++;
            h->group = s->group + 1;
        }
        at[i] = (double)h->calls * each;
    }
    free(host);
    return at;
}
