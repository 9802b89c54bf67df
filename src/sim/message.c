/* message.c - messages: who may start when, how fast, and when their ends hear of it.
 *
 *      issued -> its turn in its group -> both ends ready -> flying -> through -> noticed  */
/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "sim/state.h"
#include "util/memory.h"

enum state { IDLE, QUEUED, READY, HELD, LET_GO, FLYING, NOTICED };

static int send_of(const struct sp_sim *x, int step)
{
    return x->p->step[step].op == SP_SEND ? step : x->p->step[step].twin;
}

static int end_of(const struct sp_sim *x, int step) { return x->p->step[step].op == SP_RECV; }

static const struct sp_way *way_of(const struct sp_sim *x, int step)
{
    return &x->s->ways[x->s->way[send_of(x, step)]];
}

/* How many of a group's messages of this class may be in flight; 0: all. */
static int most(const struct sp_sim *x, enum sp_path_class class)
{
    return x->o.streams && x->s->round ? x->s->profile->path[class].concurrent : 0;
}

/* ---- turns --------------------------------------------------------------------------------- */

static void admit(struct sp_sim *x, int step)
{
    x->state[step] = READY;
    if (x->state[x->p->step[step].twin] == READY)
        x->ready[x->nready++] = send_of(x, step);
}

static int by_key(const void *a, const void *b)
{
    const struct sp_ticket *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->step > y->step) - (x->step < y->step);
}

/* The messages of a group in NCCL's order: by round, and what goes to the same rank again in
 * another sweep through all rounds. */
static void deal_tickets(struct sp_sim *x, const struct sp_batch *b)
{
    static const long sweep = 1L << 32;
    x->ntickets = 0;
    for (int i = 0; i < b->n; i++)
        if (x->state[b->step[i]] == QUEUED) {
            x->ticket = sp_grow(x->ticket, x->ntickets, sizeof *x->ticket);
            x->ticket[x->ntickets++] = (struct sp_ticket){
                x->s->round ? x->s->round[b->step[i]] : 0, b->step[i] };
        }
    if (!x->s->round || x->ntickets < 3)
        return;
    size_t n = (size_t)x->ntickets;
    qsort(x->ticket, n, sizeof *x->ticket, by_key);
    int seen[SP_ENDS] = { 0, 0 };
    long round = -1, again = 0;
    for (int i = 0; i < x->ntickets; i++) {
        struct sp_ticket *t = &x->ticket[i];
        if (t->key != round)
            seen[0] = seen[1] = 0;
        round = t->key;
        int sweeps = seen[end_of(x, t->step)]++;
        t->key += sweeps * sweep;
        again |= sweeps;
    }
    if (again)
        qsort(x->ticket, n, sizeof *x->ticket, by_key);
}

void sp_messages_post(struct sp_sim *x, struct sp_batch *b)
{
    int turn[SP_ENDS] = { 0, 0 }, count[SP_ENDS][SP_NPATH_CLASSES] = { { 0 } };
    int *tail[SP_ENDS][SP_NPATH_CLASSES];
    for (int e = 0; e < SP_ENDS; e++)
        for (int c = 0; c < SP_NPATH_CLASSES; c++) {
            b->queue[e][c] = SP_NONE;
            tail[e][c] = &b->queue[e][c];
        }
    for (int i = 0; i < b->n; i++)
        if (sp_sim_move(x, b->step[i]))
            x->state[b->step[i]] = QUEUED;
    deal_tickets(x, b);
    for (int i = 0; i < x->ntickets; i++) {
        int step = x->ticket[i].step, e = end_of(x, step);
        enum sp_path_class c = way_of(x, step)->class;
        x->turn[step] = turn[e]++;
        if (!most(x, c) || count[e][c]++ < most(x, c)) {
            admit(x, step);
            continue;
        }
        x->turn[step] = SP_NONE;
        x->next[step] = SP_NONE;
        *tail[e][c] = step;
        tail[e][c] = &x->next[step];
    }
}

/* One of a group is through: its place goes to the next. */
static void make_room(struct sp_sim *x, int step)
{
    int *queue = &sp_sim_lane(x, step)->b.queue[end_of(x, step)][way_of(x, step)->class];
    int next = *queue;
    if (next == SP_NONE)
        return;
    *queue = x->next[next];
    admit(x, next);
}

/* A number for a flow of a step. */
static int flow_of(struct sp_sim *x, int step)
{
    if (!x->nunused) {
        x->carried = sp_grow(x->carried, x->ncarried, sizeof *x->carried);
        x->unused = sp_grow(x->unused, x->ncarried, sizeof *x->unused);
        x->unused[x->nunused++] = x->ncarried++;
    }
    int flow = x->unused[--x->nunused];
    x->carried[flow] = step;
    return sp_sim_first_message(x) + flow;
}

static int number(struct sp_sim *x, int step) { return x->turn[step] = flow_of(x, step); }

/* ---- in flight ------------------------------------------------------------------------------- */

/* To the list of its rank, of what is in flight or not yet noticed. */
static void list(struct sp_sim *x, int step)
{
    struct sp_runner *r = sp_sim_rank(x, step);
    x->next[step] = r->first;
    x->prev[step] = SP_NONE;
    if (r->first != SP_NONE)
        x->prev[r->first] = step;
    r->first = step;
}

static void unlist(struct sp_sim *x, int step)
{
    struct sp_runner *r = sp_sim_rank(x, step);
    int next = x->next[step], prev = x->prev[step];
    if (prev == SP_NONE)
        r->first = next;
    else
        x->next[prev] = next;
    if (next != SP_NONE)
        x->prev[next] = prev;
}

