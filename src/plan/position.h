/* position.h - lists of places in the sequence: runs of equal stride. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_POSITION_H
#define SP_POSITION_H

#include <stdbool.h>

struct sp_run { long start, stride, count; };   /* start, start+stride, ... */

/* A list that someone else owns. Row i of a block sits at the list's i-th place. */
struct sp_where { const struct sp_run *run; int nruns; };

/* Interned lists: equal lists have equal numbers. */
struct sp_places {
    struct sp_run *run;   long nruns;
    struct sp_list { long run; int nruns; long rows, low, high; } *list;
    int nlists;
    int *slot, nslots;          /* hash of the lists */
};

struct sp_places sp_places_copy(const struct sp_places *w);
void sp_places_free(struct sp_places *w);

/* The number of the list that n runs, one after another, spell. Runs are cut and
 * joined to one canonical form first, so how a list was put together never shows. */
int sp_places_add(struct sp_places *w, const struct sp_run *run, int n);

/* The number of rows [skip, skip+rows) of a list. */
int sp_places_cut(struct sp_places *w, int list, long skip, long rows);

struct sp_where sp_places_at(const struct sp_places *w, int list);
long sp_places_rows(const struct sp_places *w, int list);

/* (query, key) pairs that the mask allows: k <= q if causal. Closed form; exact
 * below 2^53. */
double sp_pairs(struct sp_where q, struct sp_where k, bool causal);

/* Whether there is such a pair at all. */
bool sp_sees(struct sp_where q, struct sp_where k, bool causal);

#endif
