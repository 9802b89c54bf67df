/* definition.c - two small matrix products in fp64, and what the softmax needs between them.
 *
 * All is done for up to MOST chosen rows at a time, a tile of the other side's rows at a
 * time. Products keep several sums apart, so that compilers use vectors without being told
 * that additions may change places. */
/* SPDX-License-Identifier: MIT */
#include "measure/definition.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

enum { TILE = 64, MOST = 16, FOUR = 4 };

static const double SIGMAS = 6;                 /* more than an error points by chance */
static const size_t SCORES_BYTES = 64 << 20;    /* of a thread's scores, about */

struct sp_exact sp_exact_new(int n, int dim)
{
    const size_t rows = (size_t)n * sizeof(double), cells = rows * (size_t)dim;
    return (struct sp_exact){
        .sum = sp_alloc(cells), .grad = sp_alloc(cells),
        .sum_size = sp_alloc(rows), .grad_size = sp_alloc(rows),
        .sum_peak = sp_alloc(rows), .grad_peak = sp_alloc(rows),
        .lse = sp_alloc(rows), .delta = sp_alloc(rows),
        .sum_run = sp_alloc(cells / 2), .grad_run = sp_alloc(cells / 2),
        .sum_lost = sp_alloc((size_t)n * sizeof(struct sp_lost)),
        .grad_lost = sp_alloc((size_t)n * sizeof(struct sp_lost)),
    };
}

void sp_exact_free(struct sp_exact *e)
{
    free(e->sum);
    free(e->grad);
    free(e->sum_size);
    free(e->grad_size);
    free(e->sum_peak);
    free(e->grad_peak);
    free(e->lse);
    free(e->delta);
    free(e->sum_run);
    free(e->grad_run);
    free(e->sum_lost);
    free(e->grad_lost);
    *e = (struct sp_exact){ 0 };
}

/* ---- products --------------------------------------------------------------------------- */

/* What one thread works on. Rows are filled up with zeros to wide elements, chosen rows to a
 * multiple of FOUR. */
struct desk {
    int dim, wide, most;                /* most: chosen rows at a time */
    long columns;                       /* of s and t */
    double *x, *y, *sum, *grad;         /* most x wide: of chosen rows */
    double *ox, *oy;                    /* TILE x wide: of the others */
    double size[TILE];                  /* of the elements of a row of ox, squared */
    double *s, *t;                      /* most x columns */
    double *u;                          /* most x TILE */
};

static struct desk desk_new(int dim, int most, long columns)
{
    struct desk d = { .dim = dim, .wide = (dim + FOUR - 1) / FOUR * FOUR, .most = most,
                      .columns = columns };
    const size_t rows = (size_t)most * (size_t)d.wide * sizeof(double);
    const size_t tile = (size_t)TILE * (size_t)d.wide * sizeof(double);
    const size_t scores = (size_t)most * (size_t)columns * sizeof(double);
    d.x = sp_alloc(rows);
    d.y = sp_alloc(rows);
    d.sum = sp_alloc(rows);
    d.grad = sp_alloc(rows);
    d.ox = sp_alloc(tile);
    d.oy = sp_alloc(tile);
    d.s = sp_alloc(scores);
    d.t = sp_alloc(scores);
    d.u = sp_alloc((size_t)most * TILE * sizeof(double));
    return d;
}

static void desk_free(struct desk *d)
{
    free(d->x);
    free(d->y);
    free(d->sum);
    free(d->grad);
    free(d->ox);
    free(d->oy);
    free(d->s);
    free(d->t);
    free(d->u);
}

static void widen(const struct desk *d, double *to, const float *from, int rows)
{
    for (int i = 0; i < rows; i++)
        for (int c = 0; c < d->dim; c++)
            to[(long)i * d->wide + c] = from[(long)i * d->dim + c];
}

/* Two numbers that are worked on together, wherever they are: what any 64-bit processor has. */
typedef double two __attribute__((vector_size(2 * sizeof(double)), aligned(sizeof(double))));

