/* list.c - the strategies there are, and their knobs by name. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "strategy/strategy.h"

extern const struct sp_strategy sp_local, sp_ring, sp_ulysses, sp_hybrid, sp_allgather;

const struct sp_strategy *const sp_strategies[] = {
    &sp_local,
    &sp_ring,
    &sp_ulysses,
    &sp_hybrid,
    &sp_allgather,
    NULL
};

const struct sp_strategy *sp_strategy_find(const char *name)
{
    for (int i = 0; sp_strategies[i]; i++)
        if (!strcmp(sp_strategies[i]->name, name))
            return sp_strategies[i];
    return NULL;
}

void sp_strategy_reset(const struct sp_strategy *s, struct sp_problem *pb)
{
    pb->layout = SP_LAYOUT_AUTO;
    for (int i = 0; s->knobs[i].name; i++)
        pb->knob[i] = s->knobs[i].fallback;
}

static const char *no_such_value(const struct sp_strategy *s, const struct sp_knob *k,
                                 const char *value)
{
    static char why[240];
    int n = snprintf(why, sizeof why, "%s.%s '%s' must be ", s->name, k->name, value);
    size_t room = sizeof why - (size_t)n;
    if (!k->choice)
        snprintf(why + n, room, "a number from %d to %d", k->min, k->max);
    for (int i = 0; k->choice && k->choice[i]; i++)
        n += snprintf(why + n, sizeof why - (size_t)n, "%s%s", i ? " or " : "", k->choice[i]);
    return why;
}

const char *sp_strategy_set(const struct sp_strategy *s, struct sp_problem *pb,
                            const char *knob, const char *value)
{
    static char why[240];
    for (int i = 0; s->knobs[i].name; i++) {
        const struct sp_knob *k = &s->knobs[i];
        if (strcmp(k->name, knob))
            continue;
        for (int c = 0; k->choice && k->choice[c]; c++)
            if (!strcmp(k->choice[c], value)) {
                pb->knob[i] = c;
                return NULL;
            }
        char *end;
        long x = strtol(value, &end, 10);
        if (k->choice || end == value || *end || x < k->min || x > k->max)
            return no_such_value(s, k, value);
        pb->knob[i] = (int)x;
        return NULL;
    }
    int n = snprintf(why, sizeof why, "%s has no knob '%s'; it has", s->name, knob);
    for (int i = 0; s->knobs[i].name && n < (int)sizeof why; i++)
        n += snprintf(why + n, sizeof why - (size_t)n, " %s", s->knobs[i].name);
    if (!s->knobs[0].name)
        snprintf(why + n, sizeof why - (size_t)n, " none");
    return why;
}

void sp_strategy_knobs(const struct sp_strategy *s, const struct sp_problem *pb, bool brief,
                       char *text, size_t room)
{
    size_t n = 0;
    text[0] = 0;
    for (int i = 0; s->knobs[i].name && n < room; i++) {
        const struct sp_knob *k = &s->knobs[i];
        const char *gap = n ? " " : "";
        if (brief && pb->knob[i] == k->fallback)
            continue;
        n += (size_t)(k->choice
            ? snprintf(text + n, room - n, "%s%s=%s", gap, k->name, k->choice[pb->knob[i]])
            : snprintf(text + n, room - n, "%s%s=%d", gap, k->name, pb->knob[i]));
    }
}

const char *sp_strategy_settle(const struct sp_strategy *s, struct sp_problem *pb)
{
    const char *why = sp_problem_refuse(pb);
    if (why)
        return why;
    s->choose(pb);
    return s->refuse(pb);
}

struct sp_plan *sp_strategy_plan(const struct sp_strategy *s, const struct sp_problem *pb)
{
    struct sp_plan *p = sp_plan_new(pb);
    s->plan(p);
    return p;
}
