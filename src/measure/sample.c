/* sample.c - all rows when that is cheap; else the first and the last row of each run, where
 * masks and layouts go wrong, and one by dice in each stratum, another one for each head. */
/* SPDX-License-Identifier: MIT */
#include "measure/sample.h"

#include <string.h>

#include "measure/inputs.h"

enum { TILE = 64 };

/* Multiply-adds of a rank that are cheap, about a second of a core; and those that may be spent
 * so that no tile is passed over, less than a minute of it. A rank whose part of the work at 64
 * is DEAR takes some five times as long to run the plan once, with the fastest kernels. */
static const double CHEAP = 4e9, DEAR = 3e11;

struct sp_sample sp_sample_choose(const struct sp_plan *p)
{
    const struct sp_problem *pb = &p->pb;
    const struct sp_run all = { 0, 1, pb->seq };
    const struct sp_where where = { &all, 1 };
    const double pairs = sp_pairs(where, where, pb->causal) * pb->heads * pb->batch;
    const double whole = pairs * pb->dim * (pb->backward ? 8 : 2);
    struct sp_sample s = { .stratum = 1 };
    while (s.stratum < TILE && whole / (double)s.stratum / pb->ranks > CHEAP)
        s.stratum *= 2;
    while (whole / (double)s.stratum / pb->ranks > DEAR)
        s.stratum *= 2;
    s.work = whole / (double)s.stratum;
    return s;
}

/* Marks by a walk over the rows of one rank; `row` counts them. */
static void mark_run(struct sp_sample s, unsigned long seed, enum sp_kind kind, int b, int head,
                     struct sp_run run, long *row, long *chosen, char *mark)
{
    mark[run.start] = 1;
    mark[run.start + run.stride * (run.count - 1)] = 1;
    for (long i = 0; i < run.count; i++, (*row)++) {
        const long place = run.start + i * run.stride;
        if (*row % s.stratum == 0)
            *chosen = *row + (long)(sp_input_hash(seed, SP_NKINDS + (int)kind, b, head, place)
                                    % (unsigned long)s.stratum);
        if (*row == *chosen)
            mark[place] = 1;
    }
}

long sp_sample_mark(const struct sp_plan *p, struct sp_sample s, unsigned long seed,
                    enum sp_kind kind, int b, int head, char *mark)
{
    memset(mark, s.stratum == 1, (size_t)p->pb.seq);
    if (s.stratum == 1)
        return p->pb.seq;
    for (int r = 0; r < p->pb.ranks; r++) {
        const struct sp_where home = sp_places_at(&p->places, p->home[r]);
        long row = 0, chosen = 0;
        for (int i = 0; i < home.nruns; i++)
            mark_run(s, seed, kind, b, head, home.run[i], &row, &chosen, mark);
    }
    long n = 0;
    for (long i = 0; i < p->pb.seq; i++)
        n += mark[i];
    return n;
}
