/* identity.c - two sums that need no attention to be computed, over every row there is.
 *
 * Each row of p sums to 1, so the sum of dV is that of dO. And <Q, dQ> and <K, dK> are both
 * the sum of ds s. A result that is off by roundings is off by about the root of the sum of
 * squares of what was rounded; SIGMAS times that is allowed: of thousands of sums some are off
 * by 4, and roundings of parts, of p and of the end come together. */
/* SPDX-License-Identifier: MIT */
#include "measure/identity.h"

#include <math.h>
#include <stdlib.h>

#include "measure/inputs.h"
#include "util/memory.h"

static const double SIGMAS = 10;
static const double LSE_ERROR = 1e-6;   /* each row of p sums to 1 only as well as this */

/* Sums of one KV head of one sequence: numbers, then elements. */
enum { Q_DQ, K_DK, Q_ERROR, K_ERROR, NUMBERS };
enum { DV, DV_SQUARES, DO, DO_SQUARES, NVECTORS };

struct sums {
    const struct sp_plan *p;
    unsigned long seed;
    double *at;                         /* NUMBERS, then NVECTORS x dim */
    float *row, *input;                 /* dim */
    struct sp_fault bad[SP_NKINDS];     /* the first that was not; error < 0: none */
};

static double *vector(const struct sums *s, int which)
{
    return s->at + NUMBERS + (long)which * s->p->pb.dim;
}

static void square_up(const struct sums *s, int which, const float *row)
{
    double *sum = vector(s, which), *squares = vector(s, which + 1);
    for (int d = 0; d < s->p->pb.dim; d++) {
        sum[d] += row[d];
        squares[d] += (double)row[d] * row[d];
    }
}

/* product += row . input, and the squares of its terms to `error`. */
static void multiply(const struct sums *s, int product, int error)
{
    double sum = 0, squares = 0;
    for (int d = 0; d < s->p->pb.dim; d++) {
        const double term = (double)s->row[d] * s->input[d];
        sum += term;
        squares += term * term;
    }
    s->at[product] += sum;
    s->at[error] += squares;
}

static void input(const struct sums *s, enum sp_kind kind, int b, int head, long pos)
{
    sp_input_row(&s->p->pb, s->seed, kind, b, head, pos, s->input);
    sp_input_round(s->p->pb.dtype, s->input, s->p->pb.dim);
}

static bool numbers(struct sums *s, const struct sp_piece *x, int b, int head, long pos)
{
    for (int d = 0; d < x->view.dim; d++) {
        if (isfinite(s->row[d]))
            continue;
        if (s->bad[x->kind].error < 0)
            s->bad[x->kind] = (struct sp_fault){ INFINITY, s->row[d], 0, b, head, d, pos };
        return false;
    }
    return true;
}

static void add_row(struct sums *s, const struct sp_piece *x, int i, int b, int head)
{
    const long pos = x->place[i];
    sp_piece_row(x, i, b, head, s->row);
    if (!numbers(s, x, b, head, pos))
        return;
    if (x->kind == SP_DV) {
        square_up(s, DV, s->row);
    } else if (x->kind == SP_DK) {
        input(s, SP_K, b, head, pos);
        multiply(s, K_DK, K_ERROR);
    } else if (x->kind == SP_DQ) {
        input(s, SP_Q, b, head, pos);
        multiply(s, Q_DQ, Q_ERROR);
        input(s, SP_DO, b, head, pos);
        square_up(s, DO, s->input);
    }
}

/* All rows of this rank that belong to a KV head. */
static void add_head(struct sums *s, const struct sp_piece *piece, int n, int b, int kv)
{
    const int group = s->p->pb.heads / s->p->pb.kv_heads;
    for (int j = 0; j < n; j++) {
        const struct sp_piece *x = &piece[j];
        const bool keys = x->kind == SP_DK || x->kind == SP_DV;
        const int first = keys ? kv : kv * group, end = first + (keys ? 1 : group);
        for (int head = first; head < end; head++)
            for (int i = 0; sp_piece_has(x, head) && i < x->view.rows; i++)
                add_row(s, x, i, b, head);
    }
}

static long stride_of(const struct sp_plan *p) { return NUMBERS + (long)NVECTORS * p->pb.dim; }

static void add_all(const struct sp_plan *p, const struct sp_piece *piece, int n,
                    unsigned long seed, double *sum, struct sp_faults *f)
{
#pragma omp parallel for collapse(2) schedule(dynamic)
    for (int b = 0; b < p->pb.batch; b++)
        for (int kv = 0; kv < p->pb.kv_heads; kv++) {
            const size_t bytes = (size_t)p->pb.dim * sizeof(float);
            struct sums s = { .p = p, .seed = seed, .row = sp_alloc(bytes),
                              .input = sp_alloc(bytes),
                              .at = sum + (b * p->pb.kv_heads + kv) * stride_of(p) };
            for (int k = 0; k < SP_NKINDS; k++)
                s.bad[k].error = -1;
            add_head(&s, piece, n, b, kv);
            free(s.row);
            free(s.input);
#pragma omp critical
            for (int k = 0; k < SP_NKINDS; k++)
                if (s.bad[k].error > 0)
                    sp_fault_note(f, k, SP_WAY_NAN, s.bad[k]);
        }
}

static void compare(const struct sums *s, const struct sp_tolerance *t, int b, int kv,
                    struct sp_faults *f)
{
    const double *dv = vector(s, DV), *dv2 = vector(s, DV_SQUARES), *dout = vector(s, DO),
                 *dout2 = vector(s, DO_SQUARES);
    for (int d = 0; d < s->p->pb.dim; d++) {
        const double rounded = dv2[d] + dout2[d] / (double)s->p->pb.seq;    /* if dv cancels */
        const double allowed = SIGMAS * (t->unit[SP_DV] * sqrt(rounded)
                                         + LSE_ERROR * sqrt(dout2[d]));
        sp_fault_note(f, SP_DV, SP_WAY_SUM, (struct sp_fault){
            .error = fabs(dv[d] - dout[d]) / allowed, .got = dv[d], .want = dout[d], .b = b,
            .head = kv, .element = d });
    }
    const double allowed = SIGMAS * (t->unit[SP_DQ] * sqrt(s->at[Q_ERROR])
                                     + t->unit[SP_DK] * sqrt(s->at[K_ERROR]));
    sp_fault_note(f, SP_DQ, SP_WAY_DOT, (struct sp_fault){
        .error = fabs(s->at[Q_DQ] - s->at[K_DK]) / (allowed + 1e-30), .got = s->at[Q_DQ],
        .want = s->at[K_DK], .b = b, .head = kv });
}

void sp_identities(struct sp_comm *c, const struct sp_plan *p, const struct sp_piece *piece,
                   int n, unsigned long seed, const struct sp_tolerance *t, struct sp_faults *f)
{
    const long cells = (long)p->pb.batch * p->pb.kv_heads * stride_of(p);
    double *sum = sp_alloc((size_t)cells * sizeof *sum);
    add_all(p, piece, n, seed, sum, f);
    if (c)
        c->transport->reduce(c, sum, (int)cells, SP_SUM);
    for (int i = 0; i < p->pb.batch * p->pb.kv_heads && p->pb.backward; i++) {
        const struct sums s = { .p = p, .at = sum + i * stride_of(p) };
        compare(&s, t, i / p->pb.kv_heads, i % p->pb.kv_heads, f);
    }
    free(sum);
}
