/* cases.c - the tables, and what a word in them means. */
/* SPDX-License-Identifier: MIT */
#include "cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVERY_RANKS  "ranks 1 2 3 4 6 8"
#define EVERY_HEADS  "heads 8:8 8:2 8:1"
#define EVERY_LAYOUT "layout contiguous zigzag striped"
#define EVERY_MASK   "mask causal full"

const struct case_set cases_to_prove[] = {
    { "local",     { EVERY_HEADS, EVERY_LAYOUT, EVERY_MASK, "ranks 1", "batch 1 2" } },
    { "ring",      { EVERY_RANKS, EVERY_HEADS, EVERY_LAYOUT, EVERY_MASK, "bwd rev home",
                     "fused 0 1", "batch 1 2" } },
    { "ring",      { "ranks 2 3 4 8", "rows 12", "heads 8:2", EVERY_LAYOUT, EVERY_MASK,
                     "bwd rev home", "fused 0 1", "buffers 2 3 4", "chunks 1 2 4" } },
    { "ring",      { "ranks 5 7", "rows 10 18", "heads 3:3 6:2", EVERY_LAYOUT, EVERY_MASK,
                     "bwd rev home", "pass fwd both" } },
    { "ulysses",   { EVERY_RANKS, EVERY_HEADS, EVERY_LAYOUT, EVERY_MASK, "chunks 1 2 4",
                     "batch 1 2" } },
    { "ulysses",   { "ranks 3 6", "heads 12:12 12:6 12:3 6:3 6:1", EVERY_LAYOUT, EVERY_MASK,
                     "chunks 1 2 4", "pass fwd both" } },
    { "hybrid",    { EVERY_RANKS, EVERY_HEADS, EVERY_LAYOUT, EVERY_MASK, "pu 1 2 3 4 8",
                     "place a2a ring", "bwd rev home", "fused 0 1" } },
    { "hybrid",    { "ranks 4 8", "rows 12", "heads 8:2", EVERY_LAYOUT, EVERY_MASK, "pu 2",
                     "place a2a ring", "bwd rev home", "buffers 2 3", "chunks 1 2 4",
                     "batch 2" } },
    { "hybrid",    { "ranks 6", "heads 6:6 6:3 6:1", EVERY_LAYOUT, EVERY_MASK, "pu 1 2 3 6",
                     "place a2a ring", "bwd rev home", "pass fwd both" } },
    { "allgather", { EVERY_RANKS, EVERY_HEADS, EVERY_LAYOUT, EVERY_MASK, "stride 1 2 4 8",
                     "buffers 1 2 3", "batch 1 2" } },
    { NULL, { NULL } }
};

const struct case_set cases_to_run[] = {
    { "local",     { "ranks 1", "rows 24", EVERY_HEADS, EVERY_MASK, "dtype fp32 bf16",
                     "batch 2" } },
    { "ring",      { "ranks 2 3 4 6", EVERY_LAYOUT, EVERY_MASK, "heads 4:4 4:2 4:1",
                     "bwd rev home" } },
    { "ring",      { "ranks 4", "rows 8", EVERY_LAYOUT, "heads 2:1", "bwd rev home",
                     "fused 0", "buffers 2 3 4", "chunks 1 2" } },
    { "ring",      { "ranks 8", "rows 12", "layout zigzag", "heads 2:1", "bwd rev home",
                     "buffers 2 3", "chunks 1 4" } },
    { "ring",      { "ranks 3", EVERY_LAYOUT, "heads 4:2", "bwd rev home", "dtype bf16",
                     "batch 2" } },
    { "ulysses",   { "ranks 2 3 4", EVERY_MASK, "layout contiguous zigzag",
                     "heads 12:12 12:2 12:1 12:3", "chunks 1 2 4" } },
    { "ulysses",   { "ranks 8", "heads 8:8 8:2 8:1", "dtype fp32 bf16", "batch 2",
                     "layout striped" } },
    { "hybrid",    { "ranks 4 6", EVERY_LAYOUT, "heads 6:6 6:3 6:1 4:4 4:2 4:1", "pu 2 3",
                     "place a2a ring", "bwd rev home" } },
    { "hybrid",    { "ranks 8", "mask full causal", "heads 4:2", "pu 2 4", "place a2a ring",
                     "bwd rev home", "dtype fp32 bf16", "chunks 1 3" } },
    { "allgather", { "ranks 2 3 4 6", EVERY_LAYOUT, EVERY_MASK, "heads 4:4 4:2 4:1",
                     "stride 1 2 4", "buffers 1 2" } },
    { "allgather", { "ranks 3", "heads 6:6", "stride 1 2", "buffers 1 2 3", "dtype fp32 bf16",
                     "batch 2" } },
    { NULL, { NULL } }
};

const struct case_set cases_to_break[] = {
    { "local",     { "ranks 1", "rows 12", "heads 4:2", EVERY_MASK } },
    { "ring",      { "ranks 3", EVERY_LAYOUT, "heads 4:4 4:2 4:1", EVERY_MASK, "bwd rev home" } },
    { "ring",      { "ranks 4", "heads 2:1", "bwd rev home", "fused 0", "chunks 1 2",
                     "buffers 2 3" } },
    { "ulysses",   { "ranks 4", "heads 8:8 8:2 8:1", "layout contiguous zigzag",
                     "chunks 1 2" } },
    { "hybrid",    { "ranks 4", EVERY_LAYOUT, "heads 4:4 4:2 4:1", "pu 2", "bwd rev home" } },
    { "hybrid",    { "ranks 6", "heads 6:2", "pu 2 3", "place ring", "mask full causal" } },
    { "hybrid",    { "ranks 8", "heads 2:1", "pu 2", "bwd rev home" } },
    { "allgather", { "ranks 3", EVERY_LAYOUT, "heads 4:4 4:2 4:1", "stride 1 2",
                     "buffers 1 2" } },
    { NULL, { NULL } }
};

