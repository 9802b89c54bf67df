/* heap.c - four children each: half as deep as two, and they share a cache line. */
/* SPDX-License-Identifier: MIT */
#include "sim/heap.h"

#include "util/memory.h"

static inline void set(struct sp_heap *h, int *place, int at, struct sp_beat b)
{
    h->beat[at] = b;
    if (place)
        place[b.what] = at;
}

/* b goes to `at` or above. */
static void rise(struct sp_heap *h, int *place, int at, struct sp_beat b)
{
    while (at > 0) {
        const int up = (at - 1) / 4;
        if (h->beat[up].key <= b.key)
            break;
        set(h, place, at, h->beat[up]);
        at = up;
    }
    set(h, place, at, b);
}

/* b goes to `at` or below. */
static void sink(struct sp_heap *h, int *place, int at, struct sp_beat b)
{
    for (int child; (child = 4 * at + 1) < h->n; at = child) {
        const int end = child + 4 < h->n ? child + 4 : h->n;
        for (int i = child + 1; i < end; i++)
            if (h->beat[i].key < h->beat[child].key)
                child = i;
        if (h->beat[child].key >= b.key)
            break;
        set(h, place, at, h->beat[child]);
    }
    set(h, place, at, b);
}

void sp_heap_push(struct sp_heap *h, int *place, double key, int what)
{
    if (h->n == h->room) {
        h->beat = sp_grow(h->beat, h->n, sizeof *h->beat);
        h->room = h->n ? 2 * h->n : 1;
    }
    rise(h, place, h->n++, (struct sp_beat){ key, what });
}

void sp_heap_change(struct sp_heap *h, int *place, int at, double key)
{
    const struct sp_beat b = { key, h->beat[at].what };
    if (key < h->beat[at].key)
        rise(h, place, at, b);
    else
        sink(h, place, at, b);
}

void sp_heap_remove(struct sp_heap *h, int *place, int at)
{
    const struct sp_beat last = h->beat[--h->n];
    if (place)
        place[h->beat[at].what] = -1;
    if (at == h->n)
        return;
    if (last.key < h->beat[at].key)
        rise(h, place, at, last);
    else
        sink(h, place, at, last);
}

void sp_heap_order(struct sp_heap *h, int *place)
{
    for (int i = (h->n - 2) / 4; i >= 0 && h->n > 1; i--)
        sink(h, place, i, h->beat[i]);
}
