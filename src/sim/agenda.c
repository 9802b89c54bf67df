/* agenda.c - clocks, moments, and which of them is next. */
/* SPDX-License-Identifier: MIT */
#include "sim/agenda.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

void sp_agenda_init(struct sp_agenda *a, int clocks)
{
    *a = (struct sp_agenda){
        .dial = sp_alloc((size_t)clocks * sizeof *a->dial),
        .ndials = clocks,
        .first_place = sp_alloc((size_t)clocks * sizeof *a->first_place),
        .spare = -1,
    };
    for (int c = 0; c < clocks; c++)
        a->first_place[c] = -1;
    for (int i = 0; i < SP_RECENT; i++)
        a->recent[i] = -1;
    a->dial[0].speed = 1;
}

void sp_agenda_clear(struct sp_agenda *a)
{
    for (int c = 0; c < a->ndials; c++)
        free(a->dial[c].heap.beat);
    free(a->dial);
    free(a->first.beat);
    free(a->first_place);
    free(a->moment);
    free(a->moment_place);
    free(a->due);
}

void sp_agenda_room(struct sp_agenda *a, int id)
{
    while (a->ndue <= id) {
        a->due = sp_grow(a->due, a->ndue, sizeof *a->due);
        a->due[a->ndue++].moment = -1;
    }
}

static unsigned slot_of(int clock, double key)
{
    uint64_t x;
    memcpy(&x, &key, sizeof x);
    x = (x ^ (uint64_t)clock * 0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd;
    return (unsigned)(x >> 32) % SP_RECENT;
}

static int moment_new(struct sp_agenda *a, int clock, double key)
{
    int m = a->spare;
    if (m >= 0)
        a->spare = a->moment[m].first;
    else {
        m = a->nmoments++;
        a->moment = sp_grow(a->moment, m, sizeof *a->moment);
        a->moment_place = sp_grow(a->moment_place, m, sizeof *a->moment_place);
    }
    a->moment[m] = (struct sp_moment){ key, clock, -1, -1 };
    sp_heap_push(&a->dial[clock].heap, a->moment_place, key, m);
    return m;
}

void sp_agenda_drop(struct sp_agenda *a, int moment)
{
    a->moment[moment].clock = -1;
    a->moment[moment].first = a->spare;
    a->spare = moment;
}

void sp_agenda_put(struct sp_agenda *a, int id, int clock, double key)
{
    int *recent = &a->recent[slot_of(clock, key)];
    int m = *recent;
    if (m < 0 || a->moment[m].clock != clock || a->moment[m].key != key)
        m = *recent = moment_new(a, clock, key);
    struct sp_moment *to = &a->moment[m];
    a->due[id] = (struct sp_due){ -1, to->last, m };
    if (to->last >= 0)
        a->due[to->last].next = id;
    else
        to->first = id;
    to->last = id;
}

void sp_agenda_take(struct sp_agenda *a, int id)
{
    struct sp_due *d = &a->due[id];
    const int m = d->moment;
    struct sp_moment *from = &a->moment[m];
    assert(m >= 0);
    if (d->previous >= 0)
        a->due[d->previous].next = d->next;
    else
        from->first = d->next;
    if (d->next >= 0)
        a->due[d->next].previous = d->previous;
    else
        from->last = d->previous;
    d->moment = -1;
    if (from->first < 0) {
        sp_heap_remove(&a->dial[from->clock].heap, a->moment_place, a->moment_place[m]);
        sp_agenda_drop(a, m);
    }
}

void sp_agenda_turn(struct sp_agenda *a, int clock, double now)
{
    struct sp_dial *d = &a->dial[clock];
    d->value = d->heap.n ? d->value + d->speed * (now - d->at) : 0;
    d->at = now;
}

void sp_agenda_retime(struct sp_agenda *a, int clock, double speed)
{
    struct sp_dial *d = &a->dial[clock];
    const int place = a->first_place[clock];
    d->speed = speed;
    if (!d->heap.n) {
        if (place >= 0)
            sp_heap_remove(&a->first, a->first_place, place);
        return;
    }
    const double ahead = d->heap.beat[0].key - d->value;
    const double time = ahead > 0 ? d->at + ahead / speed : d->at;
    if (place >= 0)
        sp_heap_change(&a->first, a->first_place, place, time);
    else
        sp_heap_push(&a->first, a->first_place, time, clock);
}

double sp_agenda_next(const struct sp_agenda *a)
{
    const double seconds = a->dial[0].heap.n ? a->dial[0].heap.beat[0].key : INFINITY;
    const double links = a->first.n ? a->first.beat[0].key : INFINITY;
    return seconds < links ? seconds : links;
}

int sp_agenda_pop(struct sp_agenda *a)
{
    int clock = 0;
    if (a->first.n && (!a->dial[0].heap.n ||
                       a->first.beat[0].key < a->dial[0].heap.beat[0].key))
        clock = a->first.beat[0].what;
    struct sp_heap *heap = &a->dial[clock].heap;
    const int m = heap->beat[0].what;
    sp_heap_remove(heap, a->moment_place, 0);
    if (clock)
        sp_agenda_retime(a, clock, a->dial[clock].speed);
    a->moment[m].clock = -1;
    return m;
}
