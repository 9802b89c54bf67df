/* calibrate_streams.c - the steps that are bound by memory, one after another as in a plan,
 * over blocks of which some fit the caches and some don't. A plan holds tens of times what one
 * of its steps touches, and so does this one: what a step finds in the caches is alike.
 *
 * What passes between two steps of a lane, and before the first and after the last one of a
 * pass, is seen here too. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/calibrate.h"
#include "util/clock.h"
#include "util/stats.h"

enum { DIM = 128, HEADS = 8, MOST = 200, FEWEST = 4, SMALL = 3 };

/* From and to: what a strategy makes its steps of. A pack takes half of the heads. */
static const struct way { enum sp_op op; enum sp_dtype to, from; bool pack; } ways[] = {
    { SP_COPY, SP_BF16, SP_BF16, true },
    { SP_ADD, SP_F32, SP_F32, false },
    { SP_MERGE, SP_F32, SP_F32, false },
    { SP_COPY, SP_BF16, SP_F32, false },
    { SP_DELTA, SP_F32, SP_BF16, false },
    { SP_COPY, SP_F32, SP_F32, true },
    { SP_ADD, SP_BF16, SP_F32, false },
    { SP_COPY, SP_F32, SP_BF16, false },
    { SP_DELTA, SP_F32, SP_F32, false },
    { SP_ADD, SP_F32, SP_BF16, false },
};

static const int sizes[] = { 8, 32, 128, 512, 1024, 2048 };    /* rows */

enum { NWAYS = sizeof ways / sizeof *ways, NSIZES = sizeof sizes / sizeof *sizes,
       NPOINTS = NWAYS * NSIZES };

static void step(struct sp_plan *p, int rank, const struct way *w, int rows)
{
    enum sp_kind kind = w->op == SP_MERGE || w->op == SP_DELTA ? SP_O : SP_DQ;
    struct sp_block from = sp_bench_input(p, rank, kind, w->from, rows, HEADS * (1 + w->pack));
    if (w->op == SP_COPY) {
        sp_copy(p, SP_COMPUTE, sp_bench_buf(p, rank, kind, w->to, rows, HEADS),
                sp_heads(from, 0, HEADS));
    } else if (w->op == SP_ADD) {
        sp_add(p, sp_bench_input(p, rank, kind, w->to, rows, HEADS), from);
    } else if (w->op == SP_DELTA) {
        sp_delta(p, sp_bench_buf(p, rank, SP_DELTAS, SP_F32, rows, HEADS), from,
                 sp_bench_input(p, rank, SP_DO, w->from, rows, HEADS));
    } else {
        sp_merge(p, sp_bench_input(p, rank, SP_O, w->to, rows, HEADS),
                 sp_bench_input(p, rank, SP_LSE, SP_F32, rows, HEADS), from,
                 sp_bench_input(p, rank, SP_LSE, SP_F32, rows, HEADS));
    }
}

static struct sp_plan *plan_of(int rows, int ranks)
{
    struct sp_problem pb = { .seq = rows, .batch = 1, .heads = 2 * HEADS, .kv_heads = 2 * HEADS,
                             .dim = DIM, .dtype = SP_BF16, .ranks = ranks };
    struct sp_plan *p = sp_plan_new(&pb);
    for (int r = 0; r < ranks; r++)
        for (int i = 0; i < NWAYS; i++)
            step(p, r, &ways[i], rows);
    return p;
}

/* ---- measuring ---------------------------------------------------------------------------- */

static void once(struct sp_bench *b, int first, struct sp_tally *took, struct sp_tally *gap,
                 struct sp_tally *pass)
{
    double all = sp_bench_run(b, SP_FORWARD, SP_OVERLAPPED);
    const struct sp_span *span = sp_bench_spans(b) + first;
    for (int i = 0; i < NWAYS; i++) {
        sp_tally_add(&took[i], span[i].end - span[i].start);
        if (i)
            sp_tally_add(gap, span[i].start - span[i - 1].end);
    }
    sp_tally_add(pass, all - (span[NWAYS - 1].end - span[0].start));
}