/* Four rows of x times one of y. */
static void four_dots(double out[FOUR], const double *x, const double *y, int wide)
{
    two a[FOUR] = { { 0 } }, b[FOUR] = { { 0 } };
    for (int c = 0; c < wide; c += FOUR) {
        const two ya = *(const two *)(y + c), yb = *(const two *)(y + c + 2);
        for (int r = 0; r < FOUR; r++) {
            a[r] += *(const two *)(x + r * wide + c) * ya;
            b[r] += *(const two *)(x + r * wide + c + 2) * yb;
        }
    }
    for (int r = 0; r < FOUR; r++)
        out[r] = (a[r][0] + a[r][1]) + (b[r][0] + b[r][1]);
}

/* s[r][j] = x[r] . y[j] for chosen rows r and m rows of a tile. s: most x columns */
static void dots(const struct desk *d, double *s, long columns, const double *x, const double *y,
                 int m)
{
    double out[FOUR];
    for (int j = 0; j < m; j++)
        for (int r = 0; r < d->most; r += FOUR) {
            four_dots(out, x + r * d->wide, y + j * d->wide, d->wide);
            for (int l = 0; l < FOUR; l++)
                s[(r + l) * columns + j] = out[l];
        }
}

/* Four rows' sums over j of w[r][j] y[j], in FOUR columns. */
static void four_sums(const struct desk *d, double *sum, const double *w, const double *y, int m)
{
    two a[FOUR] = { { 0 } }, b[FOUR] = { { 0 } };
    for (int j = 0; j < m; j++) {
        const two ya = *(const two *)(y + j * d->wide), yb = *(const two *)(y + j * d->wide + 2);
        for (int r = 0; r < FOUR; r++) {
            a[r] += w[r * d->columns + j] * ya;
            b[r] += w[r * d->columns + j] * yb;
        }
    }
    for (int r = 0; r < FOUR; r++) {
        *(two *)(sum + r * d->wide) += a[r];
        *(two *)(sum + r * d->wide + 2) += b[r];
    }
}

/* sum[r] += sum over j of w[r][j] y[j] */
static void sums(const struct desk *d, double *sum, const double *w, const double *y, int m)
{
    for (int r = 0; r < d->most; r += FOUR)
        for (int c = 0; c < d->wide; c += FOUR)
            four_sums(d, sum + r * d->wide + c, w + r * d->columns, y + c, m);
}

/* Take up to most chosen rows from `from` on; returns how many. */
static int choose(struct desk *d, const struct sp_rowset *chosen, int from)
{
    const int n = chosen->n - from < d->most ? chosen->n - from : d->most;
    const size_t bytes = (size_t)d->most * (size_t)d->wide * sizeof(double);
    memset(d->x, 0, bytes);
    memset(d->y, 0, bytes);
    memset(d->sum, 0, bytes);
    memset(d->grad, 0, bytes);
    widen(d, d->x, chosen->x + (long)from * d->dim, n);
    widen(d, d->y, chosen->y + (long)from * d->dim, n);
    return n;
}

/* Take a tile of the others from row `from` on, of those below `end`; returns how many. */
static int meet(struct desk *d, const struct sp_rowset *others, int from, int end)
{
    const int m = end - from < TILE ? end - from : TILE;
    widen(d, d->ox, others->x + (long)from * d->dim, m);
    widen(d, d->oy, others->y + (long)from * d->dim, m);
    for (int i = 0; i < m; i++) {
        d->size[i] = 0;
        for (int c = 0; c < d->dim; c++)
            d->size[i] += d->ox[i * d->wide + c] * d->ox[i * d->wide + c] / d->dim;
    }
    return m;
}

static void put(const struct desk *d, double *to, const double *from, int n)
{
    for (int i = 0; i < n; i++)
        for (int c = 0; c < d->dim; c++)
            to[(long)i * d->dim + c] += from[i * d->wide + c];
}

/* ---- queries ------------------------------------------------------------------------------ */

