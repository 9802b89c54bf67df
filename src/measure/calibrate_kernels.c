/* calibrate_kernels.c - ATTN and GRAD over sizes of blocks, kinds of masks, numbers of heads.
 *
 *     full           diagonal       apart            what a step of a ring has under a
 *     k ->           #..            . #  .  .        causal mask: full blocks, its own keys
 *     q ###          ##.            . #  #  .        (diagonal), and zigzag's keys of others,
 *     | ###          ###            half is seen     of which it sees a half
 *
 * Small steps find their data in the caches if nothing comes between; in a strategy's plan
 * much does. So a plan here has several such steps, each with data of its own.            */
/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/calibrate.h"
#include "util/clock.h"
#include "util/memory.h"

enum mask { FULL, DIAGONAL, APART };
static const char *const mask_names[] = { "full", "diagonal", "apart" };

static const struct shape {
    int rows, keys, heads, kv_heads;
    enum mask mask;
    bool held_out;
} shapes[] = {
    { 64, 64, 4, 4, FULL, false },
    { 128, 128, 8, 8, FULL, false },
    { 128, 128, 8, 8, DIAGONAL, false },
    { 256, 256, 8, 8, FULL, false },
    { 256, 256, 8, 8, DIAGONAL, false },
    { 128, 1024, 8, 8, FULL, false },
    { 256, 512, 8, 2, FULL, true },
    { 512, 512, 8, 8, DIAGONAL, false },
    { 512, 512, 4, 4, APART, true },
    { 384, 384, 8, 8, FULL, true },
    { 512, 512, 8, 8, FULL, false },
    { 512, 512, 16, 4, DIAGONAL, false },
    { 2048, 256, 8, 8, FULL, false },
    { 256, 2048, 8, 8, FULL, false },
    { 768, 768, 8, 8, DIAGONAL, true },
    { 1024, 1024, 8, 8, DIAGONAL, false },
    { 1024, 1024, 8, 2, FULL, false },
    { 1024, 1024, 8, 8, FULL, false },
    { 1024, 2048, 4, 4, FULL, true },
    { 2048, 2048, 4, 4, DIAGONAL, false },
    { 1024, 4096, 4, 4, FULL, false },
    { 2048, 2048, 4, 4, FULL, false },
    { 4096, 4096, 2, 2, DIAGONAL, false },
};

enum { NSHAPES = sizeof shapes / sizeof *shapes, ROUNDS = 3, MOST = 16, FEWEST_SHAPES = 6,
       MOST_SETS = 8 };

static const double footprint = 16 << 20;       /* bytes of all sets of a plan */

/* Of one shape: ATTN and GRAD. The plan's lists of places, which the works refer to, go with
 * it; they are kept here. */
struct taken { struct sp_work work[2]; struct sp_run run[2][2][2]; struct sp_tally tally[2]; };

static const enum sp_op ops[] = { SP_ATTN, SP_GRAD };

/* ---- plans --------------------------------------------------------------------------- */

static struct sp_block placed(struct sp_plan *p, int rank, enum sp_kind kind, int rows, int heads,
                              const struct sp_run *run, int runs)
{
    struct sp_buf shape = { .name = sp_kind_names[kind], .kind = { kind }, .role = SP_INPUT,
                            .dtype = p->pb.dtype, .rows = rows, .heads = heads };
    struct sp_block b = sp_whole(p, sp_buf_new(p, rank, &shape));
    sp_hold(p, b, (struct sp_where){ run, runs }, 0);
    return b;
}

static void steps(struct sp_plan *p, int rank, const struct shape *s, struct sp_block x[6])
{
    const int half = s->rows / 2, h = s->heads, kv = s->kv_heads;
    const bool apart = s->mask == APART;
    const struct sp_run all[] = { { 0, 1, s->rows } }, keys[] = { { 0, 1, s->keys } },
                        ends[] = { { 0, 1, half }, { 3L * half, 1, half } },
                        middle[] = { { half, 1, s->keys } };
    const struct sp_run *rows = apart ? ends : all;
    const int runs = apart ? 2 : 1;
    x[0] = placed(p, rank, SP_Q, s->rows, h, rows, runs);
    x[1] = placed(p, rank, SP_K, s->keys, kv, apart ? middle : keys, 1);
    x[2] = placed(p, rank, SP_V, s->keys, kv, apart ? middle : keys, 1);
    x[3] = placed(p, rank, SP_DO, s->rows, h, rows, runs);
    x[4] = sp_bench_buf(p, rank, SP_O, p->pb.dtype, s->rows, h);
    x[5] = sp_bench_buf(p, rank, SP_LSE, SP_F32, s->rows, h);
    sp_attn(p, x[4], x[5], x[0], x[1], x[2]);
}

