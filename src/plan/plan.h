/* plan.h - what a strategy wants done, as data.
 *
 * A strategy calls the building functions in the order in which a careful person would do
 * the work by hand, for all ranks at once. Nothing runs: each call appends steps. Which
 * step waits for which is derived from the blocks that each reads and writes, so how far
 * transfers run ahead of the arithmetic is decided by how many buffers there are.
 *
 *     lane COMPUTE   attn 0 . . . | attn 1 . . . | attn 2        a lane does its steps in
 *     lane COMM      move 0 | move 1 ...         | move 2        plan order, a group of
 *                                                                moves at a time          */
/* SPDX-License-Identifier: MIT */
#ifndef SP_PLAN_H
#define SP_PLAN_H

#include <stdio.h>

#include "plan/layout.h"
#include "plan/position.h"
#include "plan/problem.h"
#include "plan/region.h"

enum sp_op {
/*  op             blocks                                meaning                           */
    SP_ATTN,    /* o lse  q k v                          o, lse := attention of q over k v */
    SP_GRAD,    /* dq dk dv  q k v do lse delta          its gradients, given do           */
    SP_DELTA,   /* delta  o do                           delta := rowsum(do * o)           */
    SP_MERGE,   /* o lse  part part_lse                  o := both, joined by their lse    */
    SP_ADD,     /* x  y                                  x := x + y                        */
    SP_COPY,    /* x  y                                  x := y; packs and converts        */
    SP_SEND,    /*    x                                  to the rank of its twin           */
    SP_RECV,    /* x                                     from the rank of its twin         */
    SP_NOPS
};

enum sp_kind { SP_Q, SP_K, SP_V, SP_O, SP_LSE, SP_DO, SP_DELTAS, SP_DQ, SP_DK, SP_DV, SP_NKINDS };
enum sp_role { SP_SCRATCH, SP_INPUT, SP_OUTPUT };
enum sp_lane { SP_COMPUTE, SP_COMM, SP_COMM2, SP_NLANES };     /* a CUDA stream each */
enum { SP_MAX_BLOCKS = 9, SP_MAX_PLANES = 4 };

extern const struct sp_opinfo {
    const char *name;
    int nblocks;
    unsigned writes, reads;             /* bit i speaks of the op's i-th block */
    signed char kind[SP_MAX_BLOCKS];    /* what the i-th block must be; -1: any, all alike */
} sp_ops[SP_NOPS];

extern const char *const sp_kind_names[SP_NKINDS];
extern const char *const sp_lane_names[SP_NLANES];

/* A tensor of one rank: planes x rows x batch x heads x dim (dim 1 for lse and delta, which
 * are always fp32). Planes that are moved together are one message. */
struct sp_buf {
    const char  *name;                  /* static */
    enum sp_kind kind[SP_MAX_PLANES];
    enum sp_role role;
    enum sp_dtype dtype;
    int rank, planes, rows, heads;
};

struct sp_step {                        /* kept small: rings have ranks^2 of them */
    unsigned char op, lane;
    short needs;                        /* how many steps it waits for ... */
    int   need;                         /* ... the first of them, in sp_plan.need */
    int   rank;
    int   twin;                         /* SEND, RECV: the step at the other end; else -1 */
    int   group;                        /* steps of one group start together; -1: alone */
    int   block;                        /* the first of its blocks, in sp_plan.block */
    int   qpos, kpos;                   /* ATTN, GRAD: places of the q and k rows; else -1 */
};

struct sp_held { struct sp_block b; int list, head; };

/* Part `part` of `parts` equal ones of shard `shard` of the `shards` that the layout cuts the
 * sequence in. */
struct sp_share { int shard, shards, part, parts; };

struct sp_plan {
    struct sp_problem pb;
    struct sp_buf    *buf;    int nbufs;
    struct sp_step   *step;   int nsteps;
    struct sp_block  *block;  int nblocks;
    int              *need;   int nneeds;
    struct sp_held   *held;   int nheld;    /* where each input sits in the sequence */
    struct sp_share  *share;                /* of each rank, of the tokens, in and out ... */
    int              *home;                 /* ... and the list of their places */
    int               backward_at;          /* steps from here on are of the backward pass */
    int               group;                /* of the next moves */
    struct sp_places  places;
    struct sp_region *region;               /* what each buffer holds at the end */
    char              why[240];             /* the first thing that made no sense; "" */
};

/* Whoever calls new calls free. */
struct sp_plan *sp_plan_new(const struct sp_problem *pb);
void sp_plan_free(struct sp_plan *p);

/* ---- building, for strategies ---------------------------------------------------
 * What makes no sense (sizes that differ, places that don't belong together, a block never
 * written) is noted in p->why; the plan is refused later and building goes on. */

