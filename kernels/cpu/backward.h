/* backward.h - what a backward pass has laid out, and the work on one block of keys. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_BACKWARD_H
#define SP_BACKWARD_H

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/mask.h"

#define sp_grad_block SP_NAME(grad_block)

enum {
    SP_QUERIES = 192,           /* a block: whole panels, and whole strips of dq */
    SP_KEYS = 384,              /* a block at most; whole strips */
};

/* What one thread works on. Words are pairs if the pass has pairs. */
struct sp_grad_desk {
    float *k, *v;               /* SP_KEYS x depth */
    float *dk, *dv;             /* SP_KEYS x width */
    float *s, *dp;              /* ROWS x TILE: scores, and dout v^T, of one panel */
    float *p, *g;               /* ROWS x SP_QUERIES words: probabilities, and ds */
    float *ds;                  /* key words of a block x SP_QUERIES */
};

/* A strip is ROWS keys. Packed by sp_pack_columns and sp_pack_panels: */
struct sp_backward {
    const struct sp_tensors *t;
    bool  pairs;
    int   group, threads;       /* query heads of a KV head */
    int   parts;                /* sums of dq that a head has */
    long  panels, qblocks;      /* of queries */
    long  block, kblocks;       /* keys a block; blocks */
    long  depth, width;         /* words of a row, columns */
    float *q, *dout;            /* batch x heads x panels x depth x TILE */
    float *qrows, *doutrows;    /* batch x heads: panels of columns, query words deep */
    float *krows;               /* batch x kv heads: the same, key words deep */
    float *less, *delta;        /* batch x heads x queries: -lse, -inf for none; delta */
    int   *qplace, *kplace;
    struct sp_reach *panel, *strip, *qstrip, *qblock, *kblock;
    int   *part;                /* which part each block of keys falls to */
    long *load;                 /* parts: panels of queries that they have to look at */
    float *dq;                  /* batch x kv heads x parts x group x queries x width */
    struct sp_grad_desk *desk;
};

/* Words that `rows` rows take as a depth. */
static inline long sp_words(bool pairs, long rows) { return pairs ? rows / 2 : rows; }

/* Adds what one block of keys and query head h give: to the desk's dk and dv, unscaled,
 * and to dq, queries x width. */
void sp_grad_block(const struct sp_backward *g, const struct sp_grad_desk *d,
                   int b, int h, long kblock, float *dq);

#endif
