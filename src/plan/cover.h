/* cover.h - do lists of places, together, name every place of a range exactly once? */
/* SPDX-License-Identifier: MIT */
#ifndef SP_COVER_H
#define SP_COVER_H

#include "plan/position.h"

struct sp_cover {
    const struct sp_places *places;
    long seq;
    struct sp_cover_set { int *list, n; } *perfect;     /* found to name all of seq once */
    int nperfect;
};

struct sp_cover_fault { long first, last; int times; };     /* places named 0 or 2 times */

void sp_cover_free(struct sp_cover *c);

/* True if [low, high) is covered once; else *fault is the first stretch that is not.
 * Sorts `list`. */
bool sp_cover_exact(struct sp_cover *c, int *list, int n, long low, long high,
                    struct sp_cover_fault *fault);

#endif
