/* sim.c - steps as flows. Computations use no links; a message starts when both of its ends
 * have been issued, as MPI's large ones and NCCL's do, and ends for both at once.
 *
 * GPUs: lanes are streams that compute side by side. A group of messages is one kernel: it
 * holds slots from its start until its last message is through, and is done as a whole. The
 * loop issues a step when what it needs is done, which is when streams that wait for each
 * other's events would begin it. Messages of a group start in NCCL's order (rounds.h), so
 * many at a time as the path allows.
 *
 * CPUs: as executor/real.c has it. One worker computes, what is of the communication lanes
 * first; messages are done one by one, and noticed late by a host that computes. */
/* SPDX-License-Identifier: MIT */
#include "sim/sim.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "sim/state.h"
#include "util/memory.h"

/* As in executor/real.c: packing belongs to communication. */
bool sp_sim_left_out(const struct sp_sim *x, int step)
{
    bool copy = x->p->step[step].op == SP_COPY;
    return (x->o.mode == SP_SIM_COMPUTE && sp_sim_move(x, step))
           || (x->o.mode == SP_SIM_COMM && !sp_sim_move(x, step) && !copy);
}

void sp_sim_touch(struct sp_sim *x, int rank)
{
    if (!x->rank[rank].dirty)
        x->dirty[x->ndirty++] = rank;
    x->rank[rank].dirty = true;
}

/* ---- steps that are through ------------------------------------------------------------ */

static void tell(struct sp_sim *x, int step) { x->done[x->ndone++] = step; }

static void batch_done(struct sp_sim *x, struct sp_track *a)
{
    int rank = x->p->step[a->b.step[0]].rank;
    if (a->b.moves) {
        x->rank[rank].held--;
        a->latency += a->b.latency;
        a->groups++;
        sp_sim_touch(x, rank);
    }
    for (int i = 0; i < a->b.n && x->o.streams; i++)
        tell(x, a->b.step[i]);
}

void sp_sim_finish(struct sp_sim *x, int step)
{
    struct sp_track *a = sp_sim_lane(x, step);
    if (!x->o.streams)
        tell(x, step);
    if (--a->b.left == 0)
        batch_done(x, a);
}

/* ---- computing ------------------------------------------------------------------------------- */

static double even(uint64_t *seed)      /* splitmix64; in (0, 1] */
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (double)(((z ^ z >> 31) >> 11) + 1) / 9007199254740992.0;
}

/* A log-normal factor that depends on the seed and the step only (Box and Muller). */
static double luck(const struct sp_sim *x, int step)
{
    if (!(x->o.jitter > 0))
        return 1;
    uint64_t seed = (x->o.seed * 0xd1342543de82ef95u) ^ ((uint64_t)step << 20);
    double a = even(&seed), b = even(&seed);
    return exp(x->o.jitter * sqrt(-2 * log(a)) * cos(2 * M_PI * b));
}

/* The next computation that a lane has been given, or SP_NONE. */
static int upcoming(const struct sp_sim *x, struct sp_batch *b)
{
    while (b->begun < b->n
           && (sp_sim_move(x, b->step[b->begun]) || sp_sim_left_out(x, b->step[b->begun])))
        b->begun++;
    return b->begun < b->n ? b->step[b->begun] : SP_NONE;
}

static bool pick_of(struct sp_sim *x, struct sp_track *a)
{
    int step = a->running == SP_NONE ? upcoming(x, &a->b) : SP_NONE;
    if (step == SP_NONE)
        return false;
    a->b.begun++;
    a->running = step;
    a->fresh = true;
    a->amount = x->s->work[step] * luck(x, step);
    return true;
}

/* Of the processors that they want, what ranks of a host get. */
static double part(const struct sp_sim *x, int host)
{
    double have = x->s->processors[host], want = (double)x->active[host] * x->s->profile->slots;
    return have > 0 && want > have ? have / want : 1;
}

