/* share.c - the max-min fair rates, found anew for the links that depend on what changed.
 *
 * Progressive filling: the rate of all flows rises together until a link is full; its
 * flows keep that rate, the others go on. Rates only rise, so the order in which links
 * fill is a heap's, whose stale keys are too small and are corrected when they come
 * up. */
/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <math.h>

#include "sim/net.h"
#include "util/memory.h"

/* A group is taken as it was found so many times, once more for each so many flows when
 * they are bunched; after so many times they are. */
enum { SO_OFTEN = 16, FLOWS_MORE = 64, SOLVED_FLAT = 4 };

double sp_flow_left(const struct sp_net *n, int id)
{
    const struct sp_agenda *a = &n->agenda;
    const struct sp_need *need = &n->need[id];
    const int clock = n->flow[id].clock;
    if (clock < 0)
        return need->amount;
    const double key = a->moment[a->due[id].moment].key;
    const struct sp_dial *d = &a->dial[clock];
    const double left = clock ? key - d->value - d->speed * (n->now - d->at)
                              : (key - n->now) * need->rate;
    return left > 0 ? left : 0;
}

void sp_settle(struct sp_net *n, int id, int clock, double rate)
{
    const int was = n->flow[id].clock;
    if (!clock && !was && n->need[id].rate == rate)
        return;
    const double left = sp_flow_left(n, id);
    if (was >= 0)
        sp_agenda_take(&n->agenda, id);
    n->need[id].rate = rate;
    n->flow[id].clock = clock;
    sp_agenda_put(&n->agenda, id, clock,
                  clock ? n->agenda.dial[clock].value + left : n->now + left / rate);
}

/* ---- one group of links ------------------------------------------------------------ */

/* A flow's rate is found: it needs no more of its links. */
static inline void give(struct sp_net *n, int id, int clock, double rate)
{
    struct sp_flow *f = &n->flow[id];
    f->seen = n->stamp + 1;
    for (int i = 0; i < f->kept; i++) {
        const struct sp_hop *h = &n->hop[f->hop + i];
        struct sp_left *l = &n->left[h->link];
        l->rate -= rate * (double)h->share;
        l->shares -= (double)h->share;
        l->flows--;
    }
    if (f->clock != clock || !clock)
        sp_settle(n, id, clock, rate);
}

/* All links that a link's flows cross join the group. */
static void meet(struct sp_net *n, int link)
{
    const struct sp_line *line = &n->line[link];
    for (int i = 0; i < line->n; i++) {
        struct sp_flow *f = &n->flow[line->on[i].flow];
        if (f->seen == n->stamp)
            continue;
        f->seen = n->stamp;
        n->met++;
        for (int j = 0; j < f->kept; j++) {
            const int other = n->hop[f->hop + j].link;
            if (n->left[other].stamp != n->stamp) {
                n->left[other].stamp = n->stamp;
                n->group[n->ngroup++] = other;
            }
        }
    }
}

/* All of a link is to be had again. */
static void empty(struct sp_net *n, int link)
{
    const struct sp_line *line = &n->line[link];
    n->left[link] = (struct sp_left){ line->rate, line->shares, line->live, n->stamp,
                                      false };
    sp_agenda_turn(&n->agenda, link + 1, n->now);
    for (int i = 0; i < line->n && line->capped && !n->bunched; i++) {
        const int id = line->on[i].flow;
        if (n->need[id].cap < INFINITY && n->hop[n->flow[id].hop].link == link)
            sp_heap_push(&n->caps, NULL, n->need[id].cap, id);
    }
}

/* Where the rate of a link's flows would end, if no other held them back. Rounding must
 * not let it fall. */
static double level_of(const struct sp_left *l, double least)
{
    const double level = l->shares > 0 ? l->rate / l->shares : least;
    return level > least ? level : least;
}

/* The flow of the lowest cap, if no link fills before. */
static bool give_cap(struct sp_net *n, double level)
{
    if (!n->caps.n || n->caps.beat[0].key > level)
        return false;
    const struct sp_beat cap = n->caps.beat[0];
    sp_heap_remove(&n->caps, NULL, 0);
    if (n->flow[cap.what].seen != n->stamp + 1)
        give(n, cap.what, 0, cap.key);
    return true;
}

/* The link is full: what its flows have now is their rate. Returns about how many other
 * links that changes. */
static int give_link(struct sp_net *n, int link, double level)
{
    const struct sp_line *line = &n->line[link];
    int touched = 0;
    if (n->bunched)
        touched = sp_bunch_give(n, link, level);
    for (int i = 0; i < line->n && !n->bunched; i++)
        if (n->flow[line->on[i].flow].seen != n->stamp + 1) {
            give(n, line->on[i].flow, link + 1, level);
            touched++;
        }
    n->left[link].rate = level;
    n->left[link].full = true;
    return touched;
}

/* The levels of all links that still have flows, as they are now. */
static void order_levels(struct sp_net *n, double level)
{
    struct sp_heap *h = &n->levels;
    int kept = 0;
    for (int i = 0; i < h->n; i++) {
        const int link = h->beat[i].what;
        if (n->left[link].flows)
            h->beat[kept++] = (struct sp_beat){ level_of(&n->left[link], level), link };
    }
    h->n = kept;
    sp_heap_order(h, NULL);
}

