/* agenda.h - what is due when, by clocks that run at different speeds.
 *
 * Clock 0 shows seconds. Each link has a clock that shows the bytes that every flow which
 * the link holds back has sent since the clock was empty: they all go at the same rate.
 * So such a flow is due at a reading of that clock, which stays the same when the rate
 * changes; of all these flows only the first matters for what happens next. The idea is
 * that of virtual time in fair queueing: Demers, Keshav and Shenker, SIGCOMM 1989.
 *
 * All that is due at one reading is one moment: a list, in one place of the heap. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_AGENDA_H
#define SP_AGENDA_H

#include "sim/heap.h"

struct sp_dial {
    double value, at, speed;    /* its reading at a time, and how much a second since */
    struct sp_heap heap;        /* of moments */
};

struct sp_moment { double key; int clock, first, last; };

struct sp_due { int next, previous, moment; };      /* moment -1: not due */

enum { SP_RECENT = 1024 };

struct sp_agenda {
    struct sp_dial *dial; int ndials;
    struct sp_heap first;       /* clocks but 0, by the time of their first moment */
    int *first_place;
    struct sp_moment *moment; int *moment_place; int nmoments, spare;
    struct sp_due *due; int ndue;       /* by id */
    int recent[SP_RECENT];      /* moments by hash, to join them */
};

void sp_agenda_init(struct sp_agenda *a, int clocks);
void sp_agenda_clear(struct sp_agenda *a);
void sp_agenda_room(struct sp_agenda *a, int id);      /* ids up to this one can be put */

/* An id that isn't due becomes due when the clock shows key. For clocks other than 0,
 * sp_agenda_retime() must follow. */
void sp_agenda_put(struct sp_agenda *a, int id, int clock, double key);
void sp_agenda_take(struct sp_agenda *a, int id);

/* Turn a clock to this time, then let it go at that speed. */
void sp_agenda_turn(struct sp_agenda *a, int clock, double now);
void sp_agenda_retime(struct sp_agenda *a, int clock, double speed);

/* The time of the first moment of all; INFINITY: none. */
double sp_agenda_next(const struct sp_agenda *a);

/* Take the first moment out of its clock. Its ids are in moment[].first and due[].next;
 * give the moment back with sp_agenda_drop() when each has been read. */
int sp_agenda_pop(struct sp_agenda *a);
void sp_agenda_drop(struct sp_agenda *a, int moment);

#endif