/* Turns a row's scores s into p, and t into ds; both are 0 past the keys that it sees. */
static void softmax(const struct sp_problem *pb, double *s, double *t, int seen, int keys,
                    struct sp_exact *e, int row)
{
    const double scale = 1 / sqrt(pb->dim);
    double top = -INFINITY, sum = 0, delta = 0, squares = 0;
    for (int j = 0; j < seen; j++)
        top = fmax(top, scale * s[j]);
    for (int j = 0; j < seen; j++)
        sum += s[j] = exp(scale * s[j] - top);
    for (int j = 0; j < seen; j++) {
        s[j] /= sum;
        delta += s[j] * t[j];
        squares += s[j] * s[j];
    }
    for (int j = 0; j < seen; j++)
        t[j] = scale * s[j] * (t[j] - delta);
    for (int j = seen; j < keys; j++)
        s[j] = t[j] = 0;
    e->lse[row] = top + log(sum);
    e->delta[row] = delta;
    e->sum_size[row] = sqrt(squares);
    e->grad_size[row] = sqrt(squares * (1 + delta * delta / pb->dim));
    e->sum_peak[row] = 1 / sum;                 /* p of the key with the highest score */
    e->grad_peak[row] = e->grad_size[row] / e->sum_size[row] / sum;
}

/* The errors of n rows, and their sums of squares. error: most x wide */
static void errors(const struct desk *d, double *error, double *squares, const double *exact,
                   const float *run, int n)
{
    for (int i = 0; i < n; i++) {
        squares[i] = 0;
        for (int c = 0; c < d->dim; c++) {
            const double x = run[(long)i * d->dim + c] - exact[i * d->wide + c];
            error[i * d->wide + c] = x;
            squares[i] += x * x;
        }
    }
}

/* Does the error of a row, of that sum of squares, point where the m keys of a tile from `key`
 * on, of weights w, take it? u: its products with each of them. Compared with p, as weights
 * may cancel. */
static void match(const struct desk *d, const double *p, const double *w, const double *u,
                  double squares, int key, int m, struct sp_lost *lost)
{
    double along = 0, tile = 0, plain = 0;
    for (int j = 0; j < m; j++) {
        along += w[j] * u[j];
        tile += w[j] * w[j] * d->dim;
        plain += p[j] * p[j] * d->dim;
    }
    const double sigmas = fabs(along) / sqrt(tile * squares / d->dim);
    const double part = fabs(along) / sqrt(tile * plain);
    if (sigmas > SIGMAS && part > lost->part)
        *lost = (struct sp_lost){ part, key, m };
}

/* Of o, or of dq if grad. Takes the place of x and y, which are not needed any more. */
static void look_for_lost(struct desk *d, const struct sp_rowset *kv, bool grad, int keys,
                          struct sp_exact *e, int from, int n)
{
    double squares[MOST];
    errors(d, d->x, squares, grad ? d->grad : d->sum,
           (grad ? e->grad_run : e->sum_run) + (long)from * d->dim, n);
    for (int j = 0; j < keys; j += TILE) {
        const int m = meet(d, kv, j, keys);
        dots(d, d->u, TILE, d->x, grad ? d->ox : d->oy, m);
        for (int i = 0; i < n; i++) {
            const long at = i * d->columns + j;
            match(d, d->s + at, (grad ? d->t : d->s) + at, d->u + i * TILE, squares[i], j, m,
                  (grad ? e->grad_lost : e->sum_lost) + from + i);
        }
    }
}

static void some_queries(struct desk *d, const struct sp_problem *pb, const struct sp_rowset *q,
                         const struct sp_rowset *kv, struct sp_exact *e, int from)
{
    const int n = choose(d, q, from);
    const int keys = pb->causal ? (int)q->pos[from + n - 1] + 1 : kv->n;
    for (int j = 0; j < keys; j += TILE) {
        const int m = meet(d, kv, j, keys);
        dots(d, d->s + j, d->columns, d->x, d->ox, m);
        if (pb->backward)
            dots(d, d->t + j, d->columns, d->y, d->oy, m);
    }
    for (int i = 0; i < n; i++)
        softmax(pb, d->s + i * d->columns, d->t + i * d->columns,
                pb->causal ? (int)q->pos[from + i] + 1 : keys, keys, e, from + i);
    for (int j = 0; j < keys; j += TILE) {
        const int m = meet(d, kv, j, keys);
        sums(d, d->sum, d->s + j, d->oy, m);
        if (pb->backward)
            sums(d, d->grad, d->t + j, d->ox, m);
    }
    put(d, e->sum + (long)from * d->dim, d->sum, n);
    put(d, e->grad + (long)from * d->dim, d->grad, n);
    look_for_lost(d, kv, false, keys, e, from, n);
    if (pb->backward)
        look_for_lost(d, kv, true, keys, e, from, n);
}

