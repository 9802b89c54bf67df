/* traffic.c - what looks equal in a plan. */
/* SPDX-License-Identifier: MIT */
#include "sim/traffic.h"

#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

static bool message(const struct sp_plan *p, int step) { return p->step[step].twin >= 0; }

/* ---- steps by rank, items ---------------------------------------------------------- */

static void by_rank(struct sp_traffic *t)
{
    const struct sp_plan *p = t->p;
    t->first = sp_alloc(((size_t)p->pb.ranks + 1) * sizeof *t->first);
    t->step = sp_alloc((size_t)p->nsteps * sizeof *t->step);
    for (int i = 0; i < p->nsteps; i++)
        t->first[p->step[i].rank + 1]++;
    for (int r = 0; r < p->pb.ranks; r++)
        t->first[r + 1] += t->first[r];
    int *at = sp_alloc((size_t)p->pb.ranks * sizeof *at);
    for (int i = 0; i < p->nsteps; i++) {
        int r = p->step[i].rank;
        t->step[t->first[r] + at[r]++] = i;
    }
    free(at);
}

/* As the loop cuts lanes in groups: neighbours in their lane, of one pass. */
static void cut_in_items(struct sp_traffic *t, int rank)
{
    const struct sp_plan *p = t->p;
    struct { int group, item; enum sp_pass pass; } open[SP_NLANES];
    int items = 0, others = 0;
    for (int i = 0; i < SP_NLANES; i++)
        open[i].group = -1;
    for (int i = t->first[rank]; i < t->first[rank + 1]; i++) {
        int id = t->step[i];
        const struct sp_step *s = &p->step[id];
        enum sp_pass pass = sp_step_pass(p, id);
        if (s->group < 0 || open[s->lane].group != s->group || open[s->lane].pass != pass) {
            open[s->lane].item = items++;
            open[s->lane].group = s->group;
            open[s->lane].pass = pass;
        }
        t->item[id] = open[s->lane].item;
        t->number[id] = message(p, id) ? -1 : others++;
    }
}

/* ---- what a rank does by itself ---------------------------------------------------- */

struct list { int *x; int n; };

static void push(struct list *l, int x)
{
    l->x = sp_grow(l->x, l->n, sizeof *l->x);
    l->x[l->n++] = x;
}

static void push_double(struct list *l, double x)
{
    int half[2];
    memcpy(half, &x, sizeof half);
    push(l, half[0]);
    push(l, half[1]);
}

struct keys { int64_t *x; int n; };