/* All ways at one size. */
static void measure(struct sp_calibration *c, int rows, double seconds, struct sp_sample *out,
                    struct sp_tally *gap, struct sp_tally *pass)
{
    const struct sp_lab *l = c->lab;
    struct sp_plan *p = plan_of(rows, l->c->ranks);
    struct sp_tally took[NWAYS] = { 0 };
    int first = l->c->rank * NWAYS;
    for (int i = 0; i < NWAYS; i++)
        out[i].work = sp_step_work(p, first + i);
    struct sp_bench *b = sp_bench_new(l, p);
    double start = sp_now();
    sp_bench_run(b, SP_FORWARD, SP_OVERLAPPED);
    double fit = seconds / sp_lab_agree(l, sp_now() - start);
    int n = fit > MOST ? MOST : fit < FEWEST ? FEWEST : (int)fit;
    for (int i = 0; i < n; i++)
        once(b, first, took, gap, pass);
    sp_bench_free(b);
    for (int i = 0; i < NWAYS; i++)
        out[i].seconds = sp_tally_typical(&took[i], l->c, SP_SLOWEST);
}

/* ---- fitting ------------------------------------------------------------------------------ */

/* seconds = launch + elements x slope, of sizes below `most`, with the least sum of squares of
 * relative errors: the launch. */
static double launch_of(enum sp_op op, const struct sp_sample *s, int n, double most)
{
    double w = 0, x = 0, xx = 0, y = 0, xy = 0;
    for (int i = 0; i < n; i++) {
        if (s[i].work.op != op || s[i].work.elements > most)
            continue;
        double elements = s[i].work.elements, by = 1 / (s[i].seconds * s[i].seconds);
        w += by;
        x += by * elements;
        xx += by * elements * elements;
        y += by * s[i].seconds;
        xy += by * elements * s[i].seconds;
    }
    double slope = (w * xy - x * y) / (w * xx - x * x);
    return fmax(0, (y - slope * x) / w);
}

/* The launch shows in blocks that the caches hold; each size then says what an element takes,
 * as the median over the ways. */
static void fit(struct sp_stream_fit *f, enum sp_op op, const struct sp_sample *s,
                int nsizes)
{
    f->launch = launch_of(op, s, nsizes * NWAYS, sizes[SMALL - 1] * (double)(HEADS * DIM));
    for (int i = 0; i < nsizes; i++) {
        double each[NWAYS], elements = sizes[i] * (double)(HEADS * DIM);
        int n = 0;
        for (int j = 0; j < NWAYS; j++) {
            const struct sp_sample *one = &s[i * NWAYS + j];
            if (ways[j].op == op)
                each[n++] = fmax(one->seconds - f->launch, 0.02 * one->seconds) / elements;
        }
        sp_sort(each, n);
        sp_curve_add(&f->element, elements, sp_median(each, n));
    }
    f->known = true;
    f->source = strdup("blocks of 8 K to 2 M elements, between fp32 and bf16, some strided");
}

/* The small ones, and what there is time for: making and filling the blocks takes most. */
static bool in_time(int rows, double seconds)
{
    static const double each = 1e-7;        /* seconds of an element, all steps together */
    return rows <= sizes[SMALL] || rows * (double)(HEADS * DIM) * each < 2 * seconds;
}

const char *sp_calibrate_streams(struct sp_calibration *c, double seconds)
{
    struct sp_sample sample[NPOINTS];
    struct sp_tally gap = { 0 }, pass = { 0 };
    int n = 0;
    while (n < NSIZES && in_time(sizes[n], seconds / NSIZES))
        n++;
    if (c->progress)
        c->progress("copies and sums");
    for (int i = 0; i < n; i++)
        measure(c, sizes[i], seconds / NSIZES, sample + i * NWAYS, &gap, &pass);
    c->gap = sp_tally_typical(&gap, c->lab->c, SP_SLOWEST);
    c->profile->pass = sp_tally_typical(&pass, c->lab->c, SP_SLOWEST);
    for (int i = 0; i < n * NWAYS; i++)
        sample[i].seconds += c->gap;
    for (enum sp_op op = SP_DELTA; op <= SP_COPY; op++)
        fit(&c->profile->stream[op], op, sample, n);
    for (int j = 0; j < NWAYS; j++)
        for (int i = 0; i < n; i++) {
            const struct sp_sample *s = &sample[i * NWAYS + j];
            struct sp_fitted f = { .measured = s->seconds,
                                   .fitted = sp_work_seconds(c->profile, &s->work, NULL) };
            snprintf(f.what, sizeof f.what, "%s %s from %s", sp_ops[ways[j].op].name,
                     sp_dtype_names[ways[j].to], sp_dtype_names[ways[j].from]);
            snprintf(f.size, sizeof f.size, "%.0f elements", s->work.elements);
            sp_calibration_note(c, &f);
        }
    return NULL;
}