/* Streams compute side by side; the one worker of a CPU takes the last lane's first. */
static void pick(struct sp_sim *x, int rank)
{
    struct sp_runner *r = &x->rank[rank];
    bool busy = false;
    for (int i = 0; i < SP_NLANES; i++)
        busy |= r->lane[i].running != SP_NONE;
    for (int i = SP_NLANES - 1; i >= 0 && (x->o.streams || !busy); i--)
        busy |= pick_of(x, &r->lane[i]);
    if (busy == r->computing)
        return;
    int host = x->s->host[rank], weight = x->s->weight ? x->s->weight[rank] : 1;
    double before = part(x, host);
    x->active[host] += busy ? weight : -weight;
    r->computing = busy;
    for (int i = 0; part(x, host) != before && i < x->p->pb.ranks; i++)
        if (x->s->host[i] == host && x->rank[i].computing)
            sp_sim_touch(x, i);
}

/* How fast a rank carries out a step. */
static double speed(const struct sp_sim *x, int rank, int step)
{
    const struct sp_runner *r = &x->rank[rank];
    const struct sp_profile *f = x->s->profile;
    double v = x->s->speed[rank] * part(x, x->s->host[rank]);
    if (r->flying)
        v /= 1 + f->interference.compute;
    if (r->held && x->s->squeezed && x->o.streams)
        v *= (double)x->s->squeezed[step];
    return v;
}

static void begin(struct sp_sim *x, int flow)
{
    struct sp_track *a = &x->rank[flow / SP_NLANES].lane[flow % SP_NLANES];
    double late = sp_sim_unissued(x, a->running);
    a->fresh = false;
    a->since = sp_net_now(x->net) + late;
    if (x->o.span)
        x->o.span[a->running].start = a->since;
    sp_net_start(x->net, flow, SP_NONE, late, a->amount, a->cap);
}

static void set_rates(struct sp_sim *x, int rank)
{
    struct sp_runner *r = &x->rank[rank];
    r->dirty = false;
    for (int i = 0; i < SP_NLANES; i++) {
        struct sp_track *a = &r->lane[i];
        if (a->running == SP_NONE)
            continue;
        double cap = speed(x, rank, a->running);
        bool same = cap == a->cap;
        a->cap = cap;
        if (a->fresh)
            begin(x, rank * SP_NLANES + i);
        else if (!same)
            sp_net_cap(x->net, rank * SP_NLANES + i, cap);
    }
    if (r->computing != r->computed)
        sp_messages_rates(x, rank);
    r->computed = r->computing;
}

/* Start what can start, before time goes on; only then are all rates known. */
static void settle(struct sp_sim *x)
{
    for (int i = 0; i < x->ndirty; i++)
        pick(x, x->dirty[i]);
    sp_messages_start(x);
    for (int i = 0; i < x->ndirty; i++)
        set_rates(x, x->dirty[i]);
    x->ndirty = 0;
}

static void computed(struct sp_sim *x, int flow)
{
    int rank = flow / SP_NLANES;
    struct sp_runner *r = &x->rank[rank];
    struct sp_track *a = &r->lane[flow % SP_NLANES];
    int step = a->running;
    r->slowed += sp_net_now(x->net) - a->since - a->amount / x->s->speed[rank];
    a->running = SP_NONE;
    sp_sim_touch(x, rank);
    sp_sim_finish(x, step);
}

/* ---- the executor ---------------------------------------------------------------------------- */

static void issue(struct sp_executor *e, const int *step, int n)
{
    struct sp_sim *x = (struct sp_sim *)e;
    struct sp_track *a = sp_sim_lane(x, step[0]);
    int rank = x->p->step[step[0]].rank;
    x->pass = sp_step_pass(x->p, step[0]);
    a->b = (struct sp_batch){ .step = step, .n = n, .left = n };
    for (int i = 0; i < n; i++)
        a->b.moves += sp_sim_move(x, step[i]) && !sp_sim_left_out(x, step[i]);
    sp_sim_touch(x, rank);
    if (a->b.moves) {
        x->rank[rank].held++;
        sp_messages_post(x, &a->b);
    }
    for (int i = 0; i < n; i++)
        if (sp_sim_left_out(x, step[i]))
            sp_sim_finish(x, step[i]);
}

