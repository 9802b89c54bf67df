/* tiles.c - how many tiles a mask leaves, and how unevenly: what a slot is dealt (an item) is
 * a row tile, or a key tile of gradients; it meets the tiles of the other side that have
 * pairs with it.
 *
 *      causal, 4 x 4 tiles   #  full           items are rows here: 1, 2, 3, 4 tiles,
 *          \ . . .           \  diagonal       of which one each is on the diagonal
 *          # \ . .           .  not met
 *          # # \ .
 *          # # # \
 *
 * Lists of places are cut in tiles from their beginning, and anew where places stop rising:
 * that is where a kernel would be called again. */
/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "sim/profile.h"

static double cost_of(const struct sp_kernel_fit *k, double full, double diagonal)
{
    return k->prologue + k->tile * (full + k->masked * diagonal);
}

static void add(struct sp_tiles *t, const struct sp_kernel_fit *k, double items, double full,
                double diagonal)
{
    double cost = cost_of(k, full, diagonal);
    t->longest = t->items > 0 ? fmax(t->longest, cost) : cost;
    t->shortest = t->items > 0 ? fmin(t->shortest, cost) : cost;
    t->items += items;
    t->full += items * full;
    t->diagonal += items * diagonal;
    t->sum += items * cost;
}

static long last_of(struct sp_run r) { return r.start + r.stride * (r.count - 1); }

/* How many of a run's places are at most x. */
static long up_to(struct sp_run r, long x)
{
    if (x < r.start)
        return 0;
    return x >= last_of(r) ? r.count : (x - r.start) / r.stride + 1;
}

/* Tiles of the other side that an item meets, and those of them that are met in full. */
struct met { double any, full; };

/* Keys that a tile of queries from place `low` to `high` sees. */
static struct met keys_met(struct sp_where k, long low, long high, long tile)
{
    struct met m = { 0 };
    long any = 0, full = 0, all = 0;
    for (int i = 0; i < k.nruns; i++) {
        all += k.run[i].count;
        any += up_to(k.run[i], high);
        full += up_to(k.run[i], low);
        bool ends = i + 1 == k.nruns || k.run[i + 1].start <= last_of(k.run[i]);
        if (!ends)
            continue;
        m.any += (double)((any + tile - 1) / tile);
        m.full += (double)(full == all ? (full + tile - 1) / tile : full / tile);
        any = full = all = 0;
    }
    return m;
}

/* Queries that see a tile of keys from place `low` to `high`: those from `low` on. Tiles are
 * cut from the first query, so those that aren't met are taken off all. */
static struct met rows_met(struct sp_where q, long low, long high, long tile)
{
    struct met m = { 0 };
    long none = 0, some = 0, all = 0;
    for (int i = 0; i < q.nruns; i++) {
        none += up_to(q.run[i], low - 1);
        some += up_to(q.run[i], high - 1);
        all += q.run[i].count;
        bool ends = i + 1 == q.nruns || q.run[i + 1].start <= last_of(q.run[i]);
        if (!ends)
            continue;
        double tiles = (double)((all + tile - 1) / tile);
        m.any += all == none ? 0 : tiles - (double)(none / tile);
        m.full += tiles - (double)((some + tile - 1) / tile);
        none = some = all = 0;
    }
    return m;
}

/* One after another over the places of a list: tiles of one side. */
struct walk { struct sp_where at; int run; long place; };

/* The lowest and the highest place among the next `rows` of them, fewer at an end. */
static long next_tile(struct walk *w, long rows, long *low, long *high)
{
    long got = 0;
    while (got < rows && w->run < w->at.nruns) {
        struct sp_run r = w->at.run[w->run];
        long from = r.start + r.stride * w->place;
        if (got && from <= *high)
            break;
        long some = r.count - w->place < rows - got ? r.count - w->place : rows - got;
        *low = got ? *low : from;
        *high = from + r.stride * (some - 1);
        got += some;
        w->place += some;
        if (w->place == r.count) {
            w->run++;
            w->place = 0;
        }
    }
    return got;
}

struct sides { struct sp_where dealt, other; long deal, tile; bool grad; };

static struct met met_by(const struct sides *s, long low, long high)
{
    return s->grad ? rows_met(s->other, low, high, s->tile)
                   : keys_met(s->other, low, high, s->tile);
}

/* Whole tiles to come in this run that meet what the last one met: all that lie between two
 * tiles which meet the same. A step far from the diagonal is a few such stretches. */
static long alike(struct walk *w, const struct sides *s, struct met m)
{
    if (w->run == w->at.nruns || w->place == 0)
        return 0;
    struct sp_run r = w->at.run[w->run];
    long more = (r.count - w->place) / s->deal;
    if (more < 2)
        return 0;
    long from = r.start + r.stride * (w->place + (more - 1) * s->deal);
    struct met end = met_by(s, from, from + r.stride * (s->deal - 1));
    if (end.any != m.any || end.full != m.full)
        return 0;
    w->place += more * s->deal;
    if (w->place == r.count) {
        w->run++;
        w->place = 0;
    }
    return more;
}

struct sp_tiles sp_count_tiles(const struct sp_kernel_fit *k, const struct sp_work *w)
{
    struct sp_tiles t = { 0 };
    bool grad = w->op == SP_GRAD;
    double rows = ceil(w->rows / k->tile_rows), keys = ceil(w->keys / k->tile_keys);
    if (!w->causal) {
        add(&t, k, grad ? keys : rows, grad ? rows : keys, 0);
        return t;
    }
    struct sp_run q = { w->offset, 1, (long)w->rows }, key = { 0, 1, (long)w->keys };
    struct sp_where qs = w->q.nruns ? w->q : (struct sp_where){ &q, 1 };
    struct sp_where ks = w->k.nruns ? w->k : (struct sp_where){ &key, 1 };
    struct sides s = {
        .dealt = grad ? ks : qs,
        .other = grad ? qs : ks,
        .deal = grad ? k->tile_keys : k->tile_rows,
        .tile = grad ? k->tile_rows : k->tile_keys,
        .grad = grad,
    };
    struct walk walk = { .at = s.dealt };
    long low, high;
    double most = grad ? rows : keys;
    while (next_tile(&walk, s.deal, &low, &high) > 0) {
        struct met m = met_by(&s, low, high);
        double any = fmin(m.any, most), full = fmin(m.full, any);
        add(&t, k, 1, full, any - full);
        long more = alike(&walk, &s, m);
        if (more)
            add(&t, k, (double)more, full, any - full);
    }
    return t;
}
