/* trace.c - JSON events, a line a step. Time counts from the first step of all; of each rank if
 * ranks are on several hosts, whose clocks don't agree. */
/* SPDX-License-Identifier: MIT */
#include "report/trace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/why.h"

static double origin(const struct sp_plan *p, int rank, const struct sp_span *span)
{
    double first = -1;
    for (int i = 0; i < p->nsteps; i++)
        if (p->step[i].rank == rank && (first < 0 || span[i].start < first))
            first = span[i].start;
    return first;
}

static void events(FILE *f, const struct sp_plan *p, int rank, const struct sp_span *span,
                   double zero)
{
    for (int i = 0; i < p->nsteps; i++) {
        const struct sp_step *s = &p->step[i];
        if (s->rank != rank)
            continue;
        fprintf(f, ",\n{\"name\": \"%s %s\", \"cat\": \"%s\", \"ph\": \"X\", \"pid\": %d, "
                "\"tid\": \"%s%s\", \"ts\": %.3f, \"dur\": %.3f, \"args\": {\"step\": %d, "
                "\"pass\": \"%s\"}}", sp_ops[s->op].name,
                p->buf[sp_step_blocks(p, i)[0].buf].name, s->twin < 0 ? "compute" : "transfer",
                rank, sp_lane_names[s->lane], s->op == SP_RECV ? " in" : s->twin >= 0 ? " out" : "",
                (span[i].start - zero) * 1e6, (span[i].end - span[i].start) * 1e6, i,
                sp_step_pass(p, i) == SP_FORWARD ? "fwd" : "bwd");
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
                    fprintf(f, "{\"traceEvents\": [{\"name\": \"process_sort_index\", "
                            "\"ph\": \"M\", \"pid\": 0, \"args\": {\"sort_index\": 0}}");
                events(f, p, r, span, zero);
                if (r == c->ranks - 1)
                    fprintf(f, "\n]}\n");
                failed = ferror(f) | fclose(f) ? EIO : 0;
            }
        }
        c->transport->reduce(c, &failed, 1, SP_MAX);
        if (failed > 0)
            return sp_why("cannot write %s: %s", path, strerror((int)failed));
    }
    return NULL;
}