static void backward_steps(struct sp_plan *p, int rank, const struct shape *s,
                           const struct sp_block x[6])
{
    struct sp_block delta = sp_bench_buf(p, rank, SP_DELTAS, SP_F32, s->rows, s->heads);
    sp_delta(p, delta, x[4], x[3]);
    sp_grad(p, (struct sp_grad_blocks){
        .dq = sp_bench_buf(p, rank, SP_DQ, p->pb.dtype, s->rows, s->heads),
        .dk = sp_bench_buf(p, rank, SP_DK, p->pb.dtype, s->keys, s->kv_heads),
        .dv = sp_bench_buf(p, rank, SP_DV, p->pb.dtype, s->keys, s->kv_heads),
        .q = x[0], .k = x[1], .v = x[2], .dout = x[3], .lse = x[5], .delta = delta });
}

/* How many steps of that shape a plan has. */
static int sets_of(const struct shape *s, enum sp_dtype dtype, int dim)
{
    double rows = 5.0 * s->rows * s->heads + 4.0 * s->keys * s->kv_heads,
           sets = footprint / (rows * dim * (double)sp_dtype_bytes(dtype));
    return sets > MOST_SETS ? MOST_SETS : sets < 1 ? 1 : (int)sets;
}

static struct sp_plan *plan_of(const struct shape *s, enum sp_dtype dtype, int dim, int ranks,
                               int sets)
{
    struct sp_problem pb = {
        .seq = 2L * (s->rows > s->keys ? s->rows : s->keys), .batch = 1, .heads = s->heads,
        .kv_heads = s->kv_heads, .dim = dim, .dtype = dtype, .causal = s->mask != FULL,
        .backward = true, .ranks = ranks };
    struct sp_plan *p = sp_plan_new(&pb);
    struct sp_block (*x)[6] = sp_alloc((size_t)(ranks * sets) * sizeof *x);
    for (int i = 0; i < ranks * sets; i++)
        steps(p, i % ranks, s, x[i]);
    sp_backward(p);
    for (int i = 0; i < ranks * sets; i++)
        backward_steps(p, i % ranks, s, x[i]);
    free(x);
    return p;
}

/* Steps of that op, of that rank. */
static void find(const struct sp_plan *p, int rank, enum sp_op op, int *step)
{
    for (int i = 0, n = 0; i < p->nsteps; i++)
        if (p->step[i].rank == rank && p->step[i].op == op)
            step[n++] = i;
}

/* ---- measuring ---------------------------------------------------------------------------- */

static struct sp_where kept(struct sp_where w, struct sp_run run[2])
{
    assert(w.nruns <= 2);
    for (int i = 0; i < w.nruns; i++)
        run[i] = w.run[i];
    return (struct sp_where){ run, w.nruns };
}

static void keep_work(struct taken *t, int i, struct sp_work w)
{
    t->work[i] = w;
    t->work[i].q = kept(w.q, t->run[i][0]);
    t->work[i].k = kept(w.k, t->run[i][1]);
}

/* One shape, in one round: a new plan, so that no round depends on where memory lay. */
static void round_of(struct sp_calibration *c, const struct shape *s, enum sp_dtype dtype, int dim,
                     double seconds, struct taken *t)
{
    const struct sp_lab *l = c->lab;
    int sets = sets_of(s, dtype, dim), step[2][MOST_SETS];
    struct sp_plan *p = plan_of(s, dtype, dim, l->c->ranks, sets);
    for (int i = 0; i < 2; i++) {
        find(p, l->c->rank, ops[i], step[i]);
        keep_work(t, i, sp_step_work(p, step[i][0]));
    }
    struct sp_bench *b = sp_bench_new(l, p);
    double once = sp_bench_run(b, SP_FORWARD, SP_OVERLAPPED)
                  + sp_bench_run(b, SP_BACKWARD, SP_OVERLAPPED);
    double fit = seconds / sp_lab_agree(l, once) - 1;
    int n = fit > MOST ? MOST : fit < 1 ? 1 : (int)fit;
    for (int i = 0; i < n; i++)
        for (enum sp_pass pass = 0; pass < SP_NPASSES; pass++) {
            sp_bench_run(b, pass, SP_OVERLAPPED);
            for (int j = 0; j < sets; j++) {
                struct sp_span span = sp_bench_spans(b)[step[pass][j]];
                sp_tally_add(&t->tally[pass], span.end - span.start);
            }
        }
    sp_bench_free(b);
}

static double flops_of(const struct shape *s, int dim)
{
    double pairs = (double)s->rows * s->keys * s->heads * (s->mask == FULL ? 1 : 0.5);
    return (4 + 10) * pairs * dim;
}

/* The shapes that can be measured in that time, smallest first as in the table. */
static void shapes_within(const struct sp_lab *l, enum sp_dtype dtype, int dim, double seconds,
                         bool *in)
{
    int n = 0;
    for (int i = 0; i < NSHAPES; i++) {
        double once = flops_of(&shapes[i], dim) / l->rate[dtype];
        in[i] = n < FEWEST_SHAPES || once * 2 * ROUNDS < seconds / 4;
        n += in[i];
    }
}

