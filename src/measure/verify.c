/* verify.c - head by head: exact rows of what this rank holds, next to what it holds.
 *
 * Queries need nothing but inputs, which every rank can make. Keys need lse and delta of all
 * queries, which are spread over the ranks: each gives what it has. When all rows are looked
 * at these are the exact ones; else they are the run's, of which those looked at have been
 * compared before. */
/* SPDX-License-Identifier: MIT */
#include "measure/verify.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/executor.h"
#include "measure/definition.h"
#include "measure/fault.h"
#include "measure/identity.h"
#include "measure/inputs.h"
#include "measure/pieces.h"
#include "measure/sample.h"
#include "measure/tolerance.h"
#include "util/memory.h"

enum { EXACT_LSE, LSE, DELTA, NSHARED };

struct look {
    struct sp_comm *c;                  /* NULL: all ranks are here */
    const struct sp_plan *p;
    unsigned long seed;
    struct sp_piece *piece; int npieces;
    struct sp_sample sample;
    struct sp_tolerance tolerance;
    struct sp_faults faults;
    double wanted[SP_NKINDS];           /* rows to be looked at, by all ranks */
    long *all;                          /* seq: 0, 1, 2, ... */
    char *mark;                         /* seq */
    double *shared;                     /* NSHARED x seq: of one query head */
    float *held;                        /* dim */
};

/* Rows of a head that are looked at and held here. */
struct chosen {
    long *place; int n;
    int *row;                           /* seq: the number of the row at that place, or -1 */
};

/* ---- comparing -------------------------------------------------------------------------- */

/* Row i of a piece, which should be `want`. want: dim. Sizes are those of definition.h: where
 * gradients cancel in every row, as with two tokens, max|ref| says nothing about roundings. */
static void compare_row(struct look *l, const struct sp_piece *x, int i, int b, int head,
                        const double *want, double size, double peak)
{
    struct sp_fault worst = { .error = -1, .b = b, .head = head, .pos = x->place[i] };
    double squares = 0, most = fmax(l->faults.most[x->kind], size);
    sp_piece_row(x, i, b, head, l->held);
    for (int d = 0; d < x->view.dim; d++) {
        const double error = fabs(l->held[d] - want[d]);
        squares += error * error / x->view.dim;
        most = fmax(most, fabs(want[d]));
        if (!(error <= worst.error)) {
            worst.error = error;
            worst.element = d;
            worst.got = l->held[d];
            worst.want = want[d];
        }
    }
    l->faults.most[x->kind] = most;
    l->faults.rows[x->kind]++;
    sp_fault_note(&l->faults, x->kind, SP_WAY_ELEMENT, worst);
    if (x->kind == SP_LSE)
        return;
    worst.error = sqrt(squares) / (sp_row_scale(&l->tolerance, x->kind, size, peak) + 1e-30);
    sp_fault_note(&l->faults, x->kind, SP_WAY_ROW, worst);
}

static void compare(struct look *l, const struct chosen *c, enum sp_kind kind, int b, int head,
                    const struct sp_exact *e)
{
    const bool grad = kind == SP_DQ || kind == SP_DK;
    const struct sp_lost *lost = grad ? e->grad_lost : e->sum_lost;
    const double *want = grad ? e->grad : e->sum, *size = grad ? e->grad_size : e->sum_size,
                 *peak = grad ? e->grad_peak : e->sum_peak;
    for (int j = 0; j < l->npieces; j++) {
        const struct sp_piece *x = &l->piece[j];
        for (int i = 0; x->kind == kind && sp_piece_has(x, head) && i < x->view.rows; i++) {
            const int r = c->row[x->place[i]];
            if (r < 0)
                continue;
            compare_row(l, x, i, b, head, want + (long)r * x->view.dim, size[r], peak[r]);
            sp_fault_note(&l->faults, kind, SP_WAY_TILE, (struct sp_fault){
                .error = lost[r].part, .b = b, .head = head, .pos = x->place[i],
                .element = lost[r].key });
        }
    }
}

