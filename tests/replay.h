/* replay.h - a plan built once more from its own steps, with one thing changed, so that what
 * order and positions follow from the change is derived anew. */
/* SPDX-License-Identifier: MIT */
#ifndef REPLAY_H
#define REPLAY_H

#include "plan/plan.h"

enum edit_kind {
    EDIT_NONE,
    EDIT_DROP,                  /* step is left out; a move with both ends */
    EDIT_REDIRECT,              /* its block number `block` becomes `to` */
    EDIT_SWAP,                  /* step and `with` change places */
    EDIT_LATE,                  /* step comes after `with`, a later one */
    EDIT_LANE,                  /* step, a copy or a move, goes to lane `with` */
    EDIT_JOIN,                  /* the group of step becomes part of group `with` */
    EDIT_ONE_BUFFER,            /* all that goes to buffer `buf` goes to to.buf */
};

struct edit { enum edit_kind kind; int step, block, with, buf; struct sp_block to; };

/* Whoever calls frees it. Its why may be set, as the builder finds. */
struct sp_plan *replay(const struct sp_plan *p, struct edit e);

/* The step after `step` that its rank does, ends of the same move left out; -1: none. */
int replay_next(const struct sp_plan *p, int step);

#endif
