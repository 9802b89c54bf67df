/* chaos.c - what is wrong only in some order shows here. Everything starts as NaN, a message
 * reads its source and writes its target at any time while both ends are in flight, and
 * which step goes next is drawn among all that may. */
/* SPDX-License-Identifier: MIT */
#include "executor/chaos.h"

#include <stdlib.h>
#include <string.h>

#include "executor/arithmetic.h"
#include "util/memory.h"

struct chaos {
    struct sp_executor x;
    const struct sp_plan *p;
    const struct sp_kernels *k;
    void **data, *scratch;
    unsigned long seed;
    int *flying, nflying;
    char *is_flying, *done;
    int other_end;                      /* of a move just made, to be reported next; -1 */
};

static unsigned long dice(struct chaos *c)
{
    c->seed += 0x9e3779b97f4a7c15ul;    /* splitmix64 */
    unsigned long z = c->seed;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ul;
    z = (z ^ z >> 27) * 0x94d049bb133111ebul;
    return z ^ z >> 31;
}

static void issue(struct sp_executor *x, const int *step, int n)
{
    struct chaos *c = (struct chaos *)x;
    for (int i = 0; i < n; i++) {
        c->flying[c->nflying++] = step[i];
        c->is_flying[step[i]] = 1;
        c->done[step[i]] = 0;           /* it may have run in an earlier repetition */
    }
}

/* May a step in flight go now? What it needs is done, and what its lane has before it. */
static bool may(const struct chaos *c, int step)
{
    const struct sp_step *s = &c->p->step[step];
    for (int i = 0; i < s->needs; i++)
        if (!c->done[c->p->need[s->need + i]])
            return false;
    for (int i = 0; i < c->nflying; i++) {
        const struct sp_step *t = &c->p->step[c->flying[i]];
        if (t->rank == s->rank && t->lane == s->lane && c->flying[i] < step
            && (s->group < 0 || t->group != s->group))
            return false;
    }
    return true;
}

static void finish(struct chaos *c, int step)
{
    int i = 0;
    while (c->flying[i] != step)
        i++;
    c->flying[i] = c->flying[--c->nflying];
    c->is_flying[step] = 0;
    c->done[step] = 1;
}

static void transfer(struct chaos *c, int a, int b)
{
    int send = c->p->step[a].op == SP_SEND ? a : b, recv = send == a ? b : a;
    struct sp_block from = sp_step_blocks(c->p, send)[0], to = sp_step_blocks(c->p, recv)[0];
    memcpy(sp_block_data(c->p, to, c->data), sp_block_data(c->p, from, c->data),
           sp_block_bytes(c->p, from));
}

static int wait(struct sp_executor *x)
{
    struct chaos *c = (struct chaos *)x;
    if (c->other_end >= 0) {
        int step = c->other_end;
        c->other_end = -1;
        return step;
    }
    int at = c->nflying ? (int)(dice(c) % (unsigned long)c->nflying) : 0;
    for (int i = 0; i < c->nflying; i++) {
        int step = c->flying[(at + i) % c->nflying], twin = c->p->step[step].twin;
        if (!may(c, step) || (twin >= 0 && (!c->is_flying[twin] || !may(c, twin))))
            continue;
        if (twin >= 0) {
            transfer(c, step, twin);
            finish(c, twin);
            c->other_end = twin;
        } else {
            sp_step_compute(c->p, step, c->data, c->k, c->scratch);
        }
        finish(c, step);
        return step;
    }
    return -1;
}

static double now(struct sp_executor *x)
{
    (void)x;
    return 0;
}

static bool ordered(struct sp_executor *x, int before, int after)
{
    (void)x;
    (void)before;
    (void)after;
    return true;
}

static void chaos_free(struct sp_executor *x)
{
    struct chaos *c = (struct chaos *)x;
    for (int i = 0; i < c->p->nbufs; i++)
        free(c->data[i]);
    free(c->data);
    free(c->scratch);
    free(c->flying);
    free(c->is_flying);
    free(c->done);
    free(c);
}

struct sp_executor *sp_chaos_new(const struct sp_plan *p, const struct sp_kernels *k,
                                 unsigned long seed, bool streams)
{
    struct chaos *c = sp_alloc(sizeof *c);
    size_t steps = (size_t)p->nsteps, scratch = sp_scratch_bytes(p, SP_ALL_RANKS, k);
    *c = (struct chaos){
        .x = { .name = "chaos", .plan_order = streams, .issue = issue, .wait = wait, .now = now,
               .ordered = streams ? ordered : NULL, .free = chaos_free },
        .p = p, .k = k, .seed = seed, .other_end = -1,
        .flying = sp_alloc(steps * sizeof *c->flying),
        .is_flying = sp_alloc(steps),
        .done = sp_alloc(steps),
        .data = sp_alloc((size_t)p->nbufs * sizeof *c->data),
        .scratch = scratch ? aligned_alloc(64, (scratch + 63) / 64 * 64) : NULL,
    };
    for (int i = 0; i < p->nbufs; i++) {
        c->data[i] = sp_alloc(sp_buf_bytes(p, i));
        memset(c->data[i], 0xff, sp_buf_bytes(p, i));       /* NaN in fp32 and in bf16 */
    }
    return &c->x;
}

void *const *sp_chaos_data(struct sp_executor *x) { return ((struct chaos *)x)->data; }
