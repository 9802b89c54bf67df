/* published.c - the columns of kernels_*.csv and nccl_*.csv; SOURCES.md there says what they
 * mean and whose they are. */
/* SPDX-License-Identifier: MIT */
#include "cli/published.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"
#include "util/table.h"
#include "util/why.h"

enum { MOST_COMPARED = 100000000, MOST_TOKENS = 1 << 24 };

static bool is(const struct sp_table *t, long row, int column, const char *text)
{
    return !text || !strcmp(sp_table_cell(t, row, column), text);
}

static bool doubtful(const char *notes)
{
    return strstr(notes, "FLAG") || strstr(notes, "EXCLUDE");
}

/* Finds the columns of a list of names that ends with NULL. */
static const char *find_all(const struct sp_table *t, const char *const *name, int *column)
{
    const char *why = NULL;
    for (int i = 0; name[i] && !why; i++)
        why = sp_table_find(t, name[i], &column[i]);
    return why;
}

/* ---- kernels ----------------------------------------------------------------------- */

enum { HARDWARE, KERNEL, PASS, BATCH, ROWS, KEYS, HEADS, DIM, CAUSAL, DTYPE, VALUE, UNIT, NOTES,
       NKERNEL_COLUMNS };
static const char *const kernel_columns[] = {
    "hardware", "kernel", "pass", "batch", "seq_q", "seq_kv", "heads_q", "head_dim", "causal",
    "dtype", "value", "unit", "notes", NULL
};

/* By the papers' way of counting: half of the square if causal. */
static double papers_flops(const struct sp_work *w)
{
    double pairs = w->rows * w->keys - (w->causal ? w->rows * w->rows / 2 : 0);
    return (w->op == SP_ATTN ? 4.0 : 10.0) * pairs * w->heads * w->batch * w->dim;
}

static const char *seconds_of(const struct sp_table *t, long row, const int *c, double value,
                              const struct sp_work *w, double *seconds)
{
    const char *unit = sp_table_cell(t, row, c[UNIT]);
    if (!strcmp(unit, "us"))
        *seconds = value * 1e-6;
    else if (!strcmp(unit, "ms") || !strcmp(unit, "ms/iter"))
        *seconds = value * 1e-3;
    else if (!strcmp(unit, "TFLOP/s"))
        *seconds = papers_flops(w) / (value * 1e12);
    else
        return sp_why("%s:%d: unit \"%s\" is none of us, ms, ms/iter, TFLOP/s", t->path,
                      t->line[row], unit);
    return NULL;
}

static const char *read_kernel_row(const struct sp_table *t, long row, const int *c,
                                   const struct sp_kernel_fit *k, struct sp_sample *s)
{
    static const int sizes[] = { BATCH, ROWS, KEYS, HEADS, CAUSAL, VALUE };
    double x[NKERNEL_COLUMNS];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const char *why = sp_table_number(t, row, c[sizes[i]], &x[sizes[i]]);
        double low = sizes[i] == CAUSAL ? 0 : sizes[i] == VALUE ? 1e-9 : 1;
        double high = sizes[i] == CAUSAL ? 1 : sizes[i] == VALUE ? 1e12 : MOST_TOKENS;
        if (why)
            return why;
        if (!(x[sizes[i]] >= low && x[sizes[i]] <= high))
            return sp_why("%s:%d: %s \"%s\" must be from %g to %g", t->path, t->line[row],
                          kernel_columns[sizes[i]], sp_table_cell(t, row, c[sizes[i]]), low,
                          high);
    }
    if (x[CAUSAL] != 0 && x[ROWS] > x[KEYS])
        return sp_why("%s:%d: causal, with more rows than keys", t->path, t->line[row]);
    s->work = sp_square_work(k->op, k->dtype, k->dim, (int)x[HEADS], (int)x[BATCH],
                             (long)x[ROWS], (long)x[KEYS], x[CAUSAL] != 0);
    return seconds_of(t, row, c, x[VALUE], &s->work, &s->seconds);
}

static bool is_kernel_row(const struct sp_table *t, long row, const int *c,
                          const struct sp_published *from, const struct sp_kernel_fit *k,
                          const char *pass)
{
    const char *dtype = sp_table_cell(t, row, c[DTYPE]);
    bool half = !strcmp(dtype, "bf16") || !strcmp(dtype, "fp16") || !strcmp(dtype, "fp16/bf16");
    return is(t, row, c[HARDWARE], from->hardware) && is(t, row, c[KERNEL], from->kernel) &&
           is(t, row, c[PASS], pass) && atoi(sp_table_cell(t, row, c[DIM])) == k->dim &&
           (k->dtype == SP_BF16 ? half : !strcmp(dtype, "fp32")) &&
           !doubtful(sp_table_cell(t, row, c[NOTES]));
}

