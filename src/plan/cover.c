/* cover.c - exact cover by runs: a sweep over intervals, or a count of each place when
 * strides are in play. Sets that cover everything are remembered, since ranks share them. */
/* SPDX-License-Identifier: MIT */
#include "plan/cover.h"

#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

void sp_cover_free(struct sp_cover *c)
{
    for (int i = 0; i < c->nperfect; i++)
        free(c->perfect[i].list);
    free(c->perfect);
}

static int by_number(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return x < y ? -1 : x > y;
}

static int by_start(const void *a, const void *b)
{
    long x = ((const struct sp_run *)a)->start, y = ((const struct sp_run *)b)->start;
    return x < y ? -1 : x > y;
}

static bool known(const struct sp_cover *c, const int *list, int n)
{
    for (int i = 0; i < c->nperfect; i++)
        if (c->perfect[i].n == n
            && !memcmp(c->perfect[i].list, list, (size_t)n * sizeof *list))
            return true;
    return false;
}

static void remember(struct sp_cover *c, const int *list, int n)
{
    int *copy = sp_alloc((size_t)n * sizeof *copy);
    memcpy(copy, list, (size_t)n * sizeof *copy);
    c->perfect = sp_grow(c->perfect, c->nperfect, sizeof *c->perfect);
    c->perfect[c->nperfect++] = (struct sp_cover_set){ copy, n };
}

/* The runs of all lists; whether all have stride 1. */
static struct sp_run *gather(const struct sp_cover *c, const int *list, int n, int *nruns,
                             bool *dense)
{
    struct sp_run *run = NULL;
    *nruns = 0;
    *dense = true;
    for (int i = 0; i < n; i++) {
        struct sp_where w = sp_places_at(c->places, list[i]);
        for (int j = 0; j < w.nruns; j++) {
            run = sp_grow(run, *nruns, sizeof *run);
            run[(*nruns)++] = w.run[j];
            *dense &= w.run[j].count == 1 || w.run[j].stride == 1;
        }
    }
    return run;
}

static bool sweep(struct sp_run *run, int n, long low, long high, struct sp_cover_fault *fault)
{
    long upto = low;
    if (n)
        qsort(run, (size_t)n, sizeof *run, by_start);
    for (int i = 0; i < n; i++) {
        long start = run[i].start, end = start + run[i].count;
        start = start > low ? start : low;
        end = end < high ? end : high;
        if (start >= end)
            continue;
        if (start > upto) {
            *fault = (struct sp_cover_fault){ upto, start - 1, 0 };
            return false;
        }
        if (start < upto) {
            *fault = (struct sp_cover_fault){ start, (end < upto ? end : upto) - 1, 2 };
            return false;
        }
        upto = end;
    }
    *fault = (struct sp_cover_fault){ upto, high - 1, 0 };
    return upto >= high;
}

static bool count(const struct sp_run *run, int n, long low, long high,
                  struct sp_cover_fault *fault)
{
    unsigned char *times = sp_alloc((size_t)(high - low));
    for (int i = 0; i < n; i++)
        for (long j = 0; j < run[i].count; j++) {
            long at = run[i].start + j * run[i].stride - low;
            if (at >= 0 && at < high - low && times[at] < 2)
                times[at]++;
        }
    long first = 0, last;
    while (first < high - low && times[first] == 1)
        first++;
    bool exact = first == high - low;
    if (!exact) {
        for (last = first; last + 1 < high - low && times[last + 1] == times[first]; last++)
            ;
        *fault = (struct sp_cover_fault){ low + first, low + last, times[first] };
    }
    free(times);
    return exact;
}

bool sp_cover_exact(struct sp_cover *c, int *list, int n, long low, long high,
                    struct sp_cover_fault *fault)
{
    int nruns;
    bool dense;
    if (n)
        qsort(list, (size_t)n, sizeof *list, by_number);
    if (known(c, list, n))
        return true;
    struct sp_run *run = gather(c, list, n, &nruns, &dense);
    struct sp_cover_fault ignored;
    if (dense ? sweep(run, nruns, 0, c->seq, &ignored) : count(run, nruns, 0, c->seq, &ignored)) {
        remember(c, list, n);
        free(run);
        return true;
    }
    bool exact = dense ? sweep(run, nruns, low, high, fault) : count(run, nruns, low, high, fault);
    free(run);
    return exact;
}