/* False: bunches can't tell, since flows may reach their caps. Then all is found anew. */
static bool fill(struct sp_net *n)
{
    double level = 0;
    int stale = 0;
    struct sp_heap *h = &n->levels;
    for (int i = 0; i < n->ngroup; i++) {
        empty(n, n->group[i]);
        sp_heap_push(h, NULL, level_of(&n->left[n->group[i]], 0), n->group[i]);
    }
    while (h->n) {
        const struct sp_beat top = h->beat[0];
        const struct sp_left *left = &n->left[top.what];
        const double fills = level_of(left, level);
        if (!left->flows)
            sp_heap_remove(h, NULL, 0);
        else if (fills > top.key)
            sp_heap_change(h, NULL, 0, fills);
        else if (n->bunched && fills > n->least_cap) {
            h->n = 0;
            return false;
        } else if (!give_cap(n, fills)) {
            stale += give_link(n, top.what, level = fills);
            sp_heap_remove(h, NULL, 0);
            if (stale >= h->n) {
                order_levels(n, level);
                stale = 0;
            }
        }
    }
    n->caps.n = 0;
    for (int i = 0; i < n->ngroup; i++)
        sp_agenda_retime(&n->agenda, n->group[i] + 1, n->left[n->group[i]].rate);
    return true;
}

/* ---- what changed ------------------------------------------------------------------ */

/* A flow that shares none of its links. */
static bool alone(struct sp_net *n, int link)
{
    const int id = n->line[link].on[0].flow;
    const struct sp_flow *f = &n->flow[id];
    double rate = n->need[id].cap;
    for (int i = 0; i < f->kept; i++) {
        const struct sp_hop *h = &n->hop[f->hop + i];
        if (n->line[h->link].n != 1)
            return false;
        const double most = n->line[h->link].rate / (double)h->share;
        rate = most < rate ? most : rate;
    }
    const int was = f->clock;
    sp_settle(n, id, 0, rate);
    if (was > 0)
        sp_agenda_retime(&n->agenda, was, 0);
    return true;
}

static void share_group(struct sp_net *n, int link)
{
    n->stamp += 2;
    n->left[link].stamp = n->stamp;
    n->group[0] = link;
    n->ngroup = 1;
    n->again = n->met = 0;
    for (int i = 0; i < n->ngroup; i++)
        meet(n, n->group[i]);
    fill(n);
}

/* If flows have only left, what depended on each other before is all that can now. */
static bool share_again(struct sp_net *n)
{
    const int often = SO_OFTEN + (n->bunched ? n->met / FLOWS_MORE : 0);
    if (!n->ngroup || n->again >= often)
        return false;
    for (int i = 0; i < n->ndirty; i++)
        if (n->left[n->dirty[i]].stamp != n->stamp)
            return false;
    n->stamp += 2;
    if (!fill(n))
        return false;
    if (++n->again == SOLVED_FLAT)
        sp_bunch_build(n);
    return true;
}

void sp_line_forget(struct sp_net *n, struct sp_line *line)
{
    int kept = 0;
    line->shares = 0;
    line->capped = false;
    for (int i = 0; i < line->n; i++) {
        const int id = line->on[i].flow;
        if (n->flow[id].state != SP_SHARING)
            continue;
        line->shares += (double)line->on[i].share;
        line->capped |= n->need[id].cap < INFINITY;
        line->on[kept++] = line->on[i];
    }
    line->n = line->live = kept;
}

static void join(struct sp_net *n, int id)
{
    struct sp_flow *f = &n->flow[id];
    f->state = SP_SHARING;
    for (int i = 0; i < f->kept; i++) {
        const struct sp_hop *h = &n->hop[f->hop + i];
        struct sp_line *line = &n->line[h->link];
        if (line->n == line->room) {
            line->on = sp_grow(line->on, line->n, sizeof *line->on);
            line->room = line->n ? 2 * line->n : 1;
        }
        line->on[line->n++] = (struct sp_on){ id, h->share };
        line->live++;
        line->shares += (double)h->share;
        line->capped |= n->need[id].cap < INFINITY;
        sp_net_dirty(n, h->link);
    }
}

/* Stamps must never repeat. */
static void restart_stamps(struct sp_net *n)
{
    for (int l = 0; l < n->nlines; l++)
        n->left[l].stamp = 0;
    for (int id = 0; id < n->nflows; id++)
        n->flow[id].seen = 0;
    n->stamp = n->ngroup = 0;
    n->bunched = false;
}

void sp_share(struct sp_net *n)
{
    n->changed = false;
    if (n->stamp > INT_MAX - 2 * (n->nlines + 2))
        restart_stamps(n);
    if (n->njoining)
        n->ngroup = 0;
    else if (n->bunched && share_again(n))
        return;
    n->bunched = false;
    for (int i = 0; i < n->ndirty; i++)
        sp_line_forget(n, &n->line[n->dirty[i]]);
    for (int i = 0; i < n->njoining; i++)
        join(n, n->joining[i]);
    n->njoining = 0;
    const bool done = share_again(n);
    const int start = n->stamp;
    for (int i = 0; i < n->ndirty; i++) {
        const int link = n->dirty[i];
        struct sp_line *line = &n->line[link];
        line->dirty = false;
        if (!done && line->n && n->left[link].stamp <= start &&
            !(line->n == 1 && alone(n, link)))
            share_group(n, link);
    }
    n->ndirty = 0;
}
