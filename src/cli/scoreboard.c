/* scoreboard.c - tables of errors, and of choices. */
/* SPDX-License-Identifier: MIT */
#include "cli/scoreboard.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/score.h"
#include "util/memory.h"
#include "util/stats.h"

const char *const sp_by_names[] = {
    [SP_BY_FILE] = "file",
    [SP_BY_SOURCE] = "source",
    [SP_BY_HARDWARE] = "hardware",
    [SP_BY_CLUSTER] = "cluster",
    [SP_BY_GPUS] = "gpus",
    [SP_BY_STRATEGY] = "strategy",
    [SP_BY_LAYOUT] = "layout",
    [SP_BY_SP] = "sp",
    [SP_BY_SEQ] = "seq",
    [SP_BY_HEADS] = "heads",
    [SP_BY_MASK] = "mask",
    [SP_BY_PASS] = "pass",
    [SP_NBY] = NULL
};

enum { LABEL = 240, REASONS = 20 };

/* A point that was predicted, and the group or reason that it belongs to. */
struct entry { const struct sp_scored *x; char label[LABEL]; long count; };

/* Those that were predicted. */
static struct entry *entries(const struct sp_scored *x, long n, long *count)
{
    struct entry *e = sp_alloc((size_t)n * sizeof *e);
    *count = 0;
    for (long i = 0; i < n; i++)
        if (!x[i].m->why)
            e[(*count)++].x = &x[i];
    return e;
}

static struct sp_score score_of(const struct entry *e, long n, bool serialised)
{
    struct sp_comparison *pair = sp_alloc((size_t)n * sizeof *pair);
    for (long i = 0; i < n; i++)
        pair[i] = (struct sp_comparison){ e[i].x->m->seconds, serialised ? e[i].x->serialised
                                                                         : e[i].x->predicted };
    struct sp_score s = sp_score(pair, (int)n);
    free(pair);
    return s;
}

static void put_score(const struct entry *e, long n)
{
    struct sp_score s = score_of(e, n, false), apart = score_of(e, n, true);
    printf(" %6d %8.1f %8.1f %+8.1f %14.1f\n", s.n, 100 * s.median, 100 * s.p95, 100 * s.bias,
           100 * apart.median);
}

/* ---- groups ---- */

const char *sp_by_value(const struct sp_scored *x, enum sp_by by, char room[SP_BY_ROOM])
{
    const struct sp_measured *m = x->m;
    long number = by == SP_BY_GPUS ? m->gpus : by == SP_BY_SP ? m->pb.ranks
                  : by == SP_BY_SEQ ? m->pb.seq : m->pb.heads;
    switch (by) {
    case SP_BY_FILE:     return x->file;
    case SP_BY_SOURCE:   return m->source;
    case SP_BY_HARDWARE: return m->hardware;
    case SP_BY_CLUSTER:  return x->bed ? x->bed->cluster : "";
    case SP_BY_STRATEGY: return m->strategy ? m->strategy->name : "";
    case SP_BY_LAYOUT:   return m->why ? "" : sp_layout_names[m->pb.layout];
    case SP_BY_MASK:     return m->pb.causal ? "causal" : "full";
    case SP_BY_PASS:     return sp_measured_pass(m);
    default:
        snprintf(room, SP_BY_ROOM, "%ld", number);
        return room;
    }
}

/* Numbers by their size. */
static int compare_labels(const void *a, const void *b)
{
    return strverscmp(((const struct entry *)a)->label, ((const struct entry *)b)->label);
}

static long end_of_group(const struct entry *e, long from, long n)
{
    long end = from + 1;
    while (end < n && !strcmp(e[from].label, e[end].label))
        end++;
    return end;
}

static void put_label(struct entry *e, const enum sp_by *by, const int *width, int nby)
{
    char room[SP_BY_ROOM];
    for (int i = 0, at = 0; i < nby && at < LABEL; i++)
        at += snprintf(e->label + at, (size_t)(LABEL - at), "%s%-*.60s", i ? " " : "", width[i],
                       sp_by_value(e->x, by[i], room));
}