/* Chosen rows at a time: fewer when a row has very many scores. */
static int rows_at_a_time(long columns)
{
    int most = MOST;
    while (most > FOUR && 2 * (size_t)most * (size_t)columns * sizeof(double) > SCORES_BYTES)
        most /= 2;
    return most;
}

void sp_exact_queries(const struct sp_problem *pb, const struct sp_rowset *q,
                      const struct sp_rowset *kv, struct sp_exact *e)
{
    const int most = rows_at_a_time(kv->n);
#pragma omp parallel
    {
        struct desk d = desk_new(pb->dim, most, kv->n);
#pragma omp for schedule(dynamic)
        for (int i = q->n - 1 - (q->n - 1) % most; i >= 0; i -= most)   /* longest first */
            some_queries(&d, pb, q, kv, e, i);
        desk_free(&d);
    }
}

/* ---- keys ----------------------------------------------------------------------------------- */

struct squares { double sum, sum_most, grad, grad_most; };     /* of terms of an element */

/* Turns scores of chosen key k with m queries from `from` on into p, and t into ds. */
static void weights(const struct desk *d, const struct sp_problem *pb, int k, long pos,
                    const struct sp_rowset *q, int from, int m, const double *lse,
                    const double *delta, struct squares *squares)
{
    const double scale = 1 / sqrt(pb->dim);
    double *s = d->s + k * d->columns, *t = d->t + k * d->columns;
    for (int j = 0; j < m; j++) {
        const int i = from + j;
        const bool seen = !pb->causal || pos <= q->pos[i];
        const double p = seen ? exp(scale * s[j] - lse[i]) : 0, grad = scale * p;
        const double sum2 = p * p, grad2 = sum2 * d->size[j] * (1 + delta[i] * delta[i] / pb->dim);
        squares->sum += sum2;
        squares->grad += grad2;
        squares->sum_most = fmax(squares->sum_most, sum2);
        squares->grad_most = fmax(squares->grad_most, grad2);
        s[j] = p;
        t[j] = seen ? grad * (t[j] - delta[i]) : 0;
    }
}

static void some_keys(struct desk *d, const struct sp_problem *pb, const struct sp_rowset *kv,
                      const struct sp_rowset *q, const double *lse, const double *delta,
                      struct sp_exact *e, int from)
{
    const int n = choose(d, kv, from);
    const int first = pb->causal ? (int)(kv->pos[from] / TILE * TILE) : 0;
    struct squares squares[MOST] = { { .sum = 0 } };
    for (int i = first; i < q->n; i += TILE) {
        const int m = meet(d, q, i, q->n);
        dots(d, d->s, d->columns, d->x, d->ox, m);
        dots(d, d->t, d->columns, d->y, d->oy, m);
        for (int k = 0; k < n; k++)
            weights(d, pb, k, kv->pos[from + k], q, i, m, lse, delta, &squares[k]);
        sums(d, d->sum, d->s, d->oy, m);
        sums(d, d->grad, d->t, d->ox, m);
    }
    put(d, e->sum + (long)from * d->dim, d->sum, n);
    put(d, e->grad + (long)from * d->dim, d->grad, n);
    for (int k = 0; k < n; k++) {       /* one more head: sizes add up as squares */
        const int at = from + k;
        e->sum_size[at] = hypot(e->sum_size[at], sqrt(squares[k].sum));
        e->grad_size[at] = hypot(e->grad_size[at], sqrt(squares[k].grad));
        e->sum_peak[at] = fmax(e->sum_peak[at], sqrt(squares[k].sum_most));
        e->grad_peak[at] = fmax(e->grad_peak[at], sqrt(squares[k].grad_most));
    }
}

void sp_exact_keys(const struct sp_problem *pb, const struct sp_rowset *kv,
                   const struct sp_rowset *q, const double *lse, const double *delta,
                   struct sp_exact *e)
{
#pragma omp parallel
    {
        struct desk d = desk_new(pb->dim, MOST, TILE);
#pragma omp for schedule(dynamic)
        for (int i = 0; i < kv->n; i += MOST)
            some_keys(&d, pb, kv, q, lse, delta, e, i);
        desk_free(&d);
    }
}