int  sp_buf_new(struct sp_plan *p, int rank, const struct sp_buf *shape);

/* The tokens that rank starts and ends with: p->home[rank]. */
void sp_home(struct sp_plan *p, int rank, struct sp_share share);

/* An input block holds rows of these places, model heads from `head` on. */
void sp_hold(struct sp_plan *p, struct sp_block b, struct sp_where at, int head);

struct sp_grad_blocks { struct sp_block dq, dk, dv, q, k, v, dout, lse, delta; };

void sp_attn (struct sp_plan *p, struct sp_block o, struct sp_block lse, struct sp_block q,
              struct sp_block k, struct sp_block v);
void sp_grad (struct sp_plan *p, struct sp_grad_blocks g);
void sp_delta(struct sp_plan *p, struct sp_block delta, struct sp_block o, struct sp_block dout);
void sp_merge(struct sp_plan *p, struct sp_block o, struct sp_block lse, struct sp_block part,
              struct sp_block part_lse);
void sp_add  (struct sp_plan *p, struct sp_block x, struct sp_block y);
void sp_copy (struct sp_plan *p, enum sp_lane lane, struct sp_block to, struct sp_block from);

/* One message, from the rank of `from` to the rank of `to`; if that is the same rank, a COPY
 * that starts with the messages of its group. Moved blocks are contiguous: all heads, and
 * all rows if more than one plane. */
void sp_move (struct sp_plan *p, enum sp_lane lane, struct sp_block to, struct sp_block from);

/* Later moves form a new group. What a group's moves wait for comes before all of them. */
void sp_group(struct sp_plan *p);

/* Later steps are of the backward pass. */
void sp_backward(struct sp_plan *p);

/* Whether a query of q may see a key of k: steps that would do nothing are left out. */
bool sp_block_sees(struct sp_plan *p, struct sp_block q, struct sp_block k);

/* Blocks of a buffer, and parts of a block (relative to it). */
struct sp_block sp_whole (const struct sp_plan *p, int buf);
struct sp_block sp_planes(struct sp_block b, int plane, int planes);
struct sp_block sp_rows  (struct sp_block b, int row, int rows);
struct sp_block sp_heads (struct sp_block b, int head, int heads);

/* ---- reading, for everyone else; none of it needs MPI, CUDA or a topology --------- */

/* NULL: every order that the plan allows ends with the right answer. Else what is wrong;
 * the text is static. See check.c. */
const char *sp_check(const struct sp_plan *p);

enum sp_pass { SP_FORWARD, SP_BACKWARD, SP_NPASSES };

static inline enum sp_pass sp_step_pass(const struct sp_plan *p, int step)
{
    return step >= p->backward_at ? SP_BACKWARD : SP_FORWARD;
}

static inline const struct sp_block *sp_step_blocks(const struct sp_plan *p, int step)
{
    return p->block + p->step[step].block;
}

/* The rank at the other end of a SEND or RECV. */
static inline int sp_step_peer(const struct sp_plan *p, int step)
{
    return p->step[p->step[step].twin].rank;
}

/* Elements of a row of one head: dim, or one number for lse and delta. */
int sp_kind_dim(const struct sp_plan *p, enum sp_kind kind);

size_t sp_block_bytes(const struct sp_plan *p, struct sp_block b);
size_t sp_buf_bytes(const struct sp_plan *p, int buf);
double sp_step_pairs(const struct sp_plan *p, int step);    /* unmasked, of a head and batch */
double sp_step_flops(const struct sp_plan *p, int step);    /* of unmasked pairs only */

/* Memory of a rank: its buffers, each padded to a cache line. */
size_t sp_rank_bytes(const struct sp_plan *p, int rank);
size_t sp_most_bytes(const struct sp_plan *p);              /* of the rank that has most */

/* What a rank sends and computes in a pass. */
struct sp_count {
    size_t bytes[SP_NLANES];
    long   messages[SP_NLANES];
    double flops;
};
struct sp_count sp_rank_count(const struct sp_plan *p, int rank, enum sp_pass pass);

/* The same of every rank, in one walk: ranks x passes, rank by rank. free() it. */
struct sp_count *sp_plan_counts(const struct sp_plan *p);
size_t sp_count_bytes(const struct sp_count *c);            /* over all lanes */
long   sp_count_messages(const struct sp_count *c);

/* Pictures of it. Text shows the steps of one rank, or of all if rank < 0. */
void sp_show_text(const struct sp_plan *p, int rank, FILE *out);
void sp_show_dot (const struct sp_plan *p, FILE *out);
void sp_show_goal(const struct sp_plan *p, double flops_per_ns, FILE *out);

#endif
