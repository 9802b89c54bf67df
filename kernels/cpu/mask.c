/* mask.c - the causal mask by places in the sequence, which may come in any order. */
/* SPDX-License-Identifier: MIT */
#include "kernels/cpu/mask.h"

#include <assert.h>
#include <limits.h>

enum {
    AFTER_ALL = INT_MAX,        /* no query sits here; sp_problem_refuse sees to it */
    LAST = INT_MAX - 1,
};

static void spell(int *place, struct sp_where where, long rows)
{
    long n = 0;
    for (int r = 0; r < where.nruns; r++)
        for (long j = 0; j < where.run[r].count && n < rows; j++) {
            const long at = where.run[r].start + j * where.run[r].stride;
            assert(at >= 0 && at <= LAST);
            place[n++] = (int)at;
        }
    assert(n == rows);
}

static void fill(int *place, long from, long to, int value)
{
    for (long i = from; i < to; i++)
        place[i] = value;
}

void sp_mask_queries(int *place, const struct sp_tensors *t, long padded)
{
    const long rows = t->q.rows;
    if (t->causal)
        spell(place, t->qpos, rows);
    else
        fill(place, 0, rows, LAST);
    fill(place, rows, padded, rows ? place[rows - 1] : LAST);
}

void sp_mask_keys(int *place, const struct sp_tensors *t, long padded)
{
    const long rows = t->k.rows;
    if (t->causal)
        spell(place, t->kpos, rows);
    else
        fill(place, 0, rows, 0);
    fill(place, rows, padded, AFTER_ALL);
}

void sp_mask_reach(struct sp_reach *reach, const int *place, long rows, int size)
{
    for (long i = 0; i < rows; i += size) {
        struct sp_reach r = { .low = place[i], .high = place[i] };
        for (long j = i + 1; j < i + size; j++) {
            r.low = place[j] < r.low ? place[j] : r.low;
            r.high = place[j] > r.high ? place[j] : r.high;
        }
        reach[i / size] = r;
    }
}

enum sp_sight sp_mask_sight(struct sp_reach queries, struct sp_reach keys)
{
    if (keys.low > queries.high)
        return SP_HIDDEN;
    return keys.high <= queries.low ? SP_SEEN : SP_PARTLY;
}
