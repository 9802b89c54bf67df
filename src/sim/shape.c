/* shape.c - a hash table from shapes to costs. Keys are 128 bits mixed of all that a shape
 * is, for lists of places can be long. */
/* SPDX-License-Identifier: MIT */
#include "sim/shape.h"

#include <stdint.h>
#include <stdlib.h>

#include "util/memory.h"

struct key { uint64_t a, b; };
struct known { struct key key; struct sp_cost cost; bool is; };

struct sp_shapes {
    const struct sp_plan *p;
    const struct sp_profile *f;
    struct known *slot;
    size_t slots, n;            /* a power of two; used */
};

struct sp_shapes *sp_shapes_new(const struct sp_plan *p, const struct sp_profile *f)
{
    struct sp_shapes *x = sp_alloc(sizeof *x);
    *x = (struct sp_shapes){ .p = p, .f = f, .slots = 256 };
    x->slot = sp_alloc(x->slots * sizeof *x->slot);
    return x;
}

void sp_shapes_free(struct sp_shapes *x)
{
    if (!x)
        return;
    free(x->slot);
    free(x);
}

/* ---- keys ------------------------------------------------------------------------------ */

static void mix(struct key *k, long value)
{
    k->a = (k->a ^ (uint64_t)value) * 0x9e3779b97f4a7c15u;
    k->a ^= k->a >> 32;
    k->b = (k->b + (uint64_t)value) * 0xd1342543de82ef95u;
    k->b ^= k->b >> 29;
}

static void mix_list(struct key *k, struct sp_where w)
{
    mix(k, w.nruns);
    for (int i = 0; i < w.nruns; i++) {
        struct sp_run r = w.run[i];
        bool rises = i + 1 < w.nruns && w.run[i + 1].start > r.start + r.stride * (r.count - 1);
        mix(k, 2 * r.count + rises);
    }
}

static long floor_part(long x, long by) { return x >= 0 ? x / by : -((by - 1 - x) / by); }

/* Key j of one run is seen by row i of the other if j - i is at most this; beyond the ends of
 * both it is all the same. */
static long offset(struct sp_run q, struct sp_run k)
{
    long d = floor_part(q.start - k.start, q.stride);
    return d >= k.count ? k.count : d <= -q.count ? -q.count : d;
}

static void mix_places(struct key *key, struct sp_where q, struct sp_where k)
{
    mix_list(key, q);
    mix_list(key, k);
    for (int i = 0; i < q.nruns; i++)
        for (int j = 0; j < k.nruns; j++) {
            struct sp_run a = q.run[i], b = k.run[j];
            bool alike = a.stride == b.stride;
            mix(key, alike ? offset(a, b) : a.start - b.start);
            mix(key, alike ? 0 : a.stride);
            mix(key, alike ? 0 : b.stride);
        }
}

static struct key key_of(const struct sp_plan *p, int step)
{
    const struct sp_step *s = &p->step[step];
    const struct sp_block *b = sp_step_blocks(p, step);
    struct key k = { s->op + 1u, s->op + 1u };
    for (int i = 0; i < sp_ops[s->op].nblocks; i++) {
        const struct sp_buf *buf = &p->buf[b[i].buf];
        mix(&k, b[i].rows);
        mix(&k, b[i].heads * 64L + b[i].planes * 8 + buf->dtype * 2
                + (sp_kind_dim(p, buf->kind[b[i].plane]) == 1));
    }
    if (s->qpos >= 0 && s->kpos >= 0 && p->pb.causal)
        mix_places(&k, sp_places_at(&p->places, s->qpos), sp_places_at(&p->places, s->kpos));
    return k;
}

/* ---- the table ----------------------------------------------------------------------------- */

static struct known *find(const struct sp_shapes *x, struct key k)
{
    size_t i = k.a & (x->slots - 1);
    while (x->slot[i].is && (x->slot[i].key.a != k.a || x->slot[i].key.b != k.b))
        i = (i + 1) & (x->slots - 1);
    return &x->slot[i];
}

static void widen(struct sp_shapes *x)
{
    struct known *old = x->slot;
    size_t n = x->slots;
    x->slots = 2 * n;
    x->slot = sp_alloc(x->slots * sizeof *x->slot);
    for (size_t i = 0; i < n; i++)
        if (old[i].is)
            *find(x, old[i].key) = old[i];
    free(old);
}

struct sp_cost sp_shapes_cost(struct sp_shapes *x, int step, bool *inside)
{
    struct key key = key_of(x->p, step);
    struct known *k = find(x, key);
    if (k->is)
        return k->cost;
    if (2 * ++x->n > x->slots) {
        widen(x);
        k = find(x, key);
    }
    struct sp_work w = sp_step_work(x->p, step);
    double seconds = sp_work_seconds(x->f, &w, inside);
    *k = (struct known){ .key = key, .cost = { seconds, 1, 0 }, .is = true };
    if (x->f->interference.queue)
        k->cost.full = (float)sp_work_full(x->f, &w);
    if (x->f->ctas && seconds > 0)
        k->cost.squeezed = (float)(seconds / sp_work_seconds_on(x->f, &w, x->f->slots - x->f->ctas,
                                                                inside));
    return k->cost;
}