void sp_scoreboard_groups(const struct sp_scored *x, long n, const enum sp_by *by, int nby)
{
    long count;
    int width[SP_NBY];
    char room[SP_BY_ROOM];
    struct entry *e = entries(x, n, &count);
    for (int i = 0; i < nby; i++) {
        width[i] = (int)strlen(sp_by_names[by[i]]);
        for (long j = 0; j < count; j++) {
            int needs = (int)strlen(sp_by_value(e[j].x, by[i], room));
            width[i] = needs > width[i] ? needs : width[i];
        }
        width[i] = width[i] > 60 ? 60 : width[i];
        printf("%s%-*s", i ? " " : "# ", width[i], sp_by_names[by[i]]);
    }
    printf(" %6s %8s %8s %8s %14s\n", "n", "error(%)", "p95(%)", "bias(%)", "serialised(%)");
    for (long i = 0; i < count; i++)
        put_label(&e[i], by, width, nby);
    qsort(e, (size_t)count, sizeof *e, compare_labels);
    for (long i = 0, end; i < count; i = end) {
        end = end_of_group(e, i, count);
        printf("  %s", e[i].label);
        put_score(e + i, end - i);
    }
    free(e);
}

/* ---- the worst ---- */

static double wrongness(const struct sp_scored *x)
{
    return fabs(log(x->predicted / x->m->seconds));
}

static int compare_worst(const void *a, const void *b)
{
    const struct sp_scored *x = ((const struct entry *)a)->x, *y = ((const struct entry *)b)->x;
    double wx = wrongness(x), wy = wrongness(y);
    return wx != wy ? (wx < wy) - (wx > wy) : (x > y) - (x < y);
}

void sp_scoreboard_worst(const struct sp_scored *x, long n, int most)
{
    long count;
    char way[200];
    struct entry *e = entries(x, n, &count);
    qsort(e, (size_t)count, sizeof *e, compare_worst);
    if (most && count)
        printf("\n# the most wrong:\n");
    for (long i = 0; i < count && i < most; i++) {
        const struct sp_measured *m = e[i].x->m;
        sp_scored_way(e[i].x, way, sizeof way);
        printf("#   %s:%ld: %s, sp %d, seq %ld, heads %d, %s%s: measured %.3f ms, predicted %.3f "
               "(%+.0f %%)\n#       %s\n", e[i].x->file, m->line, way, m->pb.ranks,
               m->pb.seq, m->pb.heads, sp_measured_pass(m),
               m->launch_bound ? ", launch-bound" : "", m->seconds * 1e3,
               e[i].x->predicted * 1e3, 100 * (e[i].x->predicted / m->seconds - 1),
               e[i].x->bound);
    }
    free(e);
}

/* ---- what is left out ---- */

static int compare_counts(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count) - (x->count > y->count)
                                : strcmp(x->label, y->label);
}

void sp_scoreboard_left(const struct sp_scored *x, long n)
{
    long left = 0, reasons = 0, others = 0;
    struct entry *e = sp_alloc((size_t)n * sizeof *e);
    for (long i = 0; i < n; i++)
        if (x[i].m->why)
            snprintf(e[left++].label, LABEL, "%s", x[i].m->why);
    qsort(e, (size_t)left, sizeof *e, compare_labels);
    for (long i = 0, end; i < left; i = end) {
        end = end_of_group(e, i, left);
        e[reasons] = e[i];
        e[reasons++].count = end - i;
    }
    qsort(e, (size_t)reasons, sizeof *e, compare_counts);
    if (left)
        printf("\n# left out, %ld of %ld rows:\n", left, n);
    for (long i = 0; i < reasons; i++) {
        if (i < REASONS)
            printf("#   %5ld  %s\n", e[i].count, e[i].label);
        else
            others += e[i].count;
    }
    if (others)
        printf("#   %5ld  for other reasons\n", others);
    free(e);
}

/* ---- choices ---- */

static int compare_choices(const void *a, const void *b)
{
    return sp_scored_compare_way(((const struct entry *)a)->x, ((const struct entry *)b)->x);
}