/* ---- fitting ------------------------------------------------------------------------------ */

static struct sp_kernel_fit *new_fit(const struct sp_calibration *c, enum sp_op op,
                                     enum sp_dtype dtype, int dim)
{
    const struct sp_kernels *k = c->lab->kernels;
    struct sp_profile *f = c->profile;
    f->kernel = sp_grow(f->kernel, f->nkernels, sizeof *f->kernel);
    struct sp_kernel_fit *fit = &f->kernel[f->nkernels++];
    *fit = (struct sp_kernel_fit){
        .op = op, .dtype = dtype, .dim = dim, .key = 1,
        .tile_rows = op == SP_ATTN ? k->strip : k->panel,
        .tile_keys = op == SP_ATTN ? k->panel : k->strip };
    return fit;
}

/* The shapes that are not held out give the curve; all of them are compared with it. */
static const char *fit_one(struct sp_calibration *c, enum sp_op op, enum sp_dtype dtype, int dim,
                           const bool *in, const struct sp_sample *all)
{
    struct sp_sample used[NSHAPES];
    int n = 0, held = 0;
    for (int i = 0; i < NSHAPES; i++) {
        held += in[i] && shapes[i].held_out;
        if (in[i] && !shapes[i].held_out)
            used[n++] = all[i];
    }
    struct sp_kernel_fit *k = new_fit(c, op, dtype, dim);
    const char *why = sp_fit_kernel(k, c->profile->slots, used, n);
    if (why)
        return why;
    char source[120];
    snprintf(source, sizeof source, "%d sizes, each in up to %d rounds; %d more held out of the fit",
             n, ROUNDS, held);
    k->source = strdup(source);
    for (int i = 0; i < NSHAPES; i++) {
        const struct shape *s = &shapes[i];
        if (!in[i])
            continue;
        struct sp_fitted f = { .measured = all[i].seconds, .held_out = s->held_out,
                               .fitted = sp_work_seconds(c->profile, &all[i].work, NULL) };
        snprintf(f.what, sizeof f.what, "%s %s d%d", sp_ops[op].name, sp_dtype_names[dtype], dim);
        snprintf(f.size, sizeof f.size, "%d x %d h%d/%d %s", s->rows, s->keys, s->heads,
                 s->kv_heads, mask_names[s->mask]);
        sp_calibration_note(c, &f);
    }
    return NULL;
}

/* All shapes that are in, once more. In the first round those for which there turns out to be
 * no time are left out: a machine may be slower than its registers, and busy. */
static void measure_round(struct sp_calibration *c, enum sp_dtype dtype, int dim, bool first,
                          bool *in, double seconds, struct taken *t)
{
    double start = sp_now(), used = 0;
    int n = 0, done = 0;
    for (int i = 0; i < NSHAPES; i++)
        n += in[i];
    for (int i = 0; i < NSHAPES; i++) {
        in[i] &= !first || done < FEWEST_SHAPES || used < 2 * seconds;
        if (!in[i])
            continue;
        round_of(c, &shapes[i], dtype, dim, seconds / n, &t[i]);
        used = sp_lab_agree(c->lab, sp_now() - start);
        done++;
    }
}

static const char *kernels_of(struct sp_calibration *c, enum sp_dtype dtype, int dim,
                              double seconds)
{
    struct sp_sample sample[2][NSHAPES];
    struct taken *t = sp_alloc(NSHAPES * sizeof *t);
    bool in[NSHAPES];
    shapes_within(c->lab, dtype, dim, seconds, in);
    double start = sp_now(), used = 0;      /* when the next round will be over */
    for (int i = 0; i < ROUNDS && used < 1.2 * seconds; i++) {
        measure_round(c, dtype, dim, i == 0, in, seconds / ROUNDS, t);
        used = sp_lab_agree(c->lab, sp_now() - start) * (i + 2) / (i + 1);
    }
    for (int j = 0; j < NSHAPES; j++)
        for (int i = 0; in[j] && i < 2; i++)
            sample[i][j] = (struct sp_sample){ .work = t[j].work[i], .seconds = c->gap
                + sp_tally_typical(&t[j].tally[i], c->lab->c, SP_SLOWEST) };
    const char *why = fit_one(c, SP_ATTN, dtype, dim, in, sample[0]);
    if (!why)
        why = fit_one(c, SP_GRAD, dtype, dim, in, sample[1]);
    free(t);
    return why;
}

const char *sp_calibrate_kernels(struct sp_calibration *c, double seconds)
{
    static const int dims[] = { 64, 128 };
    const char *why = NULL;
    for (int i = 0; i < 2 && !why; i++)
        for (enum sp_dtype dtype = SP_F32; dtype <= SP_BF16 && !why; dtype++) {
            char part[32];
            snprintf(part, sizeof part, "kernels %s d%d", sp_dtype_names[dtype], dims[i]);
            if (c->progress)
                c->progress(part);
            why = kernels_of(c, dtype, dims[i], seconds / 4);
        }
    return why;
}
