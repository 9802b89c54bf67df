/* points.c - problems x strategies x degrees x layouts x knobs. */
/* SPDX-License-Identifier: MIT */
#include "cli/points.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"
#include "util/parse.h"
#include "util/stop.h"

static const char *const masks[] = { "full", "causal", NULL };
static const char *const layouts[] = { "auto", "contiguous", "zigzag", "striped", NULL };

enum { MAX_AXES = 16 };

/* An axis of the sweep: a list, and where its chosen value goes. */
struct axis { int n, at; };

/* Count up an odometer; false when it is through. The last axis turns fastest. */
static bool turn(struct axis *a, int n)
{
    while (n-- > 0) {
        if (++a[n].at < a[n].n)
            return true;
        a[n].at = 0;
    }
    return false;
}

static long pick(const struct sp_longs *l, const struct axis *a, long absent)
{
    return l->n ? l->at[a->at] : absent;
}

static int pick_name(const struct sp_words *w, const struct axis *a, const char *option,
                     const char *const *names, int absent)
{
    int place = absent;
    const char *why = w->n ? sp_parse_name(w->at[a->at], names, &place) : NULL;
    if (why)
        sp_stop_together(SP_EXIT_USAGE, "--%s: %s", option, why);
    return place;
}

static int or_one(int n) { return n ? n : 1; }

bool sp_points_same_problem(const struct sp_problem *a, const struct sp_problem *b)
{
    return a->seq == b->seq && a->batch == b->batch && a->heads == b->heads
           && a->kv_heads == b->kv_heads && a->dim == b->dim && a->dtype == b->dtype
           && a->causal == b->causal && a->backward == b->backward;
}

/* ---- problems ---------------------------------------------------------------------- */

static struct sp_problem *problems(const struct sp_options *o, int *n)
{
    struct axis a[] = { { or_one(o->seq.n), 0 }, { or_one(o->batch.n), 0 },
        { or_one(o->heads.n), 0 }, { or_one(o->kv_heads.n), 0 }, { or_one(o->head_dim.n), 0 },
        { or_one(o->dtype.n), 0 }, { or_one(o->mask.n), 0 } };
    struct sp_problem *list = NULL;
    *n = 0;
    do {
        struct sp_problem pb = {
            .seq = pick(&o->seq, &a[0], 4096), .batch = (int)pick(&o->batch, &a[1], 1),
            .heads = (int)pick(&o->heads, &a[2], 8), .dim = (int)pick(&o->head_dim, &a[4], 128),
            .dtype = pick_name(&o->dtype, &a[5], "dtype", sp_dtype_names, SP_BF16),
            .causal = pick_name(&o->mask, &a[6], "mask", masks, 1),
            .backward = o->pass[SP_BACKWARD], .ranks = 1 };
        pb.kv_heads = (int)pick(&o->kv_heads, &a[3], pb.heads);
        const char *why = sp_problem_refuse(&pb);
        if (why)
            sp_stop_together(SP_EXIT_USAGE, "%s", why);
        list = sp_grow(list, *n, sizeof *list);
        list[(*n)++] = pb;
    } while (turn(a, sizeof a / sizeof *a));
    return list;
}

/* ---- knobs ------------------------------------------------------------------------- */

/* "ring.buffers=2,3" taken apart. */
struct setting {
    const struct sp_strategy *strategy;
    char *knob, **value;
    int n;
};

static const struct sp_strategy *strategy_named(const char *name)
{
    const struct sp_strategy *s = sp_strategy_find(name);
    char all[200] = "";
    for (int i = 0, at = 0; sp_strategies[i] && !s; i++)
        at += snprintf(all + at, sizeof all - (size_t)at, "%s%s", i ? ", " : "",
                       sp_strategies[i]->name);
    if (!s)
        sp_stop_together(SP_EXIT_USAGE, "--strategy: '%s' is none of %s", name, all);
    return s;
}

static struct setting setting_read(const char *text)
{
    struct setting s = { 0 };
    char *copy = strdup(text), *dot = copy ? strchr(copy, '.') : NULL,
         *equal = dot ? strchr(dot, '=') : NULL;
    if (!equal)
        sp_stop_together(SP_EXIT_USAGE, "--set: '%s' is not STRATEGY.KNOB=VALUE, such as "
                         "ring.buffers=3", text);
    *dot = *equal = 0;
    s.strategy = strategy_named(copy);
    s.knob = dot + 1;
    const char *why = sp_parse_words(equal + 1, &s.value, &s.n);
    struct sp_problem trial = { .ranks = 1 };
    for (int i = 0; i < s.n && !why; i++)
        why = sp_strategy_set(s.strategy, &trial, s.knob, s.value[i]);
    if (why)
        sp_stop_together(SP_EXIT_USAGE, "--set: %s", why);
    return s;
}

