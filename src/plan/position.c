/* position.c - lists of places, interned, and the pairs that a mask allows. */
/* SPDX-License-Identifier: MIT */
#include "plan/position.h"

#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

/* ---- one canonical spelling: what reading the places one by one, each extending
 *      the run before it if it can, would give ------------------------------------ */

struct spelling { struct sp_run *run; int n; };

static void spell_one(struct spelling *s, long place)
{
    struct sp_run *last = s->n ? &s->run[s->n - 1] : NULL;
    if (last && last->count == 1 && place > last->start) {
        last->stride = place - last->start;
        last->count = 2;
    } else if (last && last->count > 1 && place == last->start + last->stride * last->count) {
        last->count++;
    } else {
        s->run = sp_grow(s->run, s->n, sizeof *s->run);
        s->run[s->n++] = (struct sp_run){ place, 1, 1 };
    }
}

static void spell(struct spelling *s, struct sp_run r)
{
    while (r.count > 0) {
        struct sp_run *last = s->n ? &s->run[s->n - 1] : NULL;
        if (last && last->count > 1 && last->stride == r.stride
            && r.start == last->start + last->stride * last->count) {
            last->count += r.count;
            return;
        }
        spell_one(s, r.start);
        r.start += r.stride;
        r.count--;
    }
}

/* ---- the table of lists ------------------------------------------------------- */

static unsigned long hash(const struct sp_run *run, int n)
{
    unsigned long h = 1469598103934665603ul;
    for (int i = 0; i < n; i++) {
        const long part[] = { run[i].start, run[i].stride, run[i].count };
        for (int j = 0; j < 3; j++)
            h = (h ^ (unsigned long)part[j]) * 1099511628211ul;
    }
    return h ^ h >> 29;
}

static int *find(const struct sp_places *w, const struct sp_run *run, int n)
{
    unsigned long at = hash(run, n);
    for (;; at++) {
        int *slot = &w->slot[at & (unsigned long)(w->nslots - 1)];
        if (*slot < 0)
            return slot;
        const struct sp_list *l = &w->list[*slot];
        if (l->nruns == n && !memcmp(w->run + l->run, run, (size_t)n * sizeof *run))
            return slot;
    }
}

static void rehash(struct sp_places *w)
{
    w->nslots = w->nslots ? 2 * w->nslots : 64;
    free(w->slot);
    w->slot = sp_alloc((size_t)w->nslots * sizeof *w->slot);
    memset(w->slot, -1, (size_t)w->nslots * sizeof *w->slot);
    for (int i = 0; i < w->nlists; i++)
        *find(w, w->run + w->list[i].run, w->list[i].nruns) = i;
}

static int intern(struct sp_places *w, const struct sp_run *run, int n)
{
    if (2 * w->nlists >= w->nslots)
        rehash(w);
    int *slot = find(w, run, n);
    if (*slot >= 0)
        return *slot;
    struct sp_list l = { w->nruns, n, 0, n ? run[0].start : 0, n ? run[0].start : 0 };
    for (int i = 0; i < n; i++) {
        long end = run[i].start + run[i].stride * (run[i].count - 1);
        l.rows += run[i].count;
        l.low = run[i].start < l.low ? run[i].start : l.low;
        l.high = end > l.high ? end : l.high;
        w->run = sp_grow(w->run, w->nruns, sizeof *w->run);
        w->run[w->nruns++] = run[i];
    }
    w->list = sp_grow(w->list, w->nlists, sizeof *w->list);
    w->list[w->nlists] = l;
    return *slot = w->nlists++;
}

/* Arrays grow by doubling at powers of two, so a copy must have that room too. */
static void *copy_of(const void *array, long n, size_t element)
{
    long room = 1;
    while (room < n)
        room *= 2;
    void *copy = sp_alloc((size_t)room * element);
    if (n)
        memcpy(copy, array, (size_t)n * element);
    return copy;
}