/* All that ends at one moment is told before anything is made of it. */
static int wait(struct sp_executor *e)
{
    struct sp_sim *x = (struct sp_sim *)e;
    while (x->told == x->ndone) {
        x->told = x->ndone = 0;
        settle(x);
        do {
            int flow = sp_net_wait(x->net);
            if (flow < 0)
                return -1;
            if (flow < sp_sim_first_message(x))
                computed(x, flow);
            else
                sp_message_through(x, flow);
        } while (sp_net_more(x->net));
    }
    return x->done[x->told++];
}

static double now(struct sp_executor *e) { return sp_net_now(((struct sp_sim *)e)->net); }

static void sim_free(struct sp_executor *e) { sp_sim_free((struct sp_sim *)e); }

static void clear(struct sp_sim *x)
{
    for (int r = 0; r < x->p->pb.ranks; r++) {
        x->rank[r].first = SP_NONE;
        for (int i = 0; i < SP_NLANES; i++)
            x->rank[r].lane[i].running = SP_NONE;
        x->hosts = x->s->host[r] >= x->hosts ? x->s->host[r] + 1 : x->hosts;
    }
    x->active = sp_alloc((size_t)x->hosts * sizeof *x->active);
    for (int w = 0; w < x->s->nways; w++) {
        const struct sp_way *way = &x->s->ways[w];
        x->path[w] = way->nhops ? sp_net_path(x->net, x->s->hop + way->hop, way->nhops) : SP_NONE;
    }
}

struct sp_sim *sp_sim_new(const struct sp_scene *s, const struct sp_sim_options *o)
{
    struct sp_sim *x = sp_alloc(sizeof *x);
    size_t steps = (size_t)s->plan->nsteps, ranks = (size_t)s->plan->pb.ranks;
    bool alone = o->mode == SP_SIM_SERIALISED;
    *x = (struct sp_sim){
        .x = { .name = "simulator", .plan_order = alone, .alone = alone, .issue = issue,
               .wait = wait, .now = now, .free = sim_free },
        .s = s, .p = s->plan, .o = *o,
        .net = sp_net_new(s->rate, s->nlinks, o->eps),
        .path = sp_alloc((size_t)s->nways * sizeof *x->path),
        .rank = sp_alloc(ranks * sizeof *x->rank),
        .dirty = sp_alloc(ranks * sizeof *x->dirty),
        .state = sp_alloc(steps),
        .turn = sp_alloc(steps * sizeof *x->turn),
        .next = sp_alloc(steps * sizeof *x->next),
        .prev = sp_alloc(steps * sizeof *x->prev),
        .done = sp_alloc(steps * sizeof *x->done),
        .ready = sp_alloc((steps / 2 + 1) * sizeof *x->ready),
    };
    clear(x);
    x->issued = sp_sim_issue_times(x);
    return x;
}

void sp_sim_free(struct sp_sim *x)
{
    if (!x)
        return;
    sp_net_free(x->net);
    free(x->path);
    free(x->rank);
    free(x->active);
    free(x->dirty);
    free(x->state);
    free(x->turn);
    free(x->next);
    free(x->prev);
    free(x->done);
    free(x->ready);
    free(x->issued);
    free(x->ticket);
    free(x->carried);
    free(x->unused);
    free(x);
}

struct sp_executor *sp_sim_executor(struct sp_sim *x) { return &x->x; }

double sp_sim_crossed(const struct sp_sim *x, int link) { return sp_net_crossed(x->net, link); }

struct sp_sim_tale sp_sim_tale(const struct sp_sim *x)
{
    struct sp_sim_tale tale = { 0 };
    for (int i = 0; x->issued && i < x->p->nsteps; i++)
        tale.issued = fmax(tale.issued, sp_step_pass(x->p, i) == x->pass ? x->issued[i] : 0);
    for (int r = 0; r < x->p->pb.ranks; r++) {
        tale.slowed = fmax(tale.slowed, x->rank[r].slowed);
        for (int i = 0; i < SP_NLANES; i++)
            if (x->rank[r].lane[i].latency > tale.latency) {
                tale.latency = x->rank[r].lane[i].latency;
                tale.groups = x->rank[r].lane[i].groups;
            }
    }
    return tale;
}
