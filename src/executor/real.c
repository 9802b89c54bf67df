/* real.c - a thread computes, this one polls the messages.
 *
 * MPI moves nothing on its own, so while a worker computes this thread asks for progress: all
 * the time if there is a processor to spare, else often enough to keep transfers going and
 * seldom enough to leave the processor to the kernels. It sleeps in between, and is woken when
 * a step is done. */
/* SPDX-License-Identifier: MIT */
#include "executor/real.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "executor/arithmetic.h"
#include "executor/worker.h"
#include "util/clock.h"
#include "util/memory.h"
#include "util/stop.h"

const char *const sp_mode_names[] = { "overlapped", "serialised", "compute", "communication", NULL };

static const double poll_every = 100e-6;        /* seconds between looks, on a shared core */

struct sp_real {
    struct sp_executor x;
    const struct sp_plan *p;
    struct sp_comm *c;
    const struct sp_kernels *k;
    struct sp_worker *worker;
    struct sp_loop *loop;
    bool spare;                                 /* a processor for this thread alone */
    enum sp_mode mode;
    void **data;
    char *memory, *scratch;
    size_t bytes, scratch_bytes;
    struct sp_wire *wire;                       /* of the group being issued */
    int *skipped, nskipped;                     /* steps that this mode leaves out */
    int *flying, nflying;                       /* moves posted, not yet finished */
    double quiet_since;
    struct sp_span *span;
};

static bool is_move(const struct sp_real *x, int step) { return x->p->step[step].twin >= 0; }

/* Packing belongs to communication. */
static bool left_out(const struct sp_real *x, int step)
{
    bool copy = x->p->step[step].op == SP_COPY;
    return (x->mode == SP_COMPUTE_ONLY && is_move(x, step))
           || (x->mode == SP_COMM_ONLY && !is_move(x, step) && !copy);
}

static void compute(void *ctx, int step)
{
    struct sp_real *x = ctx;
    sp_step_compute(x->p, step, x->data, x->k, x->scratch);
}

static void issue(struct sp_executor *e, const int *step, int n)
{
    struct sp_real *x = (struct sp_real *)e;
    int wires = 0;
    for (int i = 0; i < n; i++) {
        const struct sp_step *s = &x->p->step[step[i]];
        if (left_out(x, step[i])) {
            x->skipped[x->nskipped++] = step[i];
            sp_worker_skip(x->worker, step[i]);
        } else if (is_move(x, step[i])) {
            struct sp_block b = sp_step_blocks(x->p, step[i])[0];
            x->flying[x->nflying++] = step[i];
            x->wire[wires++] = (struct sp_wire){
                .data = sp_block_data(x->p, b, x->data), .bytes = sp_block_bytes(x->p, b),
                .peer = sp_step_peer(x->p, step[i]), .lane = s->lane, .step = step[i],
                .send = s->op == SP_SEND };
        } else {
            sp_worker_give(x->worker, step[i]);
        }
    }
    if (wires)
        x->c->transport->post(x->c, x->wire, wires);
}

/* A receive, if there is one: who sends knows no more than that it isn't asked for. */
static void lost(struct sp_real *x)
{
    char what[96];
    int step = x->flying[0];
    for (int i = 0; i < x->nflying; i++)
        if (x->p->step[x->flying[i]].op == SP_RECV)
            step = x->flying[i];
    snprintf(what, sizeof what, "in step %d (%s of '%s') for rank %d", step,
             sp_ops[x->p->step[step].op].name,
             x->p->buf[sp_step_blocks(x->p, step)[0].buf].name, sp_step_peer(x->p, step));
    x->c->transport->lost(x->c, sp_step_peer(x->p, step), what);
}

static void landed(struct sp_real *x, int step)
{
    int i = 0;
    while (x->flying[i] != step)
        i++;
    x->flying[i] = x->flying[--x->nflying];
}

static void idle(struct sp_real *x)
{
    bool computing = sp_worker_busy(x->worker);
    if (computing && !x->nflying)
        sp_worker_wait(x->worker, -1);
    else if (computing && !x->spare)
        sp_worker_wait(x->worker, poll_every);
    else if (!computing || !x->spare)
        sched_yield();
    double now = sp_now();
    if (computing)
        x->quiet_since = now;
    if (x->c->patience > 0 && now - x->quiet_since > x->c->patience)
        lost(x);
}

