/* flow.c - flows start, wait, run and end; one moment after the other. */
/* SPDX-License-Identifier: MIT */
#include "sim/flow.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "sim/net.h"
#include "util/memory.h"

/* What differs by less than this part of the time is the same moment: it is rounding. */
static const double same = 1e-12;

struct sp_net *sp_net_new(const double *rate, int nlinks, double eps)
{
    struct sp_net *n = sp_alloc(sizeof *n);
    const size_t links = (size_t)nlinks;
    n->eps = eps;
    n->nlines = nlinks;
    n->line = sp_alloc(links * sizeof *n->line);
    n->left = sp_alloc(links * sizeof *n->left);
    n->dirty = sp_alloc(links * sizeof *n->dirty);
    n->group = sp_alloc(links * sizeof *n->group);
    for (int i = 0; i < nlinks; i++) {
        assert(rate[i] > 0);
        n->line[i].rate = rate[i];
    }
    sp_agenda_init(&n->agenda, nlinks + 1);
    return n;
}

void sp_net_free(struct sp_net *n)
{
    if (!n)
        return;
    for (int i = 0; i < n->nlines; i++)
        free(n->line[i].on);
    sp_agenda_clear(&n->agenda);
    for (int i = 0; i < n->nlines && n->bunch; i++)
        free(n->bunch[i].pair);
    void *arrays[] = { n->line, n->hop, n->path, n->flow, n->need, n->joining, n->dirty,
                       n->done, n->moment, n->bit, n->left, n->group, n->levels.beat,
                       n->caps.beat, n->bunch, n->local, n->pair_at, n };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
}

int sp_net_path(struct sp_net *n, const struct sp_hop *hop, int nhops)
{
    assert(!n->pruned && nhops > 0 && nhops <= SP_MAX_HOPS);
    struct sp_route_kept p = { n->nhops, 0, 0 };
    for (int i = 0; i < nhops; i++) {
        assert(hop[i].link >= 0 && hop[i].link < n->nlines && hop[i].share > 0);
        int j = p.hop;
        while (j < n->nhops && n->hop[j].link != hop[i].link)
            j++;
        if (j < n->nhops) {
            n->hop[j].share += hop[i].share;
            continue;
        }
        n->hop = sp_grow(n->hop, n->nhops, sizeof *n->hop);
        n->hop[n->nhops++] = hop[i];
    }
    p.hops = p.kept = (unsigned char)(n->nhops - p.hop);
    n->path = sp_grow(n->path, n->npaths, sizeof *n->path);
    n->path[n->npaths] = p;
    return n->npaths++;
}

/* ---- states ------------------------------------------------------------------------ */

static void make_room(struct sp_net *n, int id)
{
    while (n->nflows <= id) {
        n->flow = sp_grow(n->flow, n->nflows, sizeof *n->flow);
        n->need = sp_grow(n->need, n->nflows, sizeof *n->need);
        n->joining = sp_grow(n->joining, n->nflows, sizeof *n->joining);
        n->done = sp_grow(n->done, n->nflows, sizeof *n->done);
        n->flow[n->nflows++] = (struct sp_flow){ .clock = -1 };
    }
    sp_agenda_room(&n->agenda, id);
}

static void put(struct sp_net *n, int id, enum sp_flow_state state, double seconds)
{
    n->flow[id].state = (unsigned char)state;
    n->flow[id].clock = 0;
    sp_agenda_put(&n->agenda, id, 0, n->now + seconds);
}

/* Its latency is over. */
static void go(struct sp_net *n, int id)
{
    struct sp_need *need = &n->need[id];
    if (n->flow[id].hops && need->amount > 0) {
        n->flow[id].state = SP_JOINING;
        n->joining[n->njoining++] = id;
        n->changed = true;
        return;
    }
    need->rate = need->cap;
    put(n, id, SP_ALONE, need->amount / need->rate);
}

void sp_net_start(struct sp_net *n, int id, int path, double latency, double amount,
                  double cap)
{
    assert(id >= 0 && path < n->npaths && latency >= 0 && amount >= 0);
    assert(latency < INFINITY && amount < INFINITY && cap > 0);
    if (!n->pruned)
        sp_net_prune(n);
    if (id >= n->nflows)
        make_room(n, id);
    struct sp_flow *f = &n->flow[id];
    assert(f->state == SP_IDLE);
    *f = (struct sp_flow){ .clock = -1 };
    n->need[id] = (struct sp_need){ cap, amount, 0 };
    if (path >= 0) {
        f->hop = n->path[path].hop;
        f->kept = n->path[path].kept;
        f->hops = n->path[path].hops;
    }
    n->in_flight++;
    if (latency > 0)
        put(n, id, SP_WAITING, latency);
    else
        go(n, id);
}

static void end(struct sp_net *n, int id)
{
    struct sp_flow *f = &n->flow[id];
    if (n->bunched && f->state == SP_SHARING)
        sp_bunch_leave(n, id);
    for (int i = 0; i < f->hops; i++) {
        const struct sp_hop *h = &n->hop[f->hop + i];
        struct sp_line *line = &n->line[h->link];
        line->crossed += n->need[id].amount * (double)h->share;
        if (i < f->kept && f->state == SP_SHARING) {
            line->live--;
            line->shares -= (double)h->share;
            sp_net_dirty(n, h->link);
        }
    }
    f->state = SP_IDLE;
    f->clock = -1;
    n->done[n->ndone++] = id;
    n->in_flight--;
}