/* What this rank holds of chosen rows; NaN where it holds none. run: chosen x dim */
static void take_run(const struct look *l, const struct chosen *c, enum sp_kind kind, int b,
                     int head, float *run)
{
    const long dim = l->p->pb.dim;
    for (long i = 0; i < c->n * dim; i++)
        run[i] = NAN;
    for (int j = 0; j < l->npieces; j++) {
        const struct sp_piece *x = &l->piece[j];
        for (int i = 0; x->kind == kind && sp_piece_has(x, head) && i < x->view.rows; i++)
            if (c->row[x->place[i]] >= 0)
                sp_piece_row(x, i, b, head, run + c->row[x->place[i]] * dim);
    }
}

/* ---- choosing ----------------------------------------------------------------------------- */

/* Rows of a head to be looked at, of those that this rank holds in one of two outputs. */
static struct chosen choose(struct look *l, enum sp_kind of, enum sp_kind one, enum sp_kind two,
                            int b, int head)
{
    enum { ASKED = 1, HERE = 2 };
    const size_t seq = (size_t)l->p->pb.seq;
    struct chosen c = { .place = sp_alloc(seq * sizeof *c.place),
                        .row = sp_alloc(seq * sizeof *c.row) };
    l->wanted[one] += (double)sp_sample_mark(l->p, l->sample, l->seed, of, b, head, l->mark);
    l->wanted[two] = l->wanted[one];
    for (int j = 0; j < l->npieces; j++) {
        const struct sp_piece *x = &l->piece[j];
        const bool held = (x->kind == one || x->kind == two) && sp_piece_has(x, head);
        for (int i = 0; held && i < x->view.rows; i++)
            l->mark[x->place[i]] |= HERE;
    }
    for (long i = 0; i < l->p->pb.seq; i++) {
        c.row[i] = l->mark[i] == (ASKED | HERE) ? c.n : -1;
        if (c.row[i] >= 0)
            c.place[c.n++] = i;
    }
    return c;
}

static void chosen_free(struct chosen *c)
{
    free(c->place);
    free(c->row);
}

/* ---- queries of a head ---------------------------------------------------------------------- */

/* Elsewhere or not looked at: -INFINITY, so that the maximum over ranks is what somebody has. */
static void nothing_shared(struct look *l)
{
    for (long i = 0; i < NSHARED * l->p->pb.seq; i++)
        l->shared[i] = -INFINITY;
}

static double *shared(const struct look *l, int which) { return l->shared + which * l->p->pb.seq; }

static void share_exact(struct look *l, const struct chosen *c, const struct sp_exact *e)
{
    for (int i = 0; i < c->n; i++) {
        shared(l, EXACT_LSE)[c->place[i]] = e->lse[i];
        if (l->sample.stratum == 1)
            shared(l, DELTA)[c->place[i]] = e->delta[i];
    }
}

static double dot(const float *x, const float *y, int n)
{
    double sum = 0;
    for (int d = 0; d < n; d++)
        sum += (double)x[d] * y[d];
    return sum;
}

/* A maximum must not lose that there is no number. */
static double kept(double x) { return isnan(x) ? INFINITY : x; }

/* The run's own lse, and delta from its own o, of all rows. */
static void share_run(struct look *l, const struct sp_piece *x, int b, int head)
{
    const struct sp_problem *pb = &l->p->pb;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < x->view.rows; i++) {
        float o[pb->dim], dout[pb->dim];
        if (x->kind == SP_LSE) {
            shared(l, LSE)[x->place[i]] = kept(sp_view_get(&x->view, sp_piece_at(x, i, b, head)));
        } else {
            sp_piece_row(x, i, b, head, o);
            sp_input_row(pb, l->seed, SP_DO, b, head, x->place[i], dout);
            sp_input_round(pb->dtype, dout, pb->dim);
            shared(l, DELTA)[x->place[i]] = kept(dot(o, dout, pb->dim));
        }
    }
}

