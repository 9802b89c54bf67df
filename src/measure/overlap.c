/* overlap.c - a sweep over the begins and ends of spans. */
/* SPDX-License-Identifier: MIT */
#include "measure/overlap.h"

#include <stdlib.h>

#include "util/memory.h"

enum what { KERNEL, TRANSFER };

struct event { double at; int change; enum what what; };

static int by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    return x->at < y->at ? -1 : x->at > y->at ? 1 : x->change - y->change;
}

struct sp_busy sp_busy_of(const struct sp_plan *p, int rank, enum sp_pass pass,
                          const struct sp_span *span)
{
    struct event *e = sp_alloc(2 * ((size_t)p->nsteps + 1) * sizeof *e);
    struct sp_busy busy = { 0, 0, 0 };
    int n = 0, open[2] = { 0, 0 };
    for (int i = 0; i < p->nsteps; i++) {
        const struct sp_step *s = &p->step[i];
        bool kernel = s->op == SP_ATTN || s->op == SP_GRAD;
        if (s->rank != rank || sp_step_pass(p, i) != pass || (!kernel && s->twin < 0))
            continue;
        e[n++] = (struct event){ span[i].start, 1, kernel ? KERNEL : TRANSFER };
        e[n++] = (struct event){ span[i].end, -1, kernel ? KERNEL : TRANSFER };
    }
    qsort(e, (size_t)n, sizeof *e, by_time);
    for (int i = 0; i < n; i++) {
        double length = i ? e[i].at - e[i - 1].at : 0;
        busy.kernels += open[KERNEL] ? length : 0;
        busy.transfers += open[TRANSFER] ? length : 0;
        busy.both += open[KERNEL] && open[TRANSFER] ? length : 0;
        open[e[i].what] += e[i].change;
    }
    free(e);
    return busy;
}
