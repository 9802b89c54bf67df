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
    struct sp_faults faults;
    double wanted[SP_NKINDS];           /* rows to be looked at, by all ranks */
    long *all;                          /* seq: 0, 1, 2, ... */
    char *mark;                         /* seq */
    int  *row;                          /* seq: the chosen row at that place; -1: none */
    long *chosen; int nchosen;          /* places of chosen rows that are held here */
    double *shared;                     /* NSHARED x seq: of one query head */
    float *held;                        /* dim */
};

/* ---- comparing -------------------------------------------------------------------------- */

/* Row i of a piece, which should be `want`, of elements of that size. want: dim */
static void compare_row(struct look *l, const struct sp_piece *x, int i, int b, int head,
                        const double *want, double size)
{
    struct sp_fault worst = { .error = -1, .b = b, .head = head, .pos = x->place[i] };
    double squares = 0, most = l->faults.most[x->kind];
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
    sp_fault_note(&l->faults, x->kind, SP_ELEMENT, worst);
    if (x->kind == SP_LSE)
        return;
    worst.error = sqrt(squares) / (size + 1e-30);
    sp_fault_note(&l->faults, x->kind, SP_ROW, worst);
}

/* Chosen rows of one kind and head. want: nchosen x dim */
static void compare(struct look *l, enum sp_kind kind, int b, int head, const double *want,
                    const double *size)
{
    for (int j = 0; j < l->npieces; j++) {
        const struct sp_piece *x = &l->piece[j];
        for (int i = 0; x->kind == kind && sp_piece_has(x, head) && i < x->view.rows; i++) {
            const int r = l->row[x->place[i]];
            if (r >= 0)
                compare_row(l, x, i, b, head, want + (long)r * x->view.dim, size[r]);
        }
    }
}

/* ---- choosing ----------------------------------------------------------------------------- */

/* Which rows of a head, of those that this rank holds in an output of these two kinds. */
static void choose(struct look *l, enum sp_kind of, enum sp_kind a, enum sp_kind or_b, int b,
                   int head)
{
    enum { ASKED = 1, HERE = 2 };
    l->wanted[a] += (double)sp_sample_mark(l->p, l->sample, l->seed, of, b, head, l->mark);
    l->wanted[or_b] = l->wanted[a];
    for (int j = 0; j < l->npieces; j++) {
        const struct sp_piece *x = &l->piece[j];
        const bool held = (x->kind == a || x->kind == or_b) && sp_piece_has(x, head);
        for (int i = 0; held && i < x->view.rows; i++)
            l->mark[x->place[i]] |= HERE;
    }
    l->nchosen = 0;
    for (long i = 0; i < l->p->pb.seq; i++) {
        l->row[i] = -1;
        if (l->mark[i] != (ASKED | HERE))
            continue;
        l->row[i] = l->nchosen;
        l->chosen[l->nchosen++] = i;
    }
}

/* ---- queries of a head ---------------------------------------------------------------------- */

/* Elsewhere or not looked at: -INFINITY, so that the maximum over ranks is what somebody has. */
static void nothing_shared(struct look *l)
{
    for (long i = 0; i < NSHARED * l->p->pb.seq; i++)
        l->shared[i] = -INFINITY;
}

static double *shared(const struct look *l, int which) { return l->shared + which * l->p->pb.seq; }

static void share_exact(struct look *l, const struct sp_exact *e)
{
    for (int i = 0; i < l->nchosen; i++) {
        shared(l, EXACT_LSE)[l->chosen[i]] = e->lse[i];
        if (l->sample.stratum == 1)
            shared(l, DELTA)[l->chosen[i]] = e->delta[i];
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
        if ((x->kind == SP_LSE || x->kind == SP_O) && sp_piece_has(x, head))
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
                compare_row(l, x, i, b, head, want, 1);
        }
    }
}

/* Leaves lse and delta of all its queries in l->shared. */
static void look_at_queries(struct look *l, int b, int head, const struct sp_rowset *kv)
{
    const struct sp_problem *pb = &l->p->pb;
    choose(l, SP_Q, SP_O, SP_DQ, b, head);
    struct sp_rowset q = sp_rowset_load(pb, l->seed, SP_Q, b, head, l->chosen, l->nchosen);
    struct sp_exact e = sp_exact_new(l->nchosen, pb->dim);
    sp_exact_queries(pb, &q, kv, &e);
    compare(l, SP_O, b, head, e.sum, e.sum_size);
    if (pb->backward)
        compare(l, SP_DQ, b, head, e.grad, e.grad_size);
    nothing_shared(l);
    share_exact(l, &e);
    share(l, b, head);
    compare_lse(l, b, head);
    sp_exact_free(&e);
    sp_rowset_free(&q);
}

/* ---- keys of a KV head, and all of it -------------------------------------------------------- */

static void look_at_head(struct look *l, int b, int kv_head)
{
    const struct sp_problem *pb = &l->p->pb;
    const int group = pb->heads / pb->kv_heads, seq = (int)pb->seq;
    struct sp_rowset kv = sp_rowset_load(pb, l->seed, SP_K, b, kv_head, l->all, seq);
    for (int h = 0; h < group && !pb->backward; h++)
        look_at_queries(l, b, kv_head * group + h, &kv);
    if (pb->backward) {
        choose(l, SP_K, SP_DK, SP_DV, b, kv_head);
        struct sp_rowset keys = sp_rowset_load(pb, l->seed, SP_K, b, kv_head, l->chosen,
                                               l->nchosen);
        struct sp_exact e = sp_exact_new(keys.n, pb->dim);
        for (int h = 0; h < group; h++) {
            const int head = kv_head * group + h;
            look_at_queries(l, b, head, &kv);
            struct sp_rowset q = sp_rowset_load(pb, l->seed, SP_Q, b, head, l->all, seq);
            sp_exact_keys(pb, &keys, &q, shared(l, LSE), shared(l, DELTA), &e);
            sp_rowset_free(&q);
        }
        l->wanted[SP_DK] -= 0;
        compare(l, SP_DV, b, kv_head, e.sum, e.sum_size);
        compare(l, SP_DK, b, kv_head, e.grad, e.grad_size);
        sp_exact_free(&e);
        sp_rowset_free(&keys);
    }
    sp_rowset_free(&kv);
}