/* What was measured more than once is one choice, at the median. */
static long merge(const struct entry *e, long n, struct sp_comparison *choice)
{
    long choices = 0;
    double *seconds = sp_alloc((size_t)n * sizeof *seconds);
    for (long i = 0, end; i < n; i = end) {
        for (end = i; end < n && !compare_choices(&e[i], &e[end]); end++)
            seconds[end - i] = e[end].x->m->seconds;
        sp_sort(seconds, (int)(end - i));
        choice[choices++] = (struct sp_comparison){ sp_median(seconds, (int)(end - i)),
                                                    e[i].x->predicted };
    }
    free(seconds);
    return choices;
}

/* The regret of every group of choices. free() it. */
static double *regrets(struct entry *e, long count, struct sp_order *order, int *n)
{
    double *regret = sp_alloc((size_t)count * sizeof *regret);
    struct sp_comparison *choice = sp_alloc((size_t)count * sizeof *choice);
    *n = 0;
    qsort(e, (size_t)count, sizeof *e, compare_choices);
    for (long i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && !sp_scored_compare(e[i].x, e[end].x); end++)
            continue;
        long choices = merge(e + i, end - i, choice);
        if (choices < 2)
            continue;
        sp_order_add(order, choice, (int)choices);
        regret[(*n)++] = sp_regret(choice, (int)choices);
    }
    free(choice);
    sp_sort(regret, *n);
    return regret;
}

/* Of nothing there is no quantile. */
static double quantile(const double *sorted, int n, double q)
{
    return n ? sp_quantile(sorted, n, q) : NAN;
}

static void total_line(const char *what, const struct entry *e, long n)
{
    struct sp_score s = score_of(e, n, false), apart = score_of(e, n, true);
    printf("# %-18s %6d points, error %5.1f %% median, %5.1f %% at p95, bias %+.1f %%; if nothing "
           "overlapped %.1f, %.1f, %+.1f\n", what, s.n, 100 * s.median, 100 * s.p95,
           100 * s.bias, 100 * apart.median, 100 * apart.p95, 100 * apart.bias);
}

/* Changes the order of e. */
static void choices_line(struct entry *e, long n)
{
    struct sp_order order = { 0 };
    int groups;
    double *regret = regrets(e, n, &order, &groups);
    if (groups)
        printf("# %-18s %6d choices, regret %5.1f %% median, %5.1f %% at p95; tau %.2f over %ld "
               "pairs; %ld of %ld that differ by over 5 %% in order\n", "", groups,
               100 * quantile(regret, groups, 0.5), 100 * quantile(regret, groups, 0.95),
               sp_order_tau(&order), order.pairs, order.clear_right, order.clear);
    free(regret);
}

static long only(struct entry *e, long n, bool launch_bound)
{
    long kept = 0;
    for (long i = 0; i < n; i++)
        if (e[i].x->m->launch_bound == launch_bound)
            e[kept++] = e[i];
    return kept;
}

/* The launch-bound apart, for no model of kernels and links knows an interpreter. */
static void totals(const struct sp_scored *x, long n)
{
    static const char *const names[] = { "not launch-bound", "launch-bound", "all" };
    for (int i = 0; i < 3; i++) {
        long count;
        struct entry *e = entries(x, n, &count);
        if (i < 2)
            count = only(e, count, i);
        if (count) {
            total_line(names[i], e, count);
            choices_line(e, count);
        }
        free(e);
    }
}

static void remarks(const struct entry *e, long n)
{
    long fp16 = 0, outside = 0;
    for (long i = 0; i < n; i++) {
        fp16 += e[i].x->m->fp16;
        outside += !e[i].x->inside;
    }
    printf("\n");
    if (fp16)
        printf("# %ld points are fp16, counted as bf16\n", fp16);
    if (outside)
        printf("# %ld points have sizes beyond those that their profile was fitted to\n", outside);
}

long sp_scoreboard_total(const struct sp_scored *x, long n)
{
    long count;
    int groups;
    struct sp_order order = { 0 };
    struct entry *e = entries(x, n, &count);
    struct sp_score s = score_of(e, count, false);
    remarks(e, count);
    totals(x, n);
    double *regret = regrets(e, count, &order, &groups);
    printf("n=%d median_error=%.4f p95_error=%.4f bias=%.4f regret_median=%.4f regret_p95=%.4f\n",
           s.n, s.median, s.p95, s.bias, quantile(regret, groups, 0.5),
           quantile(regret, groups, 0.95));
    free(regret);
    free(e);
    return count;
}
