/* measure.c - prove, run, verify, warm up, then time.
 *
 * A sample is the time of one pass on the slowest rank, from a barrier to the end of its last
 * step. Nothing but the work is between the two looks at the clock; ranks' times are joined
 * when all repetitions are over. */
/* SPDX-License-Identifier: MIT */
#include "measure/measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/dump.h"
#include "measure/inputs.h"
#include "measure/overlap.h"
#include "util/clock.h"
#include "util/memory.h"
#include "util/stats.h"
#include "util/stop.h"

enum { FEWEST = 3 };

struct run {
    struct sp_comm *c;
    const struct sp_plan *p;
    struct sp_real *x;
    int passes;
    struct sp_outcome *o;
};

static double reduced(struct sp_comm *c, double value, enum sp_reduce how)
{
    c->transport->reduce(c, &value, 1, how);
    return value;
}

static double timed(struct run *r, enum sp_pass pass, enum sp_mode mode, struct sp_span *span)
{
    r->c->transport->barrier(r->c);
    double start = sp_now();
    sp_real_run(r->x, pass, mode, span);
    return sp_now() - start;
}

/* ---- what a pass moves -------------------------------------------------------------- */

static size_t bytes_received(const struct sp_plan *p, int rank, enum sp_pass pass)
{
    size_t sum = 0;
    for (int i = 0; i < p->nsteps; i++)
        if (p->step[i].rank == rank && p->step[i].op == SP_RECV && sp_step_pass(p, i) == pass)
            sum += sp_block_bytes(p, sp_step_blocks(p, i)[0]);
    return sum;
}

static void first_run(struct run *r, enum sp_pass pass)
{
    struct sp_passed *o = &r->o->pass[pass];
    struct sp_count plan = sp_rank_count(r->p, r->c->rank, pass);
    r->c->moved = (struct sp_moved){ 0, 0, 0 };
    timed(r, pass, SP_OVERLAPPED, NULL);
    struct sp_moved moved = r->c->moved;
    bool as_planned = moved.sent == sp_count_bytes(&plan)
                      && moved.received == bytes_received(r->p, r->c->rank, pass)
                      && moved.messages == sp_count_messages(&plan);
    o->as_planned = reduced(r->c, as_planned ? 0 : 1, SP_MAX) == 0;
    o->bytes_plan = reduced(r->c, (double)sp_count_bytes(&plan), SP_MAX);
    o->bytes_moved = reduced(r->c, (double)moved.sent, SP_MAX);
    o->messages_plan = reduced(r->c, (double)sp_count_messages(&plan), SP_MAX);
    o->messages_moved = reduced(r->c, (double)moved.messages, SP_MAX);
    o->flops = reduced(r->c, plan.flops, SP_SUM);
}

/* ---- time ------------------------------------------------------------------------------ */

/* Repetitions that fit in the time there is, by the last warm-up; the same on all ranks. */
static int repetitions(struct run *r, const struct sp_effort *e)
{
    double once = 0;
    for (int i = 0; i <= e->warmup; i++) {
        once = 0;
        for (int pass = 0; pass < r->passes; pass++)
            once += timed(r, pass, SP_OVERLAPPED, NULL);
    }
    once = reduced(r->c, once, SP_MAX) * (e->decompose ? SP_NMODES : 1);
    double fit = e->seconds / (once > 1e-9 ? once : 1e-9);
    return fit > e->iters ? e->iters : fit > FEWEST ? (int)fit
           : e->iters < FEWEST ? e->iters : FEWEST;
}

/* Modes take turns, so that a disturbance meets them all. */
static void time_all(struct run *r, const struct sp_effort *e)
{
    int n = repetitions(r, e), modes = e->decompose ? SP_NMODES : 1;
    for (int pass = 0; pass < r->passes; pass++)
        for (int mode = 0; mode < modes; mode++) {
            struct sp_timing *t = &r->o->pass[pass].time[mode];
            t->n = n;
            t->sample = sp_alloc((size_t)n * sizeof *t->sample);
        }
    for (int i = 0; i < n; i++)
        for (int mode = 0; mode < modes; mode++)
            for (int pass = 0; pass < r->passes; pass++)
                r->o->pass[pass].time[mode].sample[i] = timed(r, pass, mode, NULL);
    for (int pass = 0; pass < r->passes; pass++)
        for (int mode = 0; mode < modes; mode++)
            r->c->transport->reduce(r->c, r->o->pass[pass].time[mode].sample, n, SP_MAX);
}

