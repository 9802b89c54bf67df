/* parts.h - what strategies are put together from. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_PARTS_H
#define SP_PARTS_H

#include "strategy/strategy.h"

/* Attention as one rank sees it: its queries (q o lse dout delta dq) and its keys
 * (k v dk dv). Where a strategy starts, or what an all-to-all has made of it. */
struct sp_site { struct sp_block q, k, v, o, lse, dout, delta, dq, dk, dv; };

/* ---- where tokens are ---------------------------------------------------------- */

/* NULL, or why the layout can't cut the sequence in n shards of `parts` equal parts. */
const char *sp_shard_refuse(const struct sp_problem *pb, int n, int parts);

/* The layout of causal work by shards: zigzag, for then all have the same work. */
enum sp_layout sp_shard_balanced(const struct sp_problem *pb);

/* ---- buffers ---------------------------------------------------------------------- */

struct sp_block sp_new(struct sp_plan *p, int rank, struct sp_buf shape);

/* Scratch on the same rank of the same kinds, rows and heads. */
struct sp_block sp_like(struct sp_plan *p, struct sp_block b, const char *name, enum sp_dtype t);

/* Where sums that end in b are kept: b itself if it is fp32, else fp32 scratch. */
struct sp_block sp_wide(struct sp_plan *p, struct sp_block b, const char *name);
void sp_narrow(struct sp_plan *p, struct sp_block to, struct sp_block wide);

/* The inputs and outputs of rank, which has this share of the tokens; no lse, no delta. */
struct sp_site sp_site_home(struct sp_plan *p, int rank, struct sp_share share);

/* Sites 0..n-1 of n ranks, shard i on rank i. free() them. */
struct sp_site *sp_sites_by_rank(struct sp_plan *p);

/* lse and delta of a site; lse stays for the backward pass. */
void sp_site_stats(struct sp_plan *p, struct sp_site *s);

/* ---- attention ---------------------------------------------------------------------- */

/* All keys are here: one step. Needs lse, and delta for backward. */
void sp_alone_forward (struct sp_plan *p, const struct sp_site *s);
void sp_alone_backward(struct sp_plan *p, const struct sp_site *s);

/* ---- the all-to-all between tokens and heads (alltoall.c) ------------------------------ */

/* Member i of n has x[i], its tokens x all heads. Member j gets in y[j] the tokens of all
 * members x heads from first[j] on:      x: tokens |i=0|i=1|     y: heads |j=0|
 *                                           heads  | all heads |         |j=1| all tokens */
void sp_to_heads(struct sp_plan *p, int n, const struct sp_block *x, const struct sp_block *y,
                 const int *first);

/* The way back, in two halves, so that work can be written between them: y[j] is sent, then
 * x[i] filled. Several members may send the same heads: those are summed in fp32. */
struct sp_return { int n; const struct sp_block *x, *y; const int *first; struct sp_block *got; };
struct sp_return sp_to_rows(struct sp_plan *p, int n, const struct sp_block *x,
                            const struct sp_block *y, const int *first);
void sp_to_rows_end(struct sp_plan *p, struct sp_return *r);    /* frees r->got */

/* Like a member's block on rank, but of the tokens of n members and only some heads. */
struct sp_block sp_all_tokens(struct sp_plan *p, int rank, struct sp_block like, int n, int heads);

/* First head of each of n members' equal share of `heads` heads; with fewer heads than
 * members, several share one. */
void sp_head_shares(int heads, int n, int *first);
int  sp_head_share(int heads, int n);                           /* how many each has */
const char *sp_heads_refuse(const struct sp_problem *pb, const char *what, int n);

/* ---- the ring (ring.c) -------------------------------------------------------------------- */

enum sp_ring_back { SP_RING_REVERSE, SP_RING_HOME };

struct sp_ring_style {
    enum sp_ring_back back;
    bool fused;                         /* K and V (and dK, dV) in one message */
    int  buffers, chunks;               /* that take turns to receive; pieces of a KV block */
    enum sp_lane kv_lane, grad_lane;
};

/* The knobs of a ring, in the order in which they stand in a table, and what they say. */
enum { SP_RING_BWD, SP_RING_FUSED, SP_RING_BUFFERS, SP_RING_CHUNKS };
extern const char *const sp_ring_ways[];
struct sp_ring_style sp_ring_style_of(const int *knob, enum sp_lane kv, enum sp_lane grad);

struct sp_ring;
struct sp_ring *sp_ring_forward(struct sp_plan *p, const struct sp_site *s, int n,
                                struct sp_ring_style style);
void sp_ring_backward(struct sp_ring *g);
void sp_ring_free(struct sp_ring *g);

#endif