/* ---- words ------------------------------------------------------------------------ */

/* Word number i of a list, 0 its name. False: there are fewer. */
static bool word(const char *list, int i, char *to, size_t room)
{
    for (; i > 0; i--) {
        list = strchr(list, ' ');
        if (!list)
            return false;
        list++;
    }
    snprintf(to, room, "%.*s", (int)strcspn(list, " "), list);
    return true;
}

static int index_of(const char *const *names, const char *name)
{
    for (int i = 0; names[i]; i++)
        if (!strcmp(names[i], name))
            return i;
    return SP_LAYOUT_AUTO;
}

static bool set_size(struct sp_problem *pb, const char *name, const char *value)
{
    const struct { const char *name; int *at; } sizes[] = {
        { "ranks", &pb->ranks }, { "dim", &pb->dim }, { "batch", &pb->batch },
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (!strcmp(sizes[i].name, name)) {
            *sizes[i].at = atoi(value);
            return true;
        }
    if (strcmp(name, "rows") && strcmp(name, "seq"))
        return false;
    pb->seq = !strcmp(name, "seq") ? atol(value) : -atol(value);    /* times ranks, later */
    return true;
}

static void set(const struct sp_strategy *s, struct sp_problem *pb, const char *name,
                const char *value)
{
    if (set_size(pb, name, value))
        return;
    if (!strcmp(name, "heads")) {
        sscanf(value, "%d:%d", &pb->heads, &pb->kv_heads);
    } else if (!strcmp(name, "layout")) {
        pb->layout = (enum sp_layout)index_of(sp_layout_names, value);
    } else if (!strcmp(name, "mask")) {
        pb->causal = !strcmp(value, "causal");
    } else if (!strcmp(name, "dtype")) {
        pb->dtype = (enum sp_dtype)index_of(sp_dtype_names, value);
    } else if (!strcmp(name, "pass")) {
        pb->backward = !strcmp(value, "both");
    } else {
        const char *why = sp_strategy_set(s, pb, name, value);
        if (why) {
            fprintf(stderr, "a table of cases says '%s %s': %s\n", name, value, why);
            abort();
        }
    }
}

static struct sp_problem fresh(const struct sp_strategy *s)
{
    struct sp_problem pb = { .seq = -6, .batch = 1, .heads = 8, .kv_heads = 8, .dim = 4,
                             .causal = true, .backward = true, .ranks = 1 };
    sp_strategy_reset(s, &pb);
    return pb;
}

static const char *settle(const struct sp_strategy *s, struct sp_problem *pb)
{
    if (pb->seq < 0)
        pb->seq *= -pb->ranks;
    return sp_strategy_settle(s, pb);
}

/* ---- the walk ---------------------------------------------------------------------- */

static bool step(struct case_walk *w)
{
    char ignored[40];
    if (!w->inside)
        return w->inside = w->set->strategy != NULL;
    for (int i = 0; i < CASE_LISTS && w->set->list[i]; i++) {
        if (word(w->set->list[i], ++w->at[i] + 1, ignored, sizeof ignored))
            return true;
        w->at[i] = 0;
    }
    w->set++;
    return w->set->strategy != NULL;
}

bool case_next(struct case_walk *w)
{
    if (!step(w))
        return false;
    w->strategy = sp_strategy_find(w->set->strategy);
    w->pb = fresh(w->strategy);
    int n = snprintf(w->name, sizeof w->name, "%s", w->set->strategy);
    for (int i = 0; i < CASE_LISTS && w->set->list[i]; i++) {
        char name[40], value[40];
        word(w->set->list[i], 0, name, sizeof name);
        word(w->set->list[i], w->at[i] + 1, value, sizeof value);
        set(w->strategy, &w->pb, name, value);
        n += snprintf(w->name + n, sizeof w->name - (size_t)n, " %s=%s", name, value);
    }
    w->refused = settle(w->strategy, &w->pb);
    return true;
}

bool case_next_plan(struct case_walk *w)
{
    while (case_next(w))
        if (!w->refused)
            return true;
    return false;
}

const char *case_problem(const char *strategy, const char *settings, struct sp_problem *pb)
{
    const struct sp_strategy *s = sp_strategy_find(strategy);
    char one[80], *value;
    *pb = fresh(s);
    for (int i = 0; word(settings, i, one, sizeof one); i++)
        if ((value = strchr(one, '='))) {
            *value = 0;
            set(s, pb, one, value + 1);
        }
    return settle(s, pb);
}

struct sp_plan *case_plan(const char *strategy, const char *settings)
{
    struct sp_problem pb;
    const char *why = case_problem(strategy, settings, &pb);
    if (why) {
        fprintf(stderr, "a test wants %s %s: %s\n", strategy, settings, why);
        abort();
    }
    return sp_strategy_plan(sp_strategy_find(strategy), &pb);
}
