/* broken.h - kernel sets that are wrong on purpose, each in one way, around a right one. */
/* SPDX-License-Identifier: MIT */
#ifndef BROKEN_H
#define BROKEN_H

#include "kernels/kernels.h"

enum flaw {
    SOUND,
    SEES_MORE,          /* each query sees one key too many */
    SEES_LESS,          /* ... misses its own */
    TILE_ATTN,          /* one tile of 64 x 64 of one head of one sequence is left out, once */
    TILE_GRAD,
    TILE_BOTH,
    SWAP_O,             /* two heads of o change places, in every step */
    SWAP_DQ,
    NO_MERGE,           /* what was there before stays */
    NO_ADD,
    NFLAWS
};

extern const char *const flaw_names[NFLAWS];

/* Good until the next call. `dice` says which tile. */
const struct sp_kernels *broken(enum flaw flaw, const struct sp_kernels *good, unsigned long dice);

/* How often the flaw has had something to spoil since. */
int broken_count(void);

#endif