static const char *read_pass(const struct sp_table *t, const int *c,
                             const struct sp_published *from, const struct sp_kernel_fit *k,
                             const char *pass, struct sp_sample **sample, int *n)
{
    const char *why = NULL;
    for (long row = 0; row < t->nrows && !why; row++) {
        if (!is_kernel_row(t, row, c, from, k, pass))
            continue;
        *sample = sp_grow(*sample, *n, sizeof **sample);
        why = read_kernel_row(t, row, c, k, &(*sample)[(*n)++]);
    }
    return why;
}

static bool same_shape(const struct sp_work *a, const struct sp_work *b)
{
    return a->rows == b->rows && a->keys == b->keys && a->heads == b->heads &&
           a->batch == b->batch && a->causal == b->causal;
}

/* Take the forward's time off samples of both passes from number `first` on; those without
 * a forward of their shape go. */
static const char *take_forward_off(const struct sp_table *t, const int *c,
                                    const struct sp_published *from,
                                    const struct sp_kernel_fit *k, struct sp_sample *s,
                                    int first, int *n)
{
    struct sp_sample *forward = NULL;
    int count = 0, kept = first;
    const char *why = read_pass(t, c, from, k, "fwd", &forward, &count);
    if (!why && (long)count * (*n - first) > MOST_COMPARED)
        why = sp_why("%s: too many rows to compare", t->path);
    for (int i = first; i < *n && !why; i++) {
        int j = 0;
        while (j < count && !same_shape(&forward[j].work, &s[i].work))
            j++;
        if (j == count || forward[j].seconds >= s[i].seconds)
            continue;
        s[kept] = s[i];
        s[kept++].seconds -= forward[j].seconds;
    }
    *n = kept;
    free(forward);
    return why;
}

const char *sp_published_kernels(const struct sp_published *from, const struct sp_kernel_fit *k,
                                 struct sp_sample **sample, int *n)
{
    const char *why = NULL;
    struct sp_table *t = sp_table_load(from->path, &why);
    if (!t)
        return why;
    int c[NKERNEL_COLUMNS], first = *n;
    bool both = k->op == SP_GRAD && from->less_forward;
    why = find_all(t, kernel_columns, c);
    if (!why)
        why = read_pass(t, c, from, k, both ? "fwd+bwd" : k->op == SP_GRAD ? "bwd" : "fwd",
                        sample, n);
    if (!why && both)
        why = take_forward_off(t, c, from, k, *sample, first, n);
    sp_table_free(t);
    return why;
}

/* ---- messages ---------------------------------------------------------------------- */

enum { WHERE, COLLECTIVE, BYTES, TIME, RATE, SOURCE, NTRANSFER_COLUMNS };
static const char *const transfer_columns[] = {
    "hardware", "collective", "bytes", "time_us", "algbw", "source", NULL
};

/* Rates are printed with more digits than times. */
static const char *read_transfer(const struct sp_table *t, long row, const int *c,
                                 struct sp_transfer *to)
{
    double us, gb;
    const char *why = sp_table_number(t, row, c[BYTES], &to->bytes);
    if (!why)
        why = sp_table_number(t, row, c[TIME], &us);
    if (!why)
        why = sp_table_number(t, row, c[RATE], &gb);
    if (why)
        return why;
    to->seconds = gb > 0 ? to->bytes / (gb * 1e9) : us * 1e-6;
    return to->bytes > 0 && to->seconds > 0
        ? NULL : sp_why("%s:%d: neither time_us nor algbw is there", t->path, t->line[row]);
}

const char *sp_published_transfers(const struct sp_published *from, struct sp_transfer **to,
                                   int *n)
{
    const char *why = NULL;
    struct sp_table *t = sp_table_load(from->path, &why);
    if (!t)
        return why;
    int c[NTRANSFER_COLUMNS];
    why = find_all(t, transfer_columns, c);
    for (long row = 0; row < t->nrows && !why; row++) {
        const char *collective = sp_table_cell(t, row, c[COLLECTIVE]);
        if (!is(t, row, c[WHERE], from->hardware) ||
            (from->collective &&
             strncmp(collective, from->collective, strlen(from->collective))) ||
            doubtful(sp_table_cell(t, row, c[SOURCE])))
            continue;
        *to = sp_grow(*to, *n, sizeof **to);
        why = read_transfer(t, row, c, &(*to)[(*n)++]);
    }
    sp_table_free(t);
    return why;
}
