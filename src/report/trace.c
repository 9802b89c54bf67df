/* trace.c - JSON events, a line a step. Time counts from the first step of all; of each rank if
 * ranks are on several hosts, whose clocks don't agree. */
/* SPDX-License-Identifier: MIT */
#include "report/trace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/timeline.h"
#include "util/why.h"

static double origin(const struct sp_plan *p, int rank, const struct sp_span *span)
{
    double first = -1;
    for (int i = 0; i < p->nsteps; i++)
        if (p->step[i].rank == rank && (first < 0 || span[i].start < first))
            first = span[i].start;
    return first;
}

static void bars(FILE *f, const struct sp_plan *p, int rank, const struct sp_span *span,
                 double zero)
{
    for (int i = 0; i < p->nsteps; i++)
        if (p->step[i].rank == rank) {
            struct sp_bar b = sp_bar_of(p, i, span[i], zero);
            sp_chrome_bar(f, &b);
        }
}

const char *sp_trace_refuse(const char *path)
{
    FILE *f = fopen(path, "w");
    if (!f)
        return sp_why("cannot write %s: %s", path, strerror(errno));
    fclose(f);
    return NULL;
}

const char *sp_trace_write(const char *path, const struct sp_plan *p, struct sp_comm *c,
                           const struct sp_span *span)
{
    double failed = 0, earliest = -origin(p, c->rank, span), common = earliest;
    c->transport->reduce(c, &common, 1, SP_MAX);
    double zero = c->local == c->ranks ? -common : -earliest;
    for (int r = 0; r < c->ranks; r++) {
        if (r == c->rank) {
            FILE *f = fopen(path, r ? "a" : "w");
            failed = f ? 0 : errno;
            if (f) {
                if (!r)
                    sp_chrome_begin(f);
                bars(f, p, r, span, zero);
                if (r == c->ranks - 1)
                    sp_chrome_end(f);
                failed = ferror(f) | fclose(f) ? EIO : 0;
            }
        }
        c->transport->reduce(c, &failed, 1, SP_MAX);
        if (failed > 0)
            return sp_why("cannot write %s: %s", path, strerror((int)failed));
    }
    return NULL;
}
