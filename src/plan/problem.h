/* problem.h - the attention to be computed, and by how many ranks. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_PROBLEM_H
#define SP_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>

enum sp_dtype { SP_F32, SP_BF16 };

/* Where the tokens of a sequence cut in n shards sit (S tokens, shard i):
 *   contiguous   [i S/n, (i+1) S/n)
 *   zigzag       chunks i and 2n-1-i of the 2n chunks: equal causal work for all
 *   striped      every n-th token, from token i
 *   auto         what suits the strategy                                         */
enum sp_layout { SP_LAYOUT_AUTO = -1, SP_CONTIGUOUS, SP_ZIGZAG, SP_STRIPED };

enum { SP_MAX_KNOBS = 8, SP_MAX_RANKS = 4096 };     /* a ring has some ten steps x ranks^2 */

struct sp_problem {
    long seq;                   /* tokens of the whole sequence */
    int  batch;                 /* sequences */
    int  heads, kv_heads, dim;  /* query head h reads KV head h / (heads / kv_heads) */
    enum sp_dtype dtype;        /* of q k v o and their gradients, stored and sent */
    bool causal;                /* key k counts for query q when k <= q */
    bool backward;              /* the gradients too */
    enum sp_layout layout;
    int  ranks;
    int  knob[SP_MAX_KNOBS];    /* the strategy's own, in the order of its table */
};

extern const char *const sp_dtype_names[];      /* end with NULL, as all name lists */
extern const char *const sp_layout_names[];

size_t sp_dtype_bytes(enum sp_dtype t);

/* NULL, or why no strategy could compute this. The text is static. */
const char *sp_problem_refuse(const struct sp_problem *pb);

#endif