/* What messages and kernels do to each other was measured on ways that the profile knows; what
 * memory that ranks share shows says nothing of a network. */
static bool interferes(const struct sp_sim *x, int step)
{
    return x->s->profile->path[way_of(x, step)->class].known;
}

static void join(struct sp_sim *x, int step)
{
    list(x, step);
    sp_sim_rank(x, step)->flying += interferes(x, step);
    x->state[step] = FLYING;
    sp_sim_touch(x, x->p->step[step].rank);
}

static void leave(struct sp_sim *x, int step)
{
    unlist(x, step);
    sp_sim_rank(x, step)->flying -= interferes(x, step);
    sp_sim_touch(x, x->p->step[step].rank);
}

static double rate(const struct sp_sim *x, int send)
{
    const struct sp_way *w = way_of(x, send);
    const struct sp_path_fit *f = &x->s->profile->path[w->class];
    double most = f->known && f->rate > 0 ? fmin(f->rate, w->cap) : w->cap;
    if (f->known)
        most *= sp_curve_at(&f->efficiency, x->s->bytes[send], NULL);
    bool computing = sp_sim_rank(x, send)->computing
                     || sp_sim_rank(x, x->p->step[send].twin)->computing;
    return computing && f->known ? most / (1 + x->s->profile->interference.comm) : most;
}

/* Once for a group, and a little again for each message; who waited for its turn finds the
 * group at work. What was measured includes the wire; wires can be longer than it had. */
static double latency(const struct sp_sim *x, int send)
{
    const struct sp_way *w = way_of(x, send);
    const struct sp_path_fit *f = &x->s->profile->path[w->class];
    int a = x->turn[send], b = x->turn[x->p->step[send].twin];
    if (a == SP_NONE || b == SP_NONE)
        return fmax(f->each, w->latency);
    return fmax(f->latency, w->latency) + f->each * (a > b ? a : b);
}

/* Until the kernels that a rank runs have slots to spare. What starts now counts: kernels are
 * dealt slots before messages. */
static double queued(const struct sp_sim *x, int step)
{
    const struct sp_runner *r = sp_sim_rank(x, step);
    double now = sp_net_now(x->net), until = now;
    for (int i = 0; i < SP_NLANES && x->s->full && x->o.streams; i++) {
        const struct sp_track *a = &r->lane[i];
        if (a->running == SP_NONE)
            continue;
        double since = a->fresh ? now : a->since;
        until = fmax(until, since + a->amount * (double)x->s->full[a->running]);
    }
    return until - now;
}

static double late(const struct sp_sim *x, int step)
{
    return fmax(sp_sim_unissued(x, step), queued(x, step));
}

/* Whether it has to wait first; it is not in flight then. */
static bool hold(struct sp_sim *x, int send)
{
    double wait = fmax(late(x, send), late(x, x->p->step[send].twin));
    if (x->state[send] == LET_GO || !(wait > 0))
        return false;
    x->state[send] = HELD;
    sp_net_start(x->net, flow_of(x, send), SP_NONE, wait, 0, 1);
    return true;
}

void sp_messages_start(struct sp_sim *x)
{
    for (int i = 0; i < x->nready; i++) {
        int send = x->ready[i], recv = x->p->step[send].twin;
        if (hold(x, send))
            continue;
        double wait = latency(x, send);
        join(x, send);
        join(x, recv);
        struct sp_batch *from = &sp_sim_lane(x, send)->b, *to = &sp_sim_lane(x, recv)->b;
        from->latency = fmax(from->latency, wait);
        to->latency = fmax(to->latency, wait);
        sp_net_start(x->net, number(x, send), x->path[x->s->way[send]], wait,
                     x->s->bytes[send], rate(x, send));
    }
    x->nready = 0;
}

/* Seconds of delay a second: a rank that no longer computes looks at once. */
static double patience(const struct sp_sim *x, int rank)
{
    return x->rank[rank].computing ? 1 : 1e12;
}

void sp_messages_rates(struct sp_sim *x, int rank)
{
    for (int step = x->rank[rank].first; step != SP_NONE; step = x->next[step])
        if (x->state[step] == NOTICED)
            sp_net_cap(x->net, x->turn[step], patience(x, rank));
        else if (x->s->profile->interference.comm > 0)
            sp_net_cap(x->net, x->turn[send_of(x, step)], rate(x, send_of(x, step)));
}

/* ---- through ------------------------------------------------------------------------------ */

static void end(struct sp_sim *x, int step)
{
    x->state[step] = IDLE;
    sp_sim_finish(x, step);
}

/* A host that computes looks after its messages only now and then, or when it is through. */
static void notice(struct sp_sim *x, int step)
{
    double late = x->s->profile->poll;
    if (x->o.streams || !(late > 0) || !sp_sim_rank(x, step)->computing) {
        end(x, step);
        return;
    }
    x->state[step] = NOTICED;
    list(x, step);
    sp_net_start(x->net, number(x, step), SP_NONE, 0, late, 1);
}

void sp_message_through(struct sp_sim *x, int flow)
{
    int at = flow - sp_sim_first_message(x), step = x->carried[at];
    x->unused[x->nunused++] = at;
    if (x->state[step] == HELD) {
        x->state[step] = LET_GO;
        x->ready[x->nready++] = step;
        return;
    }
    if (x->state[step] == NOTICED) {
        unlist(x, step);
        end(x, step);
        return;
    }
    int send = send_of(x, step), recv = x->p->step[send].twin;
    leave(x, send);
    leave(x, recv);
    make_room(x, send);
    make_room(x, recv);
    notice(x, send);
    notice(x, recv);
}
