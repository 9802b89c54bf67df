/* foreign.c - tables of other people's words, and what they are here. */
/* SPDX-License-Identifier: MIT */
#include "report/foreign.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/parse.h"
#include "util/why.h"

/* ---- strategies ---- */

/* Rings of ring-flash-attention and what was made of it (yunchang, UltraAttn, AI_analysis):
 * K and V are two messages, and dK, dV go home in fp32. */
static const char *const theirs[][2] = { { "bwd", "home" }, { "fused", "0" }, { NULL, NULL } };

static const struct known {
    const char *glob, *strategy;
    int layout;                 /* that the name says; AUTO: the layout's own column */
} strategies[] = {
    { "ring", "ring", SP_LAYOUT_AUTO },
    { "ring attention", "ring", SP_LAYOUT_AUTO },
    { "ring-flash-attention", "ring", SP_LAYOUT_AUTO },
    { "basic[ -]ring", "ring", SP_CONTIGUOUS },
    { "zigzag", "ring", SP_ZIGZAG },
    { "zigzag[ -]ring", "ring", SP_ZIGZAG },
    { "stripe*", "ring", SP_STRIPED },
    { "ulysses", "ulysses", SP_LAYOUT_AUTO },
    { "deepspeed[ -]ulysses", "ulysses", SP_LAYOUT_AUTO },
    { "usp", "hybrid", SP_LAYOUT_AUTO },
    { "hybrid", "hybrid", SP_LAYOUT_AUTO },
    { "all*gather", "allgather", SP_LAYOUT_AUTO },
    { "llama3*", "allgather", SP_LAYOUT_AUTO },
    { "local", "local", SP_LAYOUT_AUTO },
    { "none*", "local", SP_LAYOUT_AUTO },
};

enum { NSTRATEGIES = sizeof strategies / sizeof *strategies };

static const struct known *known(const char *name)
{
    for (int i = 0; i < NSTRATEGIES; i++)
        if (!fnmatch(strategies[i].glob, name, FNM_CASEFOLD))
            return &strategies[i];
    return NULL;
}

/* A hybrid of one kind only goes by its own name. */
static const char *hybrid_of(const char *name, long ulysses, int ranks)
{
    if (strcmp(name, "hybrid") || !ulysses)
        return name;
    return ulysses == 1 ? "ring" : ulysses == ranks ? "ulysses" : name;
}

static void set_knobs(const struct sp_strategy *s, struct sp_problem *pb, long ulysses)
{
    char text[24];
    bool hybrid = !strcmp(s->name, "hybrid");
    for (int i = 0; theirs[i][0] && (hybrid || !strcmp(s->name, "ring")); i++)
        sp_strategy_set(s, pb, theirs[i][0], theirs[i][1]);
    if (hybrid) {
        snprintf(text, sizeof text, "%ld", ulysses);
        sp_strategy_set(s, pb, "pu", text);
    }
}

/* Causal work depends on it, so no guesses are made there. */
static const char *set_layout(const char *layout, const struct known *k, struct sp_problem *pb,
                              bool ring)
{
    int place = k->layout;
    const char *why = NULL;
    if (*layout)
        why = sp_parse_name(layout, sp_layout_names, &place);
    else if (place == SP_LAYOUT_AUTO && ring && pb->causal)
        return "incomplete: layout is not stated";
    else if (place == SP_LAYOUT_AUTO && ring)
        place = SP_CONTIGUOUS;
    if (why)
        return sp_why("layout: %s", why);
    pb->layout = (enum sp_layout)place;
    return NULL;
}

const char *sp_foreign_strategy(const char *name, const char *layout, long ulysses,
                                struct sp_problem *pb, const struct sp_strategy **strategy)
{
    const struct known *k = known(name);
    if (!k)
        return sp_why("strategy '%s' is none of seqpar's", name);
    const char *ours = hybrid_of(k->strategy, ulysses, pb->ranks);
    bool hybrid = !strcmp(ours, "hybrid");
    if (hybrid && !ulysses)
        return "incomplete: ulysses_degree is not stated";
    *strategy = sp_strategy_find(ours);
    sp_strategy_reset(*strategy, pb);
    set_knobs(*strategy, pb, ulysses);
    return set_layout(layout, k, pb, hybrid || !strcmp(ours, "ring"));
}

/* ---- dtypes, passes ---- */

