/* intern.c - numbers for lists. */
/* SPDX-License-Identifier: MIT */
#include "sim/intern.h"

#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

static uint64_t hash(const int *list, int n)
{
    uint64_t h = (uint64_t)n;
    for (int i = 0; i < n; i++)
        h = sp_mix(h, (uint32_t)list[i]);
    return h;
}

static void widen(struct sp_intern *x)
{
    free(x->slot);
    x->slots = x->slots ? 2 * x->slots : 256;
    x->slot = sp_alloc(x->slots * sizeof *x->slot);
    for (int i = 0; i < x->n; i++) {
        size_t at = hash(sp_interned(x, i), sp_interned_length(x, i)) & (x->slots - 1);
        while (x->slot[at])
            at = (at + 1) & (x->slots - 1);
        x->slot[at] = 1 + i;
    }
}

int sp_intern(struct sp_intern *x, const int *list, int n)
{
    if (2 * (size_t)x->n >= x->slots)
        widen(x);
    size_t at = hash(list, n) & (x->slots - 1);
    for (; x->slot[at]; at = (at + 1) & (x->slots - 1)) {
        int i = x->slot[at] - 1;
        if (sp_interned_length(x, i) == n
            && (!n || !memcmp(sp_interned(x, i), list, (size_t)n * sizeof *list)))
            return i;
    }
    x->first = sp_grow(x->first, x->n, sizeof *x->first);
    x->first[x->n] = x->ntext;
    for (int i = 0; i < n; i++) {
        x->text = sp_grow(x->text, x->ntext, sizeof *x->text);
        x->text[x->ntext++] = list[i];
    }
    x->slot[at] = 1 + x->n;
    return x->n++;
}

void sp_intern_free(struct sp_intern *x)
{
    free(x->text);
    free(x->first);
    free(x->slot);
    *x = (struct sp_intern){ 0 };
}
