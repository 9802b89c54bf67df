/* intern.h - numbers for lists of whole numbers: equal lists have equal numbers. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_INTERN_H
#define SP_INTERN_H

#include <stddef.h>
#include <stdint.h>

struct sp_intern {
    int *text;  long ntext;     /* the lists, one after the other */
    long *first; int n;         /* where each begins */
    int *slot;  size_t slots;   /* hash of them: 1 + number */
};

/* 0, 1, 2, ... in the order in which lists are first seen. */
int sp_intern(struct sp_intern *x, const int *list, int n);

static inline const int *sp_interned(const struct sp_intern *x, int i)
{
    return x->text + x->first[i];
}

static inline int sp_interned_length(const struct sp_intern *x, int i)
{
    return (int)((i + 1 < x->n ? x->first[i + 1] : x->ntext) - x->first[i]);
}

void sp_intern_free(struct sp_intern *x);       /* what it holds */

/* Well mixed: any bit of a or b may change any of the result. */
static inline uint64_t sp_mix(uint64_t a, uint64_t b)
{
    uint64_t h = (a ^ (b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2))) * 0xff51afd7ed558ccdu;
    h = (h ^ h >> 32) * 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 29;
}

#endif
