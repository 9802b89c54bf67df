/* worker.c - a thread, a queue a lane, and a lock. Steps take microseconds to seconds, so the
 * lock costs nothing that shows. */
/* SPDX-License-Identifier: MIT */
#include "executor/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "util/clock.h"
#include "util/memory.h"
#include "util/stop.h"

struct queue { int *step, first, last; };       /* a ring of the plan's size can't overflow */

struct sp_worker {
    const struct sp_plan *p;
    void (*run)(void *ctx, int step);
    void *ctx;
    int threads, size;
    struct queue lane[SP_NLANES], out;
    char *ran;                                  /* by step: done since it was last given */
    int given, told;
    bool stop;
    struct sp_span *span;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work, news;
};

static void push(struct sp_worker *w, struct queue *q, int step)
{
    q->step[q->last] = step;
    q->last = (q->last + 1) % w->size;
}

static int pop(struct sp_worker *w, struct queue *q)
{
    int step = q->step[q->first];
    q->first = (q->first + 1) % w->size;
    return step;
}

/* Needs that are moves were done before the step was given. */
static bool may_run(const struct sp_worker *w, int step)
{
    const struct sp_step *s = &w->p->step[step];
    for (int i = 0; i < s->needs; i++) {
        int on = w->p->need[s->need + i];
        if (w->p->step[on].twin < 0 && !w->ran[on])
            return false;
    }
    return true;
}

static int next(struct sp_worker *w)
{
    for (int i = SP_NLANES - 1; i >= 0; i--) {
        struct queue *q = &w->lane[i];
        if (q->first != q->last && may_run(w, q->step[q->first]))
            return pop(w, q);
    }
    return -1;
}

static void *work(void *arg)
{
    struct sp_worker *w = arg;
#ifdef _OPENMP
    omp_set_num_threads(w->threads);
#endif
    pthread_mutex_lock(&w->lock);
    while (!w->stop) {
        int step = next(w);
        if (step < 0) {
            pthread_cond_wait(&w->work, &w->lock);
            continue;
        }
        pthread_mutex_unlock(&w->lock);
        w->span[step].start = sp_now();
        w->run(w->ctx, step);
        w->span[step].end = sp_now();
        pthread_mutex_lock(&w->lock);
        w->ran[step] = 1;
        push(w, &w->out, step);
        pthread_cond_signal(&w->news);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

struct sp_worker *sp_worker_new(const struct sp_plan *p, int rank, int threads,
                                void (*run)(void *ctx, int step), void *ctx)
{
    struct sp_worker *w = sp_alloc(sizeof *w);
    pthread_condattr_t clock;
    *w = (struct sp_worker){ .p = p, .run = run, .ctx = ctx, .threads = threads, .size = 1 };
    for (int i = 0; i < p->nsteps; i++)
        w->size += p->step[i].rank == rank;
    for (int i = 0; i < SP_NLANES; i++)
        w->lane[i].step = sp_alloc((size_t)w->size * sizeof(int));
    w->out.step = sp_alloc((size_t)w->size * sizeof(int));
    w->ran = sp_alloc((size_t)p->nsteps);
    w->span = sp_alloc((size_t)p->nsteps * sizeof *w->span);
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&w->news, &clock);
    pthread_cond_init(&w->work, &clock);
    pthread_condattr_destroy(&clock);
    int error = pthread_create(&w->thread, NULL, work, w);
    if (error)
        sp_stop(SP_EXIT_ENVIRONMENT, "can't start a thread to compute: %s", strerror(error));
    return w;
}

void sp_worker_free(struct sp_worker *w)
{
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->work);
    pthread_cond_destroy(&w->news);
    pthread_mutex_destroy(&w->lock);
    for (int i = 0; i < SP_NLANES; i++)
        free(w->lane[i].step);
    free(w->out.step);
    free(w->ran);
    free(w->span);
    free(w);
}

void sp_worker_give(struct sp_worker *w, int step)
{
    pthread_mutex_lock(&w->lock);
    w->ran[step] = 0;
    push(w, &w->lane[w->p->step[step].lane], step);
    w->given++;
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->lock);
}

void sp_worker_skip(struct sp_worker *w, int step)
{
    pthread_mutex_lock(&w->lock);
    w->ran[step] = 1;
    pthread_mutex_unlock(&w->lock);
}

int sp_worker_finished(struct sp_worker *w)
{
    int step = -1;
    pthread_mutex_lock(&w->lock);
    if (w->out.first != w->out.last) {
        step = pop(w, &w->out);
        w->told++;
    }
    pthread_mutex_unlock(&w->lock);
    return step;
}

bool sp_worker_busy(struct sp_worker *w) { return w->given != w->told; }

void sp_worker_wait(struct sp_worker *w, double seconds)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    long ns = t.tv_nsec + (long)(seconds * 1e9);
    t.tv_sec += ns / 1000000000;
    t.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&w->lock);
    int error = 0;
    while (w->out.first == w->out.last && error != ETIMEDOUT)
        error = seconds < 0 ? pthread_cond_wait(&w->news, &w->lock)
                            : pthread_cond_timedwait(&w->news, &w->lock, &t);
    pthread_mutex_unlock(&w->lock);
}

struct sp_span sp_worker_span(const struct sp_worker *w, int step) { return w->span[step]; }