static struct setting *settings(const struct sp_options *o, const struct sp_strategy *const *used)
{
    struct setting *s = sp_alloc(((size_t)o->set.n + 1) * sizeof *s);
    for (int i = 0; i < o->set.n; i++) {
        bool is_used = false;
        s[i] = setting_read(o->set.at[i]);
        for (int j = 0; used[j]; j++)
            is_used |= used[j] == s[i].strategy;
        if (!is_used)
            sp_stop_together(SP_EXIT_USAGE, "--set: %s is not among the strategies asked for",
                             s[i].strategy->name);
    }
    return s;
}

/* ---- points -------------------------------------------------------------------------- */

struct sweep {
    const struct sp_options *o;
    const struct sp_strategy **strategy;
    struct setting *setting;
    struct sp_point *point;
    int n;
};

static bool same(const struct sp_problem *a, const struct sp_problem *b)
{
    return sp_points_same_problem(a, b) && a->ranks == b->ranks && a->layout == b->layout
           && !memcmp(a->knob, b->knob, sizeof a->knob);
}

static void add(struct sweep *w, const struct sp_strategy *s, const struct sp_problem *pb,
                bool baseline)
{
    struct sp_point p = { .strategy = s, .pb = *pb, .baseline = baseline };
    const char *why = sp_strategy_settle(s, &p.pb);
    if (why)
        snprintf(p.why, sizeof p.why, "%s", why);
    for (int i = 0; i < w->n; i++)              /* asked for twice, or the baseline again */
        if (w->point[i].strategy == s && same(&w->point[i].pb, &p.pb)) {
            w->point[i].baseline &= baseline;
            return;
        }
    w->point = sp_grow(w->point, w->n, sizeof *w->point);
    w->point[w->n++] = p;
}

/* One strategy at one degree: its layouts and knobs. */
static void add_all(struct sweep *w, const struct sp_strategy *s, struct sp_problem pb)
{
    struct axis a[MAX_AXES] = { { or_one(w->o->layout.n), 0 } };
    const struct setting *of[MAX_AXES];
    int n = 1;
    for (int i = 0; i < w->o->set.n; i++)
        if (w->setting[i].strategy == s) {
            if (n == MAX_AXES)
                sp_stop_together(SP_EXIT_USAGE, "--set: more than %d knobs of %s", MAX_AXES - 1,
                                 s->name);
            of[n] = &w->setting[i];
            a[n++] = (struct axis){ w->setting[i].n, 0 };
        }
    do {
        sp_strategy_reset(s, &pb);
        pb.layout = pick_name(&w->o->layout, &a[0], "layout", layouts, 0) - 1;
        for (int i = 1; i < n; i++)
            sp_strategy_set(s, &pb, of[i]->knob, of[i]->value[a[i].at]);
        add(w, s, &pb, false);
    } while (turn(a, n));
}

static void add_baseline(struct sweep *w, const struct sp_strategy *local, struct sp_problem pb)
{
    sp_strategy_reset(local, &pb);
    add(w, local, &pb, true);
}

static const struct sp_strategy **strategies(const struct sp_options *o)
{
    int all = 0;
    while (sp_strategies[all])
        all++;
    int n = o->strategy.n ? o->strategy.n : all;
    const struct sp_strategy **list = sp_alloc(((size_t)n + 1) * sizeof *list);
    for (int i = 0; i < n; i++)
        list[i] = o->strategy.n ? strategy_named(o->strategy.at[i]) : sp_strategies[i];
    return list;
}

/* local works on one rank only, so it is a point once, not one for each degree. */
struct sp_point *sp_points(const struct sp_options *o, bool baseline, int *n)
{
    int nproblems;
    struct sp_problem *pb = problems(o, &nproblems);
    struct sweep w = { .o = o, .strategy = strategies(o) };
    const struct sp_strategy *local = strategy_named("local");
    w.setting = settings(o, w.strategy);
    bool only_local = w.strategy[0] == local && !w.strategy[1];
    for (int i = 0; i < nproblems; i++) {
        if (baseline)
            add_baseline(&w, local, pb[i]);
        for (int d = 0; d < or_one(o->sp.n); d++)
            for (int s = 0; w.strategy[s]; s++) {
                bool one = (w.strategy[s] == local && !only_local) || !o->sp.n;
                pb[i].ranks = one ? 1 : (int)o->sp.at[d];
                add_all(&w, w.strategy[s], pb[i]);
            }
        pb[i].ranks = 1;
    }
    for (int i = 0; i < o->set.n; i++)
        free(w.setting[i].value);
    free(w.setting);
    free(w.strategy);
    free(pb);
    *n = w.n;
    return w.point;
}
