/* bunch.c - the flows that one link holds back, counted by the links that they cross.
 *
 * When a group of links is solved again and again because flows end one by one, most
 * flows stay with the link that held them back before: they go at one rate, and a bunch
 * of them takes from each link at once what it takes. Only flows that another link holds
 * back now are looked at one by one. A bunch is kept by pairs: of its link and one that
 * it crosses. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>

#include "sim/net.h"
#include "util/memory.h"

/* The table of pairs is to be small beside the flows. */
enum { MOST_LINKS = 4096, FEWEST_FLOWS = 32, MOST_PAIRS = 32 };

static int *place_of(struct sp_net *n, int bunch, int link)
{
    return &n->pair_at[(size_t)n->local[bunch] * (size_t)n->ngroup +
                       (size_t)n->local[link]];
}

/* Of the pair in its bunch, which is made if there is none. */
static struct sp_crossing *pair_of(struct sp_net *n, int bunch, int link)
{
    struct sp_bunch *b = &n->bunch[bunch];
    int *place = place_of(n, bunch, link);
    if (*place < 0) {
        if (b->n == b->room) {
            b->pair = sp_grow(b->pair, b->n, sizeof *b->pair);
            b->room = b->n ? 2 * b->n : 1;
        }
        *place = b->n;
        b->pair[b->n++] = (struct sp_crossing){ .link = link };
    }
    return &b->pair[*place];
}

static void drop_pair(struct sp_net *n, int bunch, int i)
{
    struct sp_bunch *b = &n->bunch[bunch];
    *place_of(n, bunch, b->pair[i].link) = -1;
    b->pair[i] = b->pair[--b->n];
    if (i < b->n)
        *place_of(n, bunch, b->pair[i].link) = i;
}

static void add(struct sp_net *n, int bunch, int id, int sign)
{
    const struct sp_flow *f = &n->flow[id];
    for (int i = 0; i < f->kept; i++) {
        const struct sp_hop *h = &n->hop[f->hop + i];
        struct sp_crossing *p = pair_of(n, bunch, h->link);
        p->flows += sign;
        p->shares += sign * (double)h->share;
    }
}

void sp_bunch_leave(struct sp_net *n, int id)
{
    const int link = n->flow[id].clock - 1;
    if (link >= 0 && n->left[link].stamp == n->stamp)
        add(n, link, id, -1);
}

static bool can_bunch(const struct sp_net *n)
{
    if (n->ngroup > MOST_LINKS || n->met < FEWEST_FLOWS ||
        (long)n->ngroup * n->ngroup > (long)MOST_PAIRS * n->met)
        return false;
    for (int i = 0; i < n->ngroup; i++) {
        const struct sp_line *line = &n->line[n->group[i]];
        for (int j = 0; j < line->n; j++)
            if (!n->flow[line->on[j].flow].clock)
                return false;
    }
    return true;
}

void sp_bunch_build(struct sp_net *n)
{
    if (!can_bunch(n))
        return;
    const size_t links = (size_t)n->ngroup, most = (size_t)n->nlines;
    if (!n->bunch) {
        n->bunch = sp_alloc(most * sizeof *n->bunch);
        n->local = sp_alloc(most * sizeof *n->local);
    }
    free(n->pair_at);
    n->pair_at = sp_alloc(links * links * sizeof *n->pair_at);
    for (size_t i = 0; i < links * links; i++)
        n->pair_at[i] = -1;
    for (int i = 0; i < n->ngroup; i++) {
        n->local[n->group[i]] = i;
        n->bunch[n->group[i]].n = 0;
    }
    n->least_cap = INFINITY;
    for (int i = 0; i < n->ngroup; i++) {
        const struct sp_line *line = &n->line[n->group[i]];
        for (int j = 0; j < line->n; j++) {
            const int id = line->on[j].flow;
            if (n->flow[id].clock != n->group[i] + 1)
                continue;
            add(n, n->group[i], id, 1);
            n->least_cap = fmin(n->least_cap, n->need[id].cap);
        }
    }
    n->bunched = true;
}

/* Flows over a link that are in bunches of others, which have not filled up yet. */
static void adopt(struct sp_net *n, int link, double level)
{
    struct sp_line *line = &n->line[link];
    if (line->n > 2 * line->live)
        sp_line_forget(n, line);
    for (int i = 0; i < line->n; i++) {
        const int id = line->on[i].flow, held = n->flow[id].clock - 1;
        if (n->flow[id].state != SP_SHARING || held == link || n->left[held].full)
            continue;
        add(n, held, id, -1);
        sp_settle(n, id, link + 1, level);
        add(n, link, id, 1);
    }
}

int sp_bunch_give(struct sp_net *n, int link, double level)
{
    const int own = *place_of(n, link, link);
    if (own < 0 || n->bunch[link].pair[own].flows < n->left[link].flows)
        adopt(n, link, level);
    struct sp_bunch *b = &n->bunch[link];
    for (int i = b->n - 1; i >= 0; i--) {
        const struct sp_crossing *p = &b->pair[i];
        struct sp_left *l = &n->left[p->link];
        if (!p->flows) {
            drop_pair(n, link, i);
            continue;
        }
        l->rate -= level * p->shares;
        l->shares -= p->shares;
        l->flows -= p->flows;
    }
    return b->n;
}