struct sp_places sp_places_copy(const struct sp_places *w)
{
    struct sp_places c = *w;
    c.run = copy_of(w->run, w->nruns, sizeof *w->run);
    c.list = copy_of(w->list, w->nlists, sizeof *w->list);
    c.slot = copy_of(w->slot, w->nslots, sizeof *w->slot);
    return c;
}

void sp_places_free(struct sp_places *w)
{
    free(w->run);
    free(w->list);
    free(w->slot);
    *w = (struct sp_places){ 0 };
}

int sp_places_add(struct sp_places *w, const struct sp_run *run, int n)
{
    struct spelling s = { 0 };
    for (int i = 0; i < n; i++)
        spell(&s, run[i]);
    int list = intern(w, s.run, s.n);
    free(s.run);
    return list;
}

int sp_places_cut(struct sp_places *w, int list, long skip, long rows)
{
    const struct sp_list *l = &w->list[list];
    if (skip == 0 && rows == l->rows)
        return list;
    struct spelling s = { 0 };
    for (int i = 0; i < l->nruns && rows > 0; i++) {
        struct sp_run r = w->run[l->run + i];
        long pass = skip < r.count ? skip : r.count;
        r.start += pass * r.stride;
        r.count -= pass;
        skip -= pass;
        r.count = r.count < rows ? r.count : rows;
        rows -= r.count;
        spell(&s, r);
    }
    int cut = intern(w, s.run, s.n);
    free(s.run);
    return cut;
}

struct sp_where sp_places_at(const struct sp_places *w, int list)
{
    return (struct sp_where){ w->run + w->list[list].run, w->list[list].nruns };
}

long sp_places_rows(const struct sp_places *w, int list) { return w->list[list].rows; }

/* ---- pairs ---------------------------------------------------------------------- */

/* sum of floor((a i + b) / m) for i in [0, n), all >= 0: Euclid's algorithm on the
 * lattice points below a line. */
static double floor_sum(long n, long m, long a, long b)
{
    double sum = 0;
    while (n > 0) {
        sum += (double)(a / m) * ((double)n * (double)(n - 1) / 2) + (double)(b / m) * (double)n;
        a %= m;
        b %= m;
        long top = a * n + b;
        if (top < m)
            break;
        n = top / m;
        b = top % m;
        long t = m;
        m = a;
        a = t;
    }
    return sum;
}

/* The first i in [0, n] with q.start + i q.stride >= place. */
static long first_at(struct sp_run q, long place)
{
    if (place <= q.start)
        return 0;
    long i = (place - q.start + q.stride - 1) / q.stride;
    return i < q.count ? i : q.count;
}

/* Query i of run q sees min(count, floor((q_i - k.start) / k.stride) + 1) keys of run k. */
static double causal_pairs(struct sp_run q, struct sp_run k)
{
    long some = first_at(q, k.start);                                   /* sees the first key */
    long all = first_at(q, k.start + k.stride * (k.count - 1));         /* sees the last one */
    double pairs = (double)(q.count - all) * (double)k.count;
    if (all > some)
        pairs += (double)(all - some)
                 + floor_sum(all - some, k.stride, q.stride, q.start + some * q.stride - k.start);
    return pairs;
}

double sp_pairs(struct sp_where q, struct sp_where k, bool causal)
{
    double pairs = 0;
    for (int i = 0; i < q.nruns; i++)
        for (int j = 0; j < k.nruns; j++)
            pairs += causal ? causal_pairs(q.run[i], k.run[j])
                            : (double)q.run[i].count * (double)k.run[j].count;
    return pairs;
}

bool sp_sees(struct sp_where q, struct sp_where k, bool causal)
{
    if (!q.nruns || !k.nruns)
        return false;
    if (!causal)
        return true;
    long last = q.run[0].start, first = k.run[0].start;
    for (int i = 0; i < q.nruns; i++) {
        long end = q.run[i].start + q.run[i].stride * (q.run[i].count - 1);
        last = end > last ? end : last;
    }
    for (int j = 0; j < k.nruns; j++)
        first = k.run[j].start < first ? k.run[j].start : first;
    return first <= last;
}