static void push_key(struct keys *k, int high, int low)
{
    k->x = sp_grow(k->x, k->n, sizeof *k->x);
    k->x[k->n++] = (int64_t)high << 32 | (uint32_t)low;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void sort(struct keys *k)
{
    if (k->n)
        qsort(k->x, (size_t)k->n, sizeof *k->x, by_value);
}

/* Steps in order, messages only as items; then which item waits for which step. */
static int local_of(struct sp_traffic *t, const struct sp_scene *s, int rank, struct list *l,
                    struct keys *k)
{
    const struct sp_plan *p = t->p;
    int items = 0;
    l->n = k->n = 0;
    for (int i = t->first[rank]; i < t->first[rank + 1]; i++) {
        int id = t->step[i];
        const struct sp_step *x = &p->step[id];
        int what = x->lane << 8 | sp_step_pass(p, id) << 16;
        for (int j = 0; j < x->needs; j++) {
            int on = p->need[x->need + j];
            if (!message(p, on))
                push_key(k, t->item[id], t->number[on]);
            else if (t->whole)
                push_key(k, t->item[id], -1 - t->item[on]);
        }
        bool opens = t->item[id] == items;
        items += opens;
        if (message(p, id)) {
            if (opens)
                push(l, what | 0xff);
            continue;
        }
        push(l, what | x->op);
        push(l, t->item[id]);
        push_double(l, s->work[id]);
        if (s->squeezed)
            push_double(l, (double)s->squeezed[id]);
        if (s->full)
            push_double(l, (double)s->full[id]);
    }
    push(l, -1);
    sort(k);
    for (int i = 0; i < k->n; i++)
        if (!i || k->x[i] != k->x[i - 1]) {
            push(l, (int)(k->x[i] >> 32));
            push(l, (int)k->x[i]);
        }
    return sp_intern(&t->locals, l->x, l->n);
}

/* ---- messages ---------------------------------------------------------------------- */

/* Items of a rank that wait for each of its messages: item[first[step]] ... */
struct waiting { int *first, *item; };

static struct waiting find_waiting(const struct sp_traffic *t)
{
    const struct sp_plan *p = t->p;
    struct waiting w = { .first = sp_alloc(((size_t)p->nsteps + 2) * sizeof *w.first) };
    for (int i = 0; i < p->nsteps; i++)
        for (int j = 0; j < p->step[i].needs; j++)
            if (message(p, p->need[p->step[i].need + j]))
                w.first[p->need[p->step[i].need + j] + 2]++;
    for (int i = 0; i < p->nsteps; i++)
        w.first[i + 2] += w.first[i + 1];
    w.item = sp_alloc(((size_t)w.first[p->nsteps + 1] + 1) * sizeof *w.item);
    for (int i = 0; i < p->nsteps; i++)
        for (int j = 0; j < p->step[i].needs; j++) {
            int on = p->need[p->step[i].need + j];
            if (message(p, on))
                w.item[w.first[on + 1]++] = t->item[i];
        }
    return w;
}

static void push_waiting(struct list *l, struct keys *k, const struct waiting *w, int step)
{
    k->n = 0;
    for (int i = w->first[step]; i < w->first[step + 1]; i++)
        push_key(k, 0, w->item[i]);
    sort(k);
    push(l, k->n);
    for (int i = 0; i < k->n; i++)
        push(l, (int)k->x[i]);
}

static int kind_of(struct sp_traffic *t, const struct sp_scene *s, const struct waiting *w,
                   int send, struct list *l, struct keys *k)
{
    int recv = t->p->step[send].twin;
    l->n = 0;
    push(l, t->item[send]);
    push(l, t->item[recv]);
    push_double(l, s->bytes[send]);
    if (!t->whole) {
        push_waiting(l, k, w, send);
        push_waiting(l, k, w, recv);
    }
    return sp_intern(&t->kinds, l->x, l->n);
}

/* The kind again, but of the how-manieth of its pair. */
static int kind_apart(struct sp_traffic *t, int kind, int which, struct list *l)
{
    l->n = 0;
    push(l, -1 - which);
    push(l, kind);
    return sp_intern(&t->kinds, l->x, l->n);
}

/* Shapes of the pairs that begin at k->x: (pair, kind) in order. */
static void shapes(struct sp_traffic *t, const struct keys *k, struct list *l)
{
    for (int i = 0, end; i < k->n; i = end) {
        int pair = (int)(k->x[i] >> 32);
        l->n = 0;
        for (end = i; end < k->n && k->x[end] >> 32 == pair; end++) {
            if (end > i && k->x[end] == k->x[end - 1]) {
                l->x[l->n - 1]++;
            } else {
                push(l, (int)k->x[end]);
                push(l, 1);
            }
        }
        t->pair[pair].shape = sp_intern(&t->shapes, l->x, l->n);
    }
}

static void number_messages(struct sp_traffic *t, int send, int pair, int kind)
{
    int recv = t->p->step[send].twin;
    t->pair_of[send] = t->pair_of[recv] = pair;
    t->number[send] = t->number[recv] = kind;
}

/* Messages of one rank; last: of each rank, its latest pair. */
static void pairs_of(struct sp_traffic *t, const struct sp_scene *s, const struct waiting *w,
                     int rank, int *last, struct list *l, struct keys *k)
{
    struct keys sent = { 0 };
    int from = t->npairs;
    for (int i = t->first[rank]; i < t->first[rank + 1]; i++) {
        int send = t->step[i];
        if (t->p->step[send].op != SP_SEND)
            continue;
        int to = sp_step_peer(t->p, send);
        if (last[to] < from) {
            t->pair = sp_grow(t->pair, t->npairs, sizeof *t->pair);
            t->pair[t->npairs] = (struct sp_pair){ .from = rank, .to = to };
            last[to] = t->npairs++;
        }
        int kind = kind_of(t, s, w, send, l, k);
        if (t->apart)
            kind = kind_apart(t, kind, t->pair[last[to]].messages++, l);
        number_messages(t, send, last[to], kind);
        push_key(&sent, last[to], kind);
    }
    sort(&sent);
    shapes(t, &sent, l);
    free(sent.x);
}

int sp_traffic_place(const struct sp_traffic *t, int step)
{
    int shape = t->pair[t->pair_of[step]].shape, low = 0;
    int high = sp_interned_length(&t->shapes, shape) / 2 - 1;
    const int *kind = sp_interned(&t->shapes, shape);           /* in rising order */
    while (low < high) {
        int middle = (low + high) / 2;
        if (kind[2 * middle] < t->number[step])
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- all of it --------------------------------------------------------------------- */

struct sp_traffic *sp_traffic_new(const struct sp_scene *s, bool apart, bool whole)
{
    struct sp_traffic *t = sp_alloc(sizeof *t);
    t->p = s->plan;
    t->apart = apart;
    t->whole = whole;
    size_t ranks = (size_t)t->p->pb.ranks, steps = (size_t)t->p->nsteps;
    by_rank(t);
    t->item = sp_alloc(steps * sizeof *t->item);
    t->number = sp_alloc(steps * sizeof *t->number);
    t->pair_of = sp_alloc(steps * sizeof *t->pair_of);
    memset(t->pair_of, -1, steps * sizeof *t->pair_of);
    t->local = sp_alloc(ranks * sizeof *t->local);
    int *last = sp_alloc(ranks * sizeof *last);
    memset(last, -1, ranks * sizeof *last);
    struct list l = { 0 };
    struct keys k = { 0 };
    for (int r = 0; r < t->p->pb.ranks; r++)
        cut_in_items(t, r);
    struct waiting w = find_waiting(t);
    for (int r = 0; r < t->p->pb.ranks; r++) {
        t->local[r] = local_of(t, s, r, &l, &k);
        pairs_of(t, s, &w, r, last, &l, &k);
    }
    free(w.first);
    free(w.item);
    free(last);
    free(l.x);
    free(k.x);
    return t;
}

void sp_traffic_free(struct sp_traffic *t)
{
    free(t->first);
    free(t->step);
    free(t->item);
    free(t->number);
    free(t->pair_of);
    free(t->local);
    free(t->pair);
    sp_intern_free(&t->locals);
    sp_intern_free(&t->kinds);
    sp_intern_free(&t->shapes);
    free(t);
}
