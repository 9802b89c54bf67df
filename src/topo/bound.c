/* bound.c - max over links of load / rate. */
/* SPDX-License-Identifier: MIT */
#include "topo/bound.h"

#include <math.h>
#include <stdlib.h>

#include "util/memory.h"

struct sum {
    const struct sp_topo *t;
    double *load;               /* by link */
    double slowest;             /* rate at which one message would reach its own cap */
    int at;                     /* a link of that message */
};

/* A link's rate, or of the network one cable's. */
static double cap_of(const struct sp_link *l)
{
    return l->kind == SP_LINK_NET ? l->rate / l->cables : l->rate;
}

static void add(struct sum *s, int from, int to, double part)
{
    struct sp_route r;
    sp_topo_route(s->t, from, to, &r);
    for (int i = 0; i < r.n; i++)
        s->load[r.hop[i].link] += part * (double)r.hop[i].share;
    if (r.cap / part >= s->slowest)
        return;
    s->slowest = r.cap / part;
    for (int i = 0; i < r.n; i++)
        if (cap_of(&s->t->link[r.hop[i].link]) / (double)r.hop[i].share <= r.cap * (1 + 1e-9))
            s->at = r.hop[i].link;
}

struct sp_bound sp_bound(const struct sp_topo *t, enum sp_pattern pattern, int ranks)
{
    struct sum s = { .t = t, .load = sp_alloc((size_t)t->nlinks * sizeof *s.load),
                     .slowest = INFINITY, .at = -1 };
    for (int i = 0; i < ranks && ranks > 1; i++)
        if (pattern == SP_PATTERN_RING)
            add(&s, i, (i + 1) % ranks, 1);
        else
            for (int j = 0; j < ranks; j++)
                if (i != j)
                    add(&s, i, j, 1.0 / (ranks - 1));
    struct sp_bound b = { .rate = INFINITY, .link = -1 };
    for (int i = 0; i < t->nlinks; i++) {
        double rate = s.load[i] > 0 ? t->link[i].rate / s.load[i] : INFINITY;
        bool as_full = rate <= b.rate * (1 + 1e-9) && b.link >= 0
            && t->link[i].kind == SP_LINK_NET && t->link[b.link].kind != SP_LINK_NET;
        if (rate < b.rate * (1 - 1e-9) || as_full)
            b = (struct sp_bound){ rate, i, s.load[i] };
    }
    if (s.slowest < b.rate * (1 - 1e-9))
        b = (struct sp_bound){ s.slowest, s.at, s.at < 0 ? 0 : s.load[s.at] };
    free(s.load);
    return b;
}