static void share(struct look *l, int b, int head)
{
    for (int j = 0; j < l->npieces && l->sample.stratum > 1; j++) {
        const struct sp_piece *x = &l->piece[j];
        const bool o = x->kind == SP_O && l->p->pb.backward;
        if ((o || x->kind == SP_LSE) && sp_piece_has(x, head))
            share_run(l, x, b, head);
    }
    if (l->c)
        l->c->transport->reduce(l->c, l->shared, (int)(NSHARED * l->p->pb.seq), SP_MAX);
    if (l->sample.stratum == 1)
        memcpy(shared(l, LSE), shared(l, EXACT_LSE), (size_t)l->p->pb.seq * sizeof(double));
}

static void compare_lse(struct look *l, int b, int head)
{
    l->wanted[SP_LSE] = l->wanted[SP_O];
    for (int j = 0; j < l->npieces; j++) {
        const struct sp_piece *x = &l->piece[j];
        for (int i = 0; x->kind == SP_LSE && sp_piece_has(x, head) && i < x->view.rows; i++) {
            const double *want = &shared(l, EXACT_LSE)[x->place[i]];
            if (*want > -INFINITY)
                compare_row(l, x, i, b, head, want, 0, 0);
        }
    }
}

/* Leaves lse and delta of all its queries in l->shared. */
static void look_at_queries(struct look *l, int b, int head, const struct sp_rowset *kv)
{
    const struct sp_problem *pb = &l->p->pb;
    struct chosen c = choose(l, SP_Q, SP_O, SP_DQ, b, head);
    struct sp_rowset q = sp_rowset_load(pb, l->seed, SP_Q, b, head, c.place, c.n);
    struct sp_exact e = sp_exact_new(c.n, pb->dim);
    take_run(l, &c, SP_O, b, head, e.sum_run);
    take_run(l, &c, SP_DQ, b, head, e.grad_run);
    sp_exact_queries(pb, &q, kv, &e);
    compare(l, &c, SP_O, b, head, &e);
    if (pb->backward)
        compare(l, &c, SP_DQ, b, head, &e);
    nothing_shared(l);
    share_exact(l, &c, &e);
    share(l, b, head);
    compare_lse(l, b, head);
    sp_exact_free(&e);
    sp_rowset_free(&q);
    chosen_free(&c);
}

/* ---- keys of a KV head ---------------------------------------------------------------------- */

/* Adds what one query head gives, whose lse and delta have just been shared. */
static void add_query_head(struct look *l, int b, int head, const struct sp_rowset *keys,
                           struct sp_exact *e)
{
    if (!keys->n)
        return;
    struct sp_rowset q = sp_rowset_load(&l->p->pb, l->seed, SP_Q, b, head, l->all,
                                        (int)l->p->pb.seq);
    sp_exact_keys(&l->p->pb, keys, &q, shared(l, LSE), shared(l, DELTA), e);
    sp_rowset_free(&q);
}

/* A KV head and its query heads. */
static void look_at_head(struct look *l, int b, int kv_head)
{
    const struct sp_problem *pb = &l->p->pb;
    const int group = pb->heads / pb->kv_heads;
    struct chosen c = choose(l, SP_K, SP_DK, SP_DV, b, kv_head);
    struct sp_rowset kv = sp_rowset_load(pb, l->seed, SP_K, b, kv_head, l->all, (int)pb->seq);
    struct sp_rowset keys = sp_rowset_load(pb, l->seed, SP_K, b, kv_head, c.place, c.n);
    struct sp_exact e = sp_exact_new(c.n, pb->dim);
    for (int h = kv_head * group; h < (kv_head + 1) * group; h++) {
        look_at_queries(l, b, h, &kv);
        if (pb->backward)
            add_query_head(l, b, h, &keys, &e);
    }
    compare(l, &c, SP_DV, b, kv_head, &e);
    compare(l, &c, SP_DK, b, kv_head, &e);
    sp_exact_free(&e);
    sp_rowset_free(&keys);
    sp_rowset_free(&kv);
    chosen_free(&c);
}

/* ---- the verdict ---------------------------------------------------------------------------- */

