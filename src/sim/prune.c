/* prune.c - links that can never bind: what feeds them, or what they feed, is no faster.
 *
 *      nic 50 --+
 *      nic 50 --+-- leaf 100 --      the leaf's link is full only if both NICs are
 *
 * All flows over a link also cross the link before it on their path (of each path
 * another). If these can't bring more than it takes, its limit says nothing that theirs
 * don't, and the rates are the same without it; likewise for the links after it. The
 * others may go in their turn: since each relies on smaller ones only (of equal ones, the
 * earlier), what is left in the end implies them all. */
/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>

#include "sim/net.h"
#include "util/memory.h"

/* The most that a neighbour brings to a link; found by hashing both. */
struct feed { int link, neighbour; double rate; };
struct feeds { struct feed *at; int n, room; };     /* room: 2^k; link -1: free */

static struct feed *feed_at(const struct feeds *f, int link, int neighbour)
{
    uint64_t x = ((uint64_t)link << 32 | (uint32_t)neighbour) * 0x9e3779b97f4a7c15;
    uint64_t i = (x >> 32) & (uint64_t)(f->room - 1);
    while (f->at[i].link >= 0 &&
           (f->at[i].link != link || f->at[i].neighbour != neighbour))
        i = (i + 1) & (uint64_t)(f->room - 1);
    return &f->at[i];
}

static void feeds_double(struct feeds *f)
{
    const struct feeds old = *f;
    f->room = old.room ? 2 * old.room : 1024;
    f->at = sp_alloc((size_t)f->room * sizeof *f->at);
    for (int i = 0; i < f->room; i++)
        f->at[i].link = -1;
    for (int i = 0; i < old.room; i++)
        if (old.at[i].link >= 0)
            *feed_at(f, old.at[i].link, old.at[i].neighbour) = old.at[i];
    free(old.at);
}

/* What a neighbour on one path can bring; less than 0 if that proves nothing. */
static double brought(const struct sp_net *n, const struct sp_hop *h,
                      const struct sp_hop *by)
{
    const double rate = n->line[h->link].rate, its = n->line[by->link].rate;
    if (its > rate || (its == rate && by->link > h->link))
        return -1;
    return its * (double)h->share / (double)by->share;
}

/* spare[link]: what its neighbours on that side (-1: before, 1: after it) leave of its
 * rate. Less than 0: they may bring too much. */
static void count_side(const struct sp_net *n, int side, double *spare)
{
    struct feeds f = { 0 };
    for (int l = 0; l < n->nlines; l++)
        spare[l] = n->line[l].rate * (1 + 1e-12);
    for (int p = 0; p < n->npaths; p++)
        for (int i = 0; i < n->path[p].hops; i++) {
            const struct sp_hop *h = &n->hop[n->path[p].hop + i];
            double *left = &spare[h->link];
            if (*left < 0)
                continue;
            const bool end = i + side < 0 || i + side >= n->path[p].hops;
            const double rate = end ? -1 : brought(n, h, h + side);
            if (rate < 0) {
                *left = -1;
                continue;
            }
            if (4 * f.n >= 3 * f.room)
                feeds_double(&f);
            struct feed *feed = feed_at(&f, h->link, (h + side)->link);
            if (feed->link < 0) {
                *feed = (struct feed){ h->link, (h + side)->link, 0 };
                f.n++;
            }
            if (rate > feed->rate) {
                *left -= rate - feed->rate;
                feed->rate = rate;
            }
        }
    free(f.at);
}

void sp_net_prune(struct sp_net *n)
{
    double *before = sp_alloc(2 * (size_t)n->nlines * sizeof *before);
    double *after = before + n->nlines;
    count_side(n, -1, before);
    count_side(n, 1, after);
    for (int p = 0; p < n->npaths; p++) {
        struct sp_route_kept *path = &n->path[p];
        struct sp_hop *hop = &n->hop[path->hop];
        path->kept = 0;
        for (int i = 0; i < path->hops; i++)
            if (before[hop[i].link] < 0 && after[hop[i].link] < 0) {
                const struct sp_hop h = hop[i];
                hop[i] = hop[path->kept];
                hop[path->kept++] = h;
            }
    }
    free(before);
    n->pruned = true;
}
