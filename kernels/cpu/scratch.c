/* scratch.c - dealing out memory; the same code says how much of it there must be. */
/* SPDX-License-Identifier: MIT */
#include "kernels/cpu/scratch.h"

enum { LINE = 64 };             /* bytes: of a cache line, and of the widest vector */

void *sp_scratch_take(struct sp_scratch *s, long count, size_t element)
{
    const size_t at = s->used;
    s->used += ((size_t)count * element + LINE - 1) / LINE * LINE;
    return s->base ? (char *)s->base + at : NULL;
}
