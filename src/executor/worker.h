/* worker.h - the thread that computes while another polls for messages: one queue a lane, and
 * steps of several lanes wait for each other as streams do by events. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_WORKER_H
#define SP_WORKER_H

#include "executor/executor.h"

struct sp_worker;

/* Calls run(ctx, step) for steps of one rank, with `threads` OpenMP threads. */
struct sp_worker *sp_worker_new(const struct sp_plan *p, int rank, int threads,
                                void (*run)(void *ctx, int step), void *ctx);
void sp_worker_free(struct sp_worker *w);

/* A step whose needs are done, or have been given. Steps of a lane are done in the order
 * given; of several lanes that could go on, transfers' (packing) come first. */
void sp_worker_give(struct sp_worker *w, int step);

/* A step that is left out: those that need it don't wait. */
void sp_worker_skip(struct sp_worker *w, int step);

int  sp_worker_finished(struct sp_worker *w);       /* a step; -1: none now */
bool sp_worker_busy(struct sp_worker *w);           /* has steps that are not finished */

/* Wait until a step is finished, at most so long; for ever if seconds < 0. */
void sp_worker_wait(struct sp_worker *w, double seconds);

/* When the step began and ended, by sp_now. */
struct sp_span sp_worker_span(const struct sp_worker *w, int step);

#endif
