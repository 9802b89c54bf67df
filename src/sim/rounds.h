/* rounds.h - the order in which NCCL carries out the messages of a group.
 *
 * NCCL (init.cc, the p2p schedule) pairs every rank with each other once: in a round it sends
 * to the rank that is some nodes and some local ranks further on, and receives from the one
 * as far back. Node distances come first, local ones within; both grow as 0, 1, 3, 6, 10, ...
 * modulo the next power of two, without those that are too large. Where nodes have unequal
 * numbers of ranks they count as one node. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_ROUNDS_H
#define SP_ROUNDS_H

struct sp_rounds;

/* node: of each rank, 0 <= node < nodes. */
struct sp_rounds *sp_rounds_new(const int *node, int ranks, int nodes);
void sp_rounds_free(struct sp_rounds *x);

/* The round in which `from` sends to `to`, and `to` receives from `from`. */
int sp_round(const struct sp_rounds *x, int from, int to);

#endif