/* One more repetition, with a span kept of each step. */
static void look_inside(struct run *r, bool keep)
{
    struct sp_span *span = sp_alloc((size_t)r->p->nsteps * sizeof *span);
    for (int pass = 0; pass < r->passes; pass++) {
        timed(r, pass, SP_OVERLAPPED, span);
        struct sp_busy b = sp_busy_of(r->p, r->c->rank, pass, span);
        double sum[] = { b.kernels, b.transfers, b.both };
        double most = reduced(r->c, b.kernels, SP_MAX);
        r->c->transport->reduce(r->c, sum, 3, SP_SUM);
        r->o->pass[pass].imbalance = sum[0] > 0 ? most * r->c->ranks / sum[0] : NAN;
        r->o->pass[pass].under = sum[1] > 0 ? sum[2] / sum[1] : NAN;
    }
    if (keep)
        r->o->span = span;
    else
        free(span);
}

/* ---- a point ------------------------------------------------------------------------------ */

static void verified_run(struct run *r, const struct sp_effort *e)
{
    sp_inputs_fill(r->p, r->c->rank, e->seed, sp_real_data(r->x));
    for (int pass = 0; pass < r->passes; pass++)
        first_run(r, pass);
    r->o->verdict = sp_verify(r->c, r->p, sp_real_data(r->x), e->seed);
    if (!e->dump)
        return;
    const char *why = sp_dump(r->c, r->p, e->strategy, sp_real_data(r->x), e->dump);
    if (why)
        sp_stop(SP_EXIT_ENVIRONMENT, "%s", why);
}

struct sp_outcome sp_measure(struct sp_comm *c, const struct sp_plan *p, const struct sp_kernels *k,
                             int threads, const struct sp_effort *e)
{
    struct sp_outcome o = { .why = sp_check(p), .ranks = c->ranks };
    if (o.why)
        return o;
    struct run r = { .c = c, .p = p, .passes = p->pb.backward ? 2 : 1, .o = &o };
    size_t before = sp_big_bytes();
    sp_big_reset();
    r.x = sp_real_new(p, c, k, threads);
    verified_run(&r, e);
    bool moved_right = o.pass[0].as_planned && (r.passes == 1 || o.pass[1].as_planned);
    if (o.verdict.passed && moved_right) {
        time_all(&r, e);
        look_inside(&r, e->trace);
    }
    o.mem_plan = reduced(c, (double)sp_real_bytes(p, c->rank, k), SP_MAX);
    o.mem_used = reduced(c, (double)(sp_big_peak() - before), SP_MAX);
    sp_real_free(r.x);
    return o;
}

void sp_outcome_free(struct sp_outcome *o)
{
    for (int pass = 0; pass < SP_NPASSES; pass++)
        for (int mode = 0; mode < SP_NMODES; mode++)
            free(o->pass[pass].time[mode].sample);
    free(o->span);
    *o = (struct sp_outcome){ 0 };
}

double sp_timing_median(const struct sp_timing *t)
{
    if (!t->n)
        return NAN;
    double *sorted = sp_alloc((size_t)t->n * sizeof *sorted);
    memcpy(sorted, t->sample, (size_t)t->n * sizeof *sorted);
    sp_sort(sorted, t->n);
    double median = sp_median(sorted, t->n);
    free(sorted);
    return median;
}

double sp_outcome_rate(const struct sp_outcome *o)
{
    double best = 0;
    for (int pass = 0; pass < SP_NPASSES; pass++) {
        double rate = o->pass[pass].flops / o->ranks / sp_timing_median(&o->pass[pass].time[0]);
        best = rate > best ? rate : best;
    }
    return best;
}

double sp_passed_hidden(const struct sp_passed *p)
{
    double serialised = sp_timing_median(&p->time[SP_SERIALISED]),
           overlapped = sp_timing_median(&p->time[SP_OVERLAPPED]),
           communication = sp_timing_median(&p->time[SP_COMM_ONLY]);
    return p->messages_plan > 0 ? (serialised - overlapped) / communication : NAN;
}

double sp_passed_exposed(const struct sp_passed *p)
{
    return sp_timing_median(&p->time[SP_OVERLAPPED]) - sp_timing_median(&p->time[SP_COMPUTE_ONLY]);
}