/* An output that nobody holds has not been computed, whatever the others look like. */
static bool all_found(const struct look *l, struct sp_verdict *v)
{
    for (int k = 0; k < SP_NKINDS; k++) {
        if (l->tolerance.element[k] <= 0 || l->faults.rows[k] >= l->wanted[k])
            continue;
        snprintf(v->why, sizeof v->why, "%s: %.0f of %.0f rows that were looked for are no output "
                 "of any rank", sp_kind_names[k], l->wanted[k] - l->faults.rows[k], l->wanted[k]);
        v->worst_kind = k;
        v->worst = INFINITY;
        return false;
    }
    return true;
}

static double at_least_zero(double x) { return x < 0 ? 0 : x; }

static struct sp_verdict judge(const struct look *l)
{
    const struct sp_faults *f = &l->faults;
    const struct sp_tolerance *t = &l->tolerance;
    const double o_tile = f->worst[SP_O][SP_WAY_TILE].error,
                 dq_tile = f->worst[SP_DQ][SP_WAY_TILE].error;
    struct sp_verdict v = { .tile_err = at_least_zero(fmax(o_tile, dq_tile)),
                            .sum_err = at_least_zero(f->worst[SP_DV][SP_WAY_SUM].error),
                            .dot_err = at_least_zero(f->worst[SP_DQ][SP_WAY_DOT].error) };
    enum sp_way way = SP_WAY_ELEMENT;
    for (int k = 0; k < SP_NKINDS; k++) {
        v.tol[k] = t->element[k];
        v.row_tol[k] = t->row[k];
        v.err[k] = at_least_zero(f->worst[k][SP_WAY_ELEMENT].error);
        v.row_err[k] = at_least_zero(f->worst[k][SP_WAY_ROW].error);
    }
    const double rows = (double)l->p->pb.seq * l->p->pb.heads * l->p->pb.batch;
    if (l->sample.stratum == 1)
        snprintf(v.rows, sizeof v.rows, "whole");
    else
        snprintf(v.rows, sizeof v.rows, "%.0f of %.0f rows", f->rows[SP_O], rows);
    if (!all_found(l, &v))
        return v;
    v.worst = sp_faults_worst(f, t, &v.worst_kind, &way);
    v.passed = v.worst <= 1;
    if (!v.passed)
        sp_fault_say(f, t, v.worst_kind, way, v.why, sizeof v.why);
    return v;
}

static struct sp_verdict verify(struct sp_comm *c, int rank, const struct sp_plan *p,
                                void *const *data, unsigned long seed)
{
    const size_t seq = (size_t)p->pb.seq;
    struct look l = { .c = c, .p = p, .seed = seed, .sample = sp_sample_choose(p),
                      .tolerance = sp_tolerance_of(p), .faults = sp_faults_none() };
    l.piece = sp_pieces_new(p, rank, SP_OUTPUT, data, &l.npieces);
    l.mark = sp_alloc(seq);
    l.shared = sp_alloc(NSHARED * seq * sizeof *l.shared);
    l.held = sp_alloc((size_t)p->pb.dim * sizeof *l.held);
    l.all = sp_alloc(seq * sizeof *l.all);
    for (size_t i = 0; i < seq; i++)
        l.all[i] = (long)i;
    for (int b = 0; b < p->pb.batch; b++)
        for (int kv = 0; kv < p->pb.kv_heads; kv++)
            look_at_head(&l, b, kv);
    sp_identities(c, p, l.piece, l.npieces, seed, &l.tolerance, &l.faults);
    sp_faults_reduce(c, &l.faults);
    const struct sp_verdict v = judge(&l);
    sp_pieces_free(l.piece, l.npieces);
    free(l.mark);
    free(l.shared);
    free(l.held);
    free(l.all);
    return v;
}

struct sp_verdict sp_verify(struct sp_comm *c, const struct sp_plan *p, void *const *data,
                            unsigned long seed)
{
    return verify(c, c->rank, p, data, seed);
}

struct sp_verdict sp_verify_all(const struct sp_plan *p, void *const *data, unsigned long seed)
{
    return verify(NULL, SP_ALL_RANKS, p, data, seed);
}
