/* scored.c - predictions of measured points. */
/* SPDX-License-Identifier: MIT */
#include "cli/scored.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/predict.h"
#include "util/memory.h"
#include "util/why.h"

static const char *base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

struct sp_scored *sp_scored_new(const struct sp_measured_file *f, int nfiles,
                                struct sp_testbeds *b, long *n)
{
    *n = 0;
    for (int i = 0; i < nfiles; i++)
        *n += f[i].n;
    struct sp_scored *x = sp_alloc((size_t)*n * sizeof *x), *next = x;
    for (int i = 0; i < nfiles; i++)
        for (long j = 0; j < f[i].n; j++) {
            const char *why = NULL;
            *next = (struct sp_scored){ .file = base(f[i].path), .m = &f[i].row[j],
                                        .predicted = NAN, .serialised = NAN,
                                        .compute = NAN, .comm = NAN };
            if (!next->m->why)
                next->bed = sp_testbeds_find(b, next->m, &why);
            sp_measured_leave(next->m, why);
            next++;
        }
    return x;
}

/* ---- the order of points ---- */

static int compare_texts(const char *a, const char *b)
{
    int d = strcmp(a, b);
    return (d > 0) - (d < 0);
}

static int compare_longs(const long *a, const long *b, int n)
{
    for (int i = 0; i < n; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

/* The same attention on the same GPUs. */
static int compare_problem(const struct sp_scored *a, const struct sp_scored *b)
{
    enum { N = 11 };
    long key[2][N];
    for (int i = 0; i < 2; i++) {
        const struct sp_scored *x = i ? b : a;
        const struct sp_problem *pb = &x->m->pb;
        const long of[N] = { x->bed->number, x->m->gpus, x->m->per_node, pb->ranks, pb->seq,
                             pb->batch, pb->heads, pb->kv_heads, pb->dim, pb->dtype,
                             pb->causal };
        memcpy(key[i], of, sizeof of);
    }
    return compare_longs(key[0], key[1], N);
}

/* A strategy, its layout and knobs. */
static int compare_way(const struct sp_scored *a, const struct sp_scored *b)
{
    const struct sp_problem *x = &a->m->pb, *y = &b->m->pb;
    int d = compare_texts(a->m->strategy->name, b->m->strategy->name);
    if (!d)
        d = (x->layout > y->layout) - (x->layout < y->layout);
    for (int i = 0; i < SP_MAX_KNOBS && !d; i++)
        d = (x->knob[i] > y->knob[i]) - (x->knob[i] < y->knob[i]);
    return d;
}

int sp_scored_compare(const struct sp_scored *a, const struct sp_scored *b)
{
    int d = compare_problem(a, b);
    if (d || (d = compare_texts(a->m->source, b->m->source)))
        return d;
    return compare_longs((const long[]){ a->m->pass[SP_FORWARD], a->m->pass[SP_BACKWARD] },
                         (const long[]){ b->m->pass[SP_FORWARD], b->m->pass[SP_BACKWARD] }, 2);
}

int sp_scored_compare_way(const struct sp_scored *a, const struct sp_scored *b)
{
    int d = sp_scored_compare(a, b);
    return d ? d : compare_way(a, b);
}

void sp_scored_way(const struct sp_scored *x, char *text, size_t room)
{
    int n = snprintf(text, room, "%s %s ", x->m->strategy->name,
                     sp_layout_names[x->m->pb.layout]);
    if (n > 0 && (size_t)n < room)
        sp_strategy_knobs(x->m->strategy, &x->m->pb, true, text + n, room - (size_t)n);
}

/* ---- predicting ---- */

/* One plan has forward and backward, so points that differ in their passes share it. */
static int compare_plan(const void *a, const void *b)
{
    const struct sp_scored *x = *(struct sp_scored *const *)a;
    const struct sp_scored *y = *(struct sp_scored *const *)b;
    int d = compare_problem(x, y);
    return d ? d : compare_way(x, y);
}

_Static_assert(sizeof ((struct sp_scored *)0)->bound
               == sizeof ((struct sp_forecast_pass *)0)->why, "one is copied to the other");

static void take(struct sp_scored *x, const struct sp_forecast *f)
{
    if (f->why) {
        sp_measured_leave(x->m, sp_why("can't be predicted: %s", f->why));
        return;
    }
    double time = 0, longest = -1;
    x->serialised = x->compute = x->comm = 0;
    for (int i = 0; i < SP_NPASSES; i++) {
        const double *of = f->pass[i].time;
        if (!x->m->pass[i])
            continue;
        time += of[SP_SIM_OVERLAPPED];
        x->serialised += of[SP_SIM_SERIALISED];
        x->compute += of[SP_SIM_COMPUTE];
        x->comm += of[SP_SIM_COMM];
        if (of[SP_SIM_OVERLAPPED] > longest)
            memcpy(x->bound, f->pass[i].why, sizeof x->bound);
        longest = fmax(longest, of[SP_SIM_OVERLAPPED]);
    }
    x->inside = f->inside;
    if (isfinite(time) && time > 0)
        x->predicted = time;
    else
        sp_measured_leave(x->m, "can't be predicted: no time came of it");
}

static void predict(struct sp_scored **x, long n)
{
    const struct sp_measured *m = x[0]->m;
    struct sp_problem pb = m->pb;
    for (long i = 0; i < n; i++)
        pb.backward |= x[i]->m->pb.backward;
    struct sp_plan *p = sp_strategy_plan(m->strategy, &pb);
    struct sp_forecast_options o = { .groups = m->gpus / pb.ranks, .per_node = m->per_node,
                                     .decompose = true };
    struct sp_forecast f = sp_predict(p, x[0]->bed->topo, x[0]->bed->profile, &o);
    for (long i = 0; i < n; i++)
        take(x[i], &f);
    sp_plan_free(p);
}

void sp_scored_predict(struct sp_scored *x, long n)
{
    struct sp_scored **at = sp_alloc((size_t)n * sizeof *at);
    long known = 0;
    for (long i = 0; i < n; i++)
        if (!x[i].m->why)
            at[known++] = &x[i];
    qsort(at, (size_t)known, sizeof *at, compare_plan);
    for (long i = 0, end; i < known; i = end) {
        for (end = i + 1; end < known && !compare_plan(&at[i], &at[end]); end++)
            continue;
        predict(at + i, end - i);
    }
    free(at);
}