static int wait(struct sp_executor *e)
{
    struct sp_real *x = (struct sp_real *)e;
    x->quiet_since = sp_now();
    for (;;) {
        int step = x->nskipped ? x->skipped[--x->nskipped] : sp_worker_finished(x->worker);
        if (step >= 0)
            return step;
        if (x->nflying && (step = x->c->transport->finished(x->c)) >= 0) {
            landed(x, step);
            return step;
        }
        if (!x->nflying && !sp_worker_busy(x->worker))
            return -1;
        idle(x);
    }
}

static double now(struct sp_executor *e)
{
    (void)e;
    return sp_now();
}

/* The worker keeps order among its own steps. */
static bool ordered(struct sp_executor *e, int before, int after)
{
    struct sp_real *x = (struct sp_real *)e;
    return !x->x.alone && !is_move(x, before) && !is_move(x, after)
           && !left_out(x, before) && !left_out(x, after);
}

/* ---- memory ------------------------------------------------------------------------- */

enum { CACHE_LINE = 64 };

static size_t padded(size_t bytes) { return (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE; }

size_t sp_real_bytes(const struct sp_plan *p, int rank, const struct sp_kernels *k)
{
    return sp_rank_bytes(p, rank) + padded(sp_scratch_bytes(p, rank, k));
}

static void deal_memory(struct sp_real *x)
{
    int rank = x->c->rank;
    size_t at = 0;
    x->bytes = sp_rank_bytes(x->p, rank);
    x->scratch_bytes = padded(sp_scratch_bytes(x->p, rank, x->k));
    x->memory = sp_big_new(x->bytes);
    x->scratch = sp_big_new(x->scratch_bytes);
    x->data = sp_alloc((size_t)x->p->nbufs * sizeof *x->data);
    for (int i = 0; i < x->p->nbufs; i++)
        if (x->p->buf[i].rank == rank) {
            x->data[i] = x->memory + at;
            at += padded(sp_buf_bytes(x->p, i));
        }
}

static void deal_queues(struct sp_real *x)
{
    int steps = 0;
    for (int i = 0; i < x->p->nsteps; i++)
        steps += x->p->step[i].rank == x->c->rank;
    x->wire = sp_alloc((size_t)steps * sizeof *x->wire);
    x->skipped = sp_alloc((size_t)steps * sizeof *x->skipped);
    x->flying = sp_alloc((size_t)steps * sizeof *x->flying);
}

static bool processor_to_spare(const struct sp_comm *c, int threads)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set))
        return false;
    long all = sysconf(_SC_NPROCESSORS_ONLN), mine = CPU_COUNT(&set);
    return (mine < all / c->local ? mine : all / c->local) > threads;
}

struct sp_real *sp_real_new(const struct sp_plan *p, struct sp_comm *c, const struct sp_kernels *k,
                            int threads)
{
    struct sp_real *x = sp_alloc(sizeof *x);
    *x = (struct sp_real){
        .x = { .name = "real", .issue = issue, .wait = wait, .now = now, .ordered = ordered },
        .p = p, .c = c, .k = k, .spare = processor_to_spare(c, threads),
    };
    deal_memory(x);
    deal_queues(x);
    prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);    /* ns: sleeps of 50 us are meant so */
    x->loop = sp_loop_new(p, c->rank);
    x->worker = sp_worker_new(p, c->rank, threads, compute, x);
    return x;
}

void sp_real_free(struct sp_real *x)
{
    if (!x)
        return;
    sp_worker_free(x->worker);
    sp_loop_free(x->loop);
    sp_big_free(x->memory, x->bytes);
    sp_big_free(x->scratch, x->scratch_bytes);
    free(x->data);
    free(x->wire);
    free(x->skipped);
    free(x->flying);
    free(x);
}

void *const *sp_real_data(const struct sp_real *x) { return x->data; }

/* The loop saw a step when it was told of it; the worker knows when it ran. */
static void true_spans(struct sp_real *x, enum sp_pass pass, struct sp_span *span)
{
    for (int i = 0; i < x->p->nsteps; i++)
        if (x->p->step[i].rank == x->c->rank && sp_step_pass(x->p, i) == pass && !is_move(x, i)
            && !left_out(x, i))
            span[i] = sp_worker_span(x->worker, i);
}

void sp_real_run(struct sp_real *x, enum sp_pass pass, enum sp_mode mode, struct sp_span *span)
{
    x->mode = mode;
    x->x.plan_order = x->x.alone = mode == SP_SERIALISED;
    const char *why = sp_loop_run(x->loop, pass, &x->x, span);
    if (why)
        sp_stop(SP_EXIT_INTERNAL, "rank %d: %s", x->c->rank, why);
    if (span)
        true_spans(x, pass, span);
}