void sp_net_cap(struct sp_net *n, int id, double cap)
{
    struct sp_need *need = &n->need[id];
    const struct sp_flow *f = &n->flow[id];
    assert(cap > 0);
    if (f->state == SP_IDLE)            /* through at this moment, but not yet told */
        return;
    const double before = need->cap;
    need->cap = cap;
    if (f->state == SP_SHARING) {
        const double rate = f->clock ? n->agenda.dial[f->clock].speed : need->rate;
        n->least_cap = cap < n->least_cap ? cap : n->least_cap;
        n->line[n->hop[f->hop].link].capped = true;
        if (cap >= rate && rate < before)
            return;
        n->bunched = false;
        for (int i = 0; i < f->kept; i++)
            sp_net_dirty(n, n->hop[f->hop + i].link);
    } else if (f->state == SP_ALONE && need->rate < INFINITY) {
        const double left = sp_flow_left(n, id);
        sp_agenda_take(&n->agenda, id);
        need->rate = cap;
        put(n, id, SP_ALONE, left / cap);
    }
}

/* ---- moments ----------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

static void sort_few(int *id, int n)
{
    for (int i = 1; i < n; i++) {
        const int x = id[i];
        int j = i;
        for (; j && id[j - 1] > x; j--)
            id[j] = id[j - 1];
        id[j] = x;
    }
}

/* Many ids that are close together are sorted by setting bits. */
static void sort_done(struct sp_net *n)
{
    enum { BITS = 8 * sizeof *n->bit, FEW = 12 };
    if (n->ndone <= FEW) {
        sort_few(n->done, n->ndone);
        return;
    }
    int low = n->done[0], high = low;
    for (int i = 1; i < n->ndone; i++) {
        low = n->done[i] < low ? n->done[i] : low;
        high = n->done[i] > high ? n->done[i] : high;
    }
    const int words = (high - low) / BITS + 1;
    if (words / 16 > n->ndone) {
        qsort(n->done, (size_t)n->ndone, sizeof *n->done, by_id);
        return;
    }
    while (n->nbits < words) {
        n->bit = sp_grow(n->bit, n->nbits, sizeof *n->bit);
        n->bit[n->nbits++] = 0;
    }
    for (int i = 0; i < n->ndone; i++)
        n->bit[(n->done[i] - low) / BITS] |= 1ul << (n->done[i] - low) % BITS;
    n->ndone = 0;
    for (int w = 0; w < words; w++)
        for (; n->bit[w]; n->bit[w] &= n->bit[w] - 1)
            n->done[n->ndone++] = low + w * BITS + __builtin_ctzl(n->bit[w]);
}

/* Take out all that is due within eps of what is next. The time is then their mean: what
 * ends too early makes up for what ends too late. */
static void gather(struct sp_net *n)
{
    double next = sp_agenda_next(&n->agenda), sum = 0;
    const double first = next, rounding = same * next;
    const double until = next + (n->eps > rounding ? n->eps : rounding);
    n->nmoments = 0;
    for (; next <= until; next = sp_agenda_next(&n->agenda)) {
        if (n->nmoments == n->moment_room) {
            n->moment = sp_grow(n->moment, n->nmoments, sizeof *n->moment);
            n->moment_room = n->nmoments ? 2 * n->nmoments : 1;
        }
        n->moment[n->nmoments++] = sp_agenda_pop(&n->agenda);
        sum += next - first;
    }
    if (first > n->now)
        n->now = first;
    if (n->eps > 0)
        n->now += sum / n->nmoments;
}

static void arrive(struct sp_net *n, int moment)
{
    for (int id = n->agenda.moment[moment].first, next; id >= 0; id = next) {
        next = n->agenda.due[id].next;
        if (n->flow[id].state == SP_WAITING) {
            n->flow[id].clock = -1;
            go(n, id);
        } else
            end(n, id);
    }
    sp_agenda_drop(&n->agenda, moment);
}

int sp_net_wait(struct sp_net *n)
{
    if (n->next_done == n->ndone) {
        n->next_done = n->ndone = 0;
        while (!n->ndone) {
            if (n->changed)
                sp_share(n);
            if (!n->in_flight)
                return -1;
            gather(n);
            for (int i = 0; i < n->nmoments; i++)
                arrive(n, n->moment[i]);
        }
        sort_done(n);
    }
    return n->done[n->next_done++];
}

bool sp_net_more(const struct sp_net *n) { return n->next_done < n->ndone; }

double sp_net_now(const struct sp_net *n)
{
    return n->now;
}

double sp_net_crossed(const struct sp_net *n, int link)
{
    double bytes = n->line[link].crossed;
    for (int id = 0; n->in_flight && id < n->nflows; id++) {
        const struct sp_flow *f = &n->flow[id];
        for (int i = 0; i < f->hops && f->state == SP_SHARING; i++)
            if (n->hop[f->hop + i].link == link)
                bytes += (n->need[id].amount - sp_flow_left(n, id)) *
                         (double)n->hop[f->hop + i].share;
    }
    return bytes;
}