const char *sp_foreign_dtype(const char *name, enum sp_dtype *dtype)
{
    static const struct { const char *name; enum sp_dtype dtype; } dtypes[] = {
        { "bf16", SP_BF16 }, { "bfloat16", SP_BF16 }, { "fp16", SP_BF16 },
        { "float16", SP_BF16 }, { "half", SP_BF16 }, { "fp16/bf16", SP_BF16 },
        { "fp32", SP_F32 }, { "float32", SP_F32 },
    };
    if (!*name)
        return "incomplete: dtype is not stated";
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (!strcmp(name, dtypes[i].name)) {
            *dtype = dtypes[i].dtype;
            return NULL;
        }
    return sp_why("dtype '%s' is not bf16, fp16 or fp32", name);
}

const char *sp_foreign_pass(const char *name, bool pass[SP_NPASSES])
{
    if (!*name)
        return "incomplete: pass is not stated";
    bool both = !strcmp(name, "fwd+bwd");
    pass[SP_FORWARD] = both || !strcmp(name, "fwd");
    pass[SP_BACKWARD] = both || !strcmp(name, "bwd");
    if (pass[SP_FORWARD] || pass[SP_BACKWARD])
        return NULL;
    return sp_why("pass '%s' is more than attention", name);
}

/* ---- units ---- */

enum quantity { TIME, RATE, FLOPS };

static const struct { const char *name; enum quantity what; double scale; } units[] = {
    { "s", TIME, 1 }, { "ms", TIME, 1e-3 }, { "us", TIME, 1e-6 }, { "ns", TIME, 1e-9 },
    { "s/iter", TIME, 1 }, { "ms/iter", TIME, 1e-3 }, { "us/iter", TIME, 1e-6 },
    { "iters/s", RATE, 1 }, { "iter/s", RATE, 1 }, { "it/s", RATE, 1 },
    { "TFLOP/s", FLOPS, 1e12 }, { "TFLOPS", FLOPS, 1e12 }, { "TFLOPs/s", FLOPS, 1e12 },
    { "GFLOP/s", FLOPS, 1e9 }, { "PFLOP/s", FLOPS, 1e15 },
};

enum { NUNITS = sizeof units / sizeof *units };

/* As FlashAttention counts: half of the pairs if causal, backward 2.5 times forward. */
static double flops_of(const struct sp_problem *pb, const bool pass[SP_NPASSES])
{
    double pairs = (double)pb->seq * (double)pb->seq * (pb->causal ? 0.5 : 1);
    return 4 * pairs * pb->heads * pb->dim * pb->batch
           * (pass[SP_FORWARD] + 2.5 * pass[SP_BACKWARD]);
}

/* Over how many GPUs a rate is summed; 0: not said. */
static int rate_of(const char *metric, int ranks)
{
    bool one = !fnmatch("*/GPU*", metric, FNM_CASEFOLD)
               || !fnmatch("*per GPU*", metric, FNM_CASEFOLD);
    bool all = !fnmatch("*aggregate*", metric, FNM_CASEFOLD)
               || !fnmatch("*total*", metric, FNM_CASEFOLD);
    return one ? ranks : all || ranks == 1;
}

const char *sp_foreign_seconds(const char *value, const char *unit, const char *metric,
                               const struct sp_problem *pb, const bool pass[SP_NPASSES],
                               double *seconds)
{
    char *end;
    double x = strtod(value, &end);
    int of = 1, i = 0;
    if (!*value)
        return "incomplete: no value";
    if (*end || !isfinite(x) || x <= 0)
        return sp_why("value '%s' is not a number above 0", value);
    while (i < NUNITS && strcmp(unit, units[i].name))
        i++;
    if (i == NUNITS)
        return sp_why("unit '%s' is no time, iters/s or TFLOP/s", unit);
    if (units[i].what == FLOPS && !(of = rate_of(metric, pb->ranks)))
        return sp_why("metric '%s' doesn't say whether it is per GPU or an aggregate", metric);
    x *= units[i].scale;
    if (units[i].what != TIME)
        x = (units[i].what == RATE ? 1 : flops_of(pb, pass) / of) / x;
    if (!isfinite(x) || x < 1e-9 || x > 1e9)
        return sp_why("value '%s' %s would be %.3g seconds", value, unit, x);
    *seconds = x;
    return NULL;
}
